"""Write the prefixes of tokens that redaction recognizes, from the rules that two scanners publish.

    python -m lab prefixes GITLEAKS TRUFFLEHOG

Both are checkouts: https://github.com/gitleaks/gitleaks (config/gitleaks.toml) and
https://github.com/trufflesecurity/trufflehog (pkg/detectors). Of a rule's expression only facts are taken: the text
with which each token begins, and how many characters follow at least.
Usual time: 2 seconds.
"""

import itertools
import re
import sys
import textwrap
import warnings
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    from re import _constants as constants
    from re import _parser as parser
else:
    import sre_constants as constants
    import sre_parse as parser

TARGET = Path(__file__).parents[1] / "lambda_latency" / "redaction" / "prefixes.py"
SEPARATORS = "-_.:~"
MOST_BRANCHES = 40
# A cut token is still one: three quarters of its length are enough, or these many characters after a prefix that ends
# with a separator, or without one.
CUT_AFTER, CUT_AFTER_WORD = 20, 30
LEAST_BODY, LEAST_WORD_BODY = 10, 30
# Go's syntax that Python's parser does not take.
GO = {"(?i)": "", "(?-i:": "(?:", "(?s:.)": ".", "[[:alnum:]]": "[A-Za-z0-9]", "[:alnum:]": "A-Za-z0-9", r"\z": r"\Z"}
# Words of identifiers that no vendor owns, and those of keys that are public.
COMMON = frozenset((
    "account", "api", "apiuser", "cb", "central", "dev", "east", "ext", "eu", "live", "master", "na1", "north", "pi",
    "prod", "sandbox", "sc", "south", "sub", "test", "thog", "token", "us", "user", "web", "west", "xi", "1000",
))  # fmt: skip
PUBLIC = ("pk", "pub", "FLWPUBK")
NAMES = ("api_key", "http", "token", "xi-api-key")  # of parameters and schemes
DECODED = ("eyJ", "ZXlK", "----")  # JSON in base64, JSON Web Tokens and PEM have rules of their own
HEAD = '''"""The beginnings of vendors' tokens, by the least number of characters after them. Made by `lab prefixes`.

Sources: the rules of gitleaks ({gitleaks}) and of TruffleHog ({trufflehog}).
"""

from __future__ import annotations

PREFIXES = {{
'''


def main(parser: ArgumentParser) -> int:
    """Write the table."""
    parser.add_argument("gitleaks", type=Path)
    parser.add_argument("trufflehog", type=Path)
    options = parser.parse_args()
    patterns = [*gitleaks(options.gitleaks), *trufflehog(options.trufflehog)]
    least = table(itertools.chain.from_iterable(map(beginnings, patterns)))
    text = source(least, revision(options.gitleaks), revision(options.trufflehog))
    TARGET.write_text(text, encoding="utf-8")
    print(f"{len(least)} prefixes of {len(patterns)} rules: {TARGET}")
    return 0


def revision(checkout: Path) -> str:
    """Return the first digits of a checkout's commit."""
    head = (checkout / ".git" / "HEAD").read_text("utf-8").strip()
    return head[:8]


def gitleaks(checkout: Path) -> list[str]:
    """Return the expressions of gitleaks' rules."""
    text = (checkout / "config" / "gitleaks.toml").read_text("utf-8")
    return re.findall(r"(?m)^regex = '''(.*)'''$", text)


def trufflehog(checkout: Path) -> list[str]:
    """Return the expressions of TruffleHog's detectors that need no name of the vendor beside the token."""
    files = [file for file in sorted(checkout.glob("pkg/detectors/**/*.go")) if not file.stem.endswith("_test")]
    return [
        pattern for file in files for pattern in re.findall(r"regexp\.MustCompile\(`([^`]+)`", file.read_text("utf-8"))
    ]


def beginnings(pattern: str) -> list[tuple[str, int]]:
    """Return the literal beginnings of an expression, each with the least number of characters after it."""
    for go, python in GO.items():
        pattern = pattern.replace(go, python)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parsed = parser.parse(pattern)
    except re.error:
        return []
    total = parsed.getwidth()[0]
    return [(prefix, total - len(prefix)) for prefix in prefixes(parsed.data)]


def prefixes(items: Sequence[Any]) -> list[str]:
    """Return the texts with which the matches of a parsed expression begin."""
    return sorted(set(itertools.islice(expanded(list(items)), MOST_BRANCHES)))


def expanded(items: list[Any]) -> Iterator[str]:
    """Yield each literal text before the first part of an expression that is not literal."""
    if not items:
        yield ""
        return
    (kind, value), later_items = items[0], items[1:]
    if kind is constants.AT:
        yield from expanded(later_items)
    elif kind is constants.SUBPATTERN:
        yield from expanded([*value[-1], *later_items])
    elif kind is constants.BRANCH:
        for branch in value[1]:
            yield from expanded([*branch, *later_items])
    elif (letters := literals(kind, value)) is not None:
        for letter in letters:
            for following in expanded(later_items):
                yield letter + following
    else:
        yield ""


def literals(kind: object, value: Any) -> list[str] | None:
    """Return the characters of a literal or of a small set of them; None for other parts."""
    if kind is constants.LITERAL:
        return [chr(value)]
    is_small = kind is constants.IN and len(value) <= len(SEPARATORS)
    if is_small and all(part is constants.LITERAL for part, _ in value):
        return [chr(letter) for _, letter in value]
    return None


def table(pairs: Iterator[tuple[str, int]]) -> dict[str, int]:
    """Return the prefixes that say by themselves that a token follows, with the least length of what follows."""
    least: dict[str, int] = {}
    for prefix, length in pairs:
        is_word = prefix.isalpha() and prefix.islower()
        if is_distinct(prefix) and length >= (LEAST_WORD_BODY if is_word else LEAST_BODY):
            enough = enough_after(prefix, length)
            least[prefix] = min(enough, least.get(prefix, enough))
    return {prefix: length for prefix, length in least.items() if not is_covered(prefix, length, least)}


def enough_after(prefix: str, length: int) -> int:
    """Return how many characters after a prefix make a token, of which a whole one has `length`."""
    enough = min(3 * length // 4, CUT_AFTER if prefix[-1] in SEPARATORS else CUT_AFTER_WORD)
    return max(enough, CUT_AFTER) if len(prefix) < 4 else enough


def is_covered(prefix: str, length: int, least: dict[str, int]) -> bool:
    """Whether a shorter prefix recognizes all that this one does."""
    beginnings = (prefix[:size] for size in range(1, len(prefix)))
    return any(least.get(beginning, length + 1) <= length for beginning in beginnings)


def is_distinct(prefix: str) -> bool:
    """Whether no common identifier begins so: four characters or more that are no words, or three with a separator."""
    is_text = re.fullmatch(r"[A-Za-z0-9._~-]{3,40}", prefix) is not None
    if not is_text or prefix.startswith((*PUBLIC, *DECODED)) or prefix.lower() in NAMES:
        return False
    if re.fullmatch("[A-Za-z]?[a-z]+", prefix):
        return 3 < len(prefix) < 6 and prefix.islower()
    words = re.split(r"[-_.~]", prefix.lower())
    return (len(prefix) > 3 or prefix[-1] in SEPARATORS) and not all(w in COMMON or len(w) < 2 for w in words)


def source(least: dict[str, int], gitleaks: str, trufflehog: str) -> str:
    """Return the text of the module."""
    by_length: dict[int, list[str]] = defaultdict(list)
    for prefix, length in least.items():
        by_length[length].append(prefix)
    out = [HEAD.format(gitleaks=gitleaks, trufflehog=trufflehog)]
    for length in sorted(by_length):
        lines = textwrap.wrap(" ".join(sorted(by_length[length])), 106, break_on_hyphens=False)
        out.append(f"    {length}: " + "\n        ".join(f'"{line} "' for line in lines)[:-2] + '",\n')
    return "".join([*out, "}  # fmt: skip\n"])
