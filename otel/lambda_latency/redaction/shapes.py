"""Values by their form: vendors' tokens, JSON Web Tokens, private keys, random keys, card numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from lambda_latency.redaction.names import REDACTED, compiled, is_uuid
from lambda_latency.redaction.prefixes import PREFIXES
from lambda_latency.redaction.reading import DIGITS, PUBLIC, Reading, Span, end_of

LEAST = {prefix: least for least, prefixes in PREFIXES.items() for prefix in prefixes.split()}
BODY = r"[\w~+/=|-]+(?:[.:][\w~+/=|-]+)*"
CHARACTER = r"[\w~+/=|.:-]"  # of a token
CHARACTERS = f"{CHARACTER}*"
LETTERS = r"[A-Za-z]{13,}"  # a token has these or a digit
LEAST_RUN, LONGEST = 12, 80  # characters of a token without a separator; characters that are looked at

# Forms without a prefix of their own, by a mark without which a text has none.
SHAPES = {
    # PEM, complete or cut; line ends may be escaped
    "-----BEGIN": r"(?s)-----BEGIN[A-Z0-9+ %]{0,40}PRIVATE[ +]KEY.*?(?:-----END[A-Z0-9+ %]{0,40}-----|\Z)",
    "oGZXIvYXdz": r"F[wQ]oGZXIvYXdz[\w+/=%-]*",  # AWS's session tokens, after any text
    "IQoJb3JpZ2lu": r"IQoJb3JpZ2lu[\w+/=%-]*",
    ":AA": r":AA(?<=\d{8}:AA)[\w-]{30,}",  # of Telegram
    "SK": r"SK(?<!\wSK)[0-9a-f]{32}\b",  # of Twilio, as the next one
    "AC": r"(?:(?<=\bAC[0-9a-f]{32}:)|(?<=\bAC[0-9a-f]{32}['\"], ['\"]))[0-9a-f]{32}\b",
    "sdk-": r"sdk-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",  # of LaunchDarkly
    "-us": r"\b[0-9a-f]{32}-us\d{1,2}\b",  # of Mailchimp
    "Q~": r"Q~(?<=[\w~.-]{3}\dQ~)[\w~.-]{24,}",  # of Azure
    "$": r"\$(?:1|5|6|y|2[abxy]|apr1|argon2\w{1,2})\$[\w./$=,+-]{20,}",  # hashes of passwords
    "atlasv1": r"\.atlasv1\.[\w-]{20,}",  # of Terraform
    "pat": r"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}",  # of Airtable
    "|": r"\|(?<=\d{13}\|)[\w-]{20,}",  # of Facebook
    "MII": r"MII(?<![A-Za-z0-9+/]MII)[A-Za-z0-9+/\\\r\n]{200,}={0,2}",  # a PEM key without its first line
    "AAAA": r"AAAA(?<![A-Za-z0-9]AAAA)[\w%+/=:-]{100,}",  # of Twitter and Firebase
    "eyJ": r"eyJ(?<![A-Za-z0-9]eyJ)[\w-]{8,}(?:\.[\w-]+(?:\.[\w-]*)*)?",  # JSON Web Tokens
    ".": r"\.(?<=[\w-]{23}\.)[\w-]{6}\.[\w-]{27,}",  # of Discord
}
RUN = r"[\w+/-]{16,}={0,2}(?:(?:\r?\n|\\{1,8}n)[\w+/]{16,}={0,2})*"
# What precedes the rest of a path in a run: the end of a host or an ARN's account, a first segment.
PATH = r"(?:(?<=\.)|(?=/)|(?<=:)(?=\d)|(?<=\d:))/{0,2}(?:[a-z][a-z-]{0,30}|v?\d{1,5})/"
HEX = r"[0-9a-fA-F-]+"
LEAST_RANDOM = 32  # characters, as a secret key of AWS has 40
DATE = r"\d{4}-\d\d-\d\d"

CARD = (
    r"\d(?:(?<![\w.-]\d)\d{12,18}(?!\w|\.\d)|(?<![\w-]\d)\d{3}([ -])\d{4}\1\d{4}\1\d{1,7}(?![\w-])|"
    r"(?<![\w-]\d)\d{3}([ -])\d{6}\2\d{4,5}(?![\w-]))"
)
# First digits and lengths of the large networks' card numbers.
NETWORKS = (
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|6(?:011|4[4-9]\d|5\d\d)\d{12,15}|"
    r"3(?:0[0-5]|[689]\d)\d{11,13}|35\d{14}|62\d{14,17}|5[06-9]\d{14}"
)


@cache
def beginnings() -> tuple[str, dict[str, list[str]]]:
    """Return the expression for where a token may begin, and the prefixes by their first three characters.

    One expression with all prefixes would take most of the time of an environment's first spans to compile.
    """
    by_start: dict[str, list[str]] = {}
    for prefix in sorted(LEAST, key=len, reverse=True):
        by_start.setdefault(prefix[:3], []).append(prefix)
    first, second, third = ("".join(map(re.escape, sorted({*letters}))) for letters in zip(*by_start, strict=True))
    following = min([len(prefix) + least for prefix, least in LEAST.items()]) - 3
    # The first character comes before the look behind it: `re` finds the characters of a set in one loop
    return rf"[{first}](?<![A-Za-z0-9].)(?=[{second}][{third}]{CHARACTER}{{{following}}})", by_start


def tokens(reading: Reading) -> Iterator[Span]:
    """Yield the tokens with a vendor's prefix: those that are long and random enough."""
    text, end = reading.text, 0
    pattern, by_start = beginnings()
    for match in reading.matches(pattern):
        start = match.start()
        prefix = next((p for p in by_start.get(text[start : start + 3], ()) if text.startswith(p, start)), "")
        after = start + len(prefix)
        if start < end or not prefix or not any(reading.overlaps(p, after, LONGEST) for p in (DIGITS, LETTERS)):
            continue
        if is_token(prefix, text[after : end_of(CHARACTERS, text, after, LONGEST)]):
            end = end_of(BODY, text, after)
            yield start, end, REDACTED


def is_token(prefix: str, body: str) -> bool:
    """Whether the text after a prefix is long enough, and if the prefix may begin a word, random enough."""
    if len(body) < LEAST[prefix]:
        return False
    is_sure = is_mixed(body)
    if is_sure and len(prefix) > 3:
        return True
    run = max(compiled(r"[^\W_]{12,}").findall(body), key=len, default="")
    if is_sure:
        return run != ""
    return len(run) > LEAST_RUN and not run.islower() and not run.isupper() and not is_worded(run)


def shapes(reading: Reading) -> Iterator[Iterator[Span]]:
    """Yield for each form the tokens of it."""
    for mark, pattern in SHAPES.items():
        if mark in reading.text:
            yield of_shape(reading, pattern)


def of_shape(reading: Reading, pattern: str) -> Iterator[Span]:
    """Yield the tokens of one form."""
    for match in reading.matches(pattern):
        is_json = match[0].startswith("eyJ") and "." not in match[0]
        if not reading.overlaps(PUBLIC, match.start()) and not is_json:
            yield *match.span(), REDACTED


def runs(reading: Reading) -> Iterator[Span]:
    """Yield what is too random for a name. Hashes, UUIDs and numbers are mostly ids, and not secret."""
    for match in reading.matches(RUN):
        start, run = match.start(), match[0]
        if len(run) < LEAST_RANDOM or reading.ids or is_id(run):
            continue
        is_path = compiled(PATH).match(reading.text, start) is not None
        parts = random_parts(run, is_path=is_path)
        if parts and not reading.overlaps(PUBLIC, match.end() - 1):
            for begin, end in parts:
                yield start + begin, start + end, REDACTED


def is_id(run: str) -> bool:
    """Whether a run has one case, as ids have, or is a hash or a UUID."""
    return run.islower() or run.isupper() or compiled(HEX).fullmatch(run) is not None


def random_parts(run: str, *, is_path: bool) -> list[tuple[int, int]]:
    """Return start and end of what is too random for a name: the run, if it is no path, or parts of it."""
    if not is_path and looks_random(run):
        return [(0, len(run))]
    matches = [m for pattern in (r"[^/]{32,}", r"[^/_-]{32,}") for m in compiled(pattern).finditer(run)]
    return sorted([match.span() for match in matches if looks_random(match[0])])


def is_mixed(text: str) -> bool:
    """Whether a text has both letters and digits."""
    return compiled(r"\d").search(text) is not None and any(map(str.isalpha, text))


def looks_random(run: str) -> bool:
    """Whether a run is at least as long and as random as a secret key of AWS."""
    body = run.rstrip("=")
    if len(body) < LEAST_RANDOM or body.islower() or body.isupper() or compiled(r"\d").search(body) is None:
        return False
    if not any(len(part) > 13 and not part.isupper() and not part.islower() for part in compiled(r"[-_]").split(body)):
        return False  # for example `app-dev-eu-a1B2c3D4e5F6`
    return not is_worded(body)


def is_worded(run: str) -> bool:
    """Whether a run consists of few pieces, or of words for a large part."""
    pieces = compiled(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+").findall(run)
    words = sum([len(piece) for piece in pieces if len(piece) > 4 and piece[1:].islower()])
    return len(pieces) <= 0.3 * len(run) or words >= 0.45 * len(run)


def opaque(word: str) -> bool:
    """Whether a value is neither a word nor a number, a date, an address or a UUID."""
    has_digits = is_mixed(word)
    if len(word) < 6 or (not has_digits and (word.islower() or word.isupper())):
        return False
    if len(word.split()) != 1 or is_place(word):
        return False
    if has_digits:
        return True
    capitals = sum(map(str.isupper, word[1:]))
    return capitals * (4 if "." in word else len(word)) >= len(word)


def is_place(word: str) -> bool:
    """Whether a value is an address, a path or a UUID, or begins with a date."""
    if is_uuid(word):
        return True
    return word.startswith(("arn:", "/", "http:", "https:", "s3:")) or compiled(DATE).match(word) is not None


def cards(reading: Reading) -> Iterator[Span]:
    """Yield the card numbers: those of a network's length and first digits that satisfy Luhn's formula."""
    for match in reading.matches(CARD):
        digits = match[0].replace(" ", "").replace("-", "")
        doubled = [sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2]]
        total = sum(map(int, digits[::-2])) + sum(doubled)
        if total % 10 == 0 and compiled(NETWORKS).fullmatch(digits):
            yield *match.span(), REDACTED
