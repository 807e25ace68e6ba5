"""Names from traces as data: quoted, cut, redacted, without letters that a reader cannot see.

Whoever sends a request may choose a route or a host. An assistant reads an answer as text: a name must not look like a
sentence of ours, nor like an order.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import TYPE_CHECKING

from lambda_latency.runtime.redact import Redaction

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambda_latency.latency import Part

LONGEST = 60  # characters of a name, and of a value's piece
MOST_WORDS = 4  # of a name in a sentence; an order has more
MOST_PLAIN_WORDS = 2  # of a name whose words are all of letters, as those of a sentence are
SHORT = 48  # cells that the report gives an attribute or a value, quotes included
MOST_VALUES = 20  # of a list
READ = 20 * LONGEST  # characters of a name that are looked at: some names are as long as a book
# What could end a quote, a cell or a block.
INSTEAD = {'"': "'", "`": "'", "<": "\u2039", ">": "\u203a", "\\": "/", "|": "/"}
SEEN = ("L", "N", "P", "S")  # letters, numbers, punctuation, symbols; no marks: variation selectors carry hidden text
REDACTION = Redaction(None, 4096)
WORD = re.compile(r"[A-Za-z]?[a-z]*[,.;:!?']*\Z")
BROKEN = ('"', "\\")  # in names that were cut out of a text, such as a value without its key
MARK = '"text '  # the beginning of the form of a name that is not shown
SERVICE = "DynamoDB "  # the beginning of a part that advice knows
OURS = {"lambda": ("overhead", "service"), "unknown": ("", "callee")}  # names of parts that the report gives itself


class Names:
    """The quoted form of names, a different one for each name.

    All names of an input are given at the beginning, so that the order in which they are read changes nothing.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._shown: dict[str, str] = {"": ""}
        self._taken: dict[str, str] = {}
        for name in sorted(set(names)):
            self(name)

    def __call__(self, name: str) -> str:
        """The name in quotes; `"text 4bbf93"` for one that reads like a sentence or is very long."""
        known = self._shown.get(name)
        if known is None:
            known = _in_sentence(name)
            if self._taken.setdefault(known, name) != name:  # two names that look alike stay two names
                known = f'{known[:-1]} {_mark(name, 12)}"'
                self._taken[known] = name
            self._shown[name] = known
        return known

    def part(self, one: Part) -> Part:
        """The part with its name quoted, unless the name is the report's own."""
        if one.name in OURS.get(one.bucket, ("",)):
            return one
        if one.bucket in ("aws", "retries") and one.name.startswith(SERVICE):
            return one._replace(name=SERVICE + self(one.name.removeprefix(SERVICE)))
        return one._replace(name=self(one.name))

    def raw(self, shown: str) -> str:
        """The name of a quoted form, with or without its quotes; any other text is returned unchanged."""
        return self._taken.get(shown) or self._taken.get(f'"{shown}"') or shown


def quoted(text: object, most: int = LONGEST) -> str:
    """A text from a trace in double quotes, redacted, cut to `most` characters, its end replaced by a mark."""
    return f'"{_cut(REDACTION.text(str(text)[: max(READ, most)]), text, most)}"'


def quoted_name(text: str) -> str:
    """A name in a table: as `quoted`, but a piece of another text is replaced by its mark."""
    return f'{MARK}{_mark(text)}"' if any(map(text.__contains__, BROKEN)) else quoted(text)


def quoted_value(key: str, value: object, most: int) -> str:
    """The value of an attribute, redacted by its key too."""
    if isinstance(value, str):
        value = value[: max(READ, most)]
    elif isinstance(value, tuple):
        value = tuple(one[:READ] if isinstance(one, str) else one for one in value[:MOST_VALUES])
    return f'"{_cut(str(REDACTION.value(key, value)), value, most)}"'


def short(told: str) -> str:
    """A quoted text that fits into a sentence of narrow columns; a longer one is replaced by its mark."""
    words = told[1:-1].split()
    ordinary = sum(WORD.match(word) is not None for word in words)
    if len(told) <= SHORT and len(words) <= MOST_WORDS and not ordinary == len(words) > MOST_PLAIN_WORDS:
        return told
    return f'{MARK}{_mark(told)}"'


def plain(text: object, most: int) -> str:
    """A sentence of ours with names inside, such as an error, as one line."""
    return " ".join(_seen(REDACTION.text(str(text)[:most])).split())


def _in_sentence(name: str) -> str:
    told = quoted(name)
    words = told[1:-1].split()
    ordinary = sum(WORD.match(word) is not None for word in words)
    if (
        len(words) > MOST_WORDS
        or any(map(name.__contains__, BROKEN))
        or "…" in told
        or (ordinary == len(words) > MOST_PLAIN_WORDS)
    ):
        return f'{MARK}{_mark(name)}"'
    return told


def _cut(redacted: str, text: object, most: int) -> str:
    whole = " ".join(_seen(unicodedata.normalize("NFC", redacted)).replace("](", "] (").split())  # no link of Markdown
    whole = REDACTION.text(whole)  # once more, as a reader has it: lines of a stack have rules of their own
    is_cut = len(whole) > most or (isinstance(text, str) and len(text) > max(READ, most))
    return f"{whole[:most]}…{_mark(text)}" if is_cut else whole


def _mark(text: object, digits: int = 6) -> str:
    return hashlib.sha256(str(text).encode("utf-8", "surrogatepass")).hexdigest()[:digits]


def _seen(text: str) -> str:
    return (
        text
        if text.isascii() and text.isprintable() and not any(map(text.__contains__, INSTEAD))
        else "".join(map(_letter, text))
    )


def _letter(one: str) -> str:
    if one in INSTEAD:
        return INSTEAD[one]
    if one.isascii():
        return one if one.isprintable() else " "
    kind = unicodedata.category(one)[0]
    return one if kind in SEEN else " " if kind == "Z" else ""
