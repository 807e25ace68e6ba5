"""Quotes names from traces as data: cut, redacted, without letters that a reader cannot see.

Whoever sends a request may choose a route or a host. An assistant reads an answer as text: a name must look neither
like a sentence of the report nor like an order.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import TYPE_CHECKING

from lambda_latency.redaction import Redaction
from lambda_latency.trace import EXECUTION_ROUTE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambda_latency.latency import Component

LONGEST = 60  # characters of a name
MOST_WORDS = 4  # of a name; an instruction has more
MOST_PLAIN_WORDS = 2  # of a name whose words are all of letters
SHORT = 48  # cells, with the quotes
MOST_VALUES = 20  # of a list
MOST_READ = 20 * LONGEST  # characters of a name that are read
# What could end a quote, a cell or a block.
REPLACEMENTS = {'"': "'", "`": "'", "<": "\u2039", ">": "\u203a", "\\": "/", "|": "/"}
# Letters, numbers, punctuation, symbols; no marks: variation selectors carry hidden text.
VISIBLE = ("L", "N", "P", "S")
REDACTION = Redaction(None, 4096)
WORD = re.compile(r"[A-Za-z]?[a-z]*[,.;:!?']*\Z")
BROKEN = ('"', "\\")  # in pieces of a text
MARK = '"text '  # begins a hidden name
SERVICE = "DynamoDB "  # begins a component that advice knows
# Names of components that the report chooses.
OWN_NAMES = {"lambda": ("overhead", "service"), "unknown": ("", "callee")}


class QuotedNames:
    """The quoted form of names, a different one for each name. All names come first: their order changes nothing."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._quoted: dict[str, str] = {"": ""}
        self._raw: dict[str, str] = {}
        for name in sorted(set(names)):
            self(name)

    def __call__(self, name: str) -> str:
        """Return the name in quotes; `"text 4bbf93"` for one that reads like a sentence or is very long.

        The route of an execution begins with the report's own word.
        """
        shown = self._quoted.get(name)
        if shown is None:
            own = EXECUTION_ROUTE if name.startswith(EXECUTION_ROUTE) else ""
            shown = quoted(name.removeprefix(own))
            if "…" in shown or _is_sentence(shown) or any(map(name.__contains__, BROKEN)):
                shown = f'{MARK}{_mark(name)}"'
            shown = own + shown
            if self._raw.setdefault(shown, name) != name:  # names that look alike
                shown = f'{shown[:-1]} {_mark(name, 12)}"'
                self._raw[shown] = name
            self._quoted[name] = shown
        return shown

    def part(self, part: Component) -> Component:
        """Return the component with its name quoted, unless the report chose the name."""
        if part.name in OWN_NAMES.get(part.category, ("",)):
            return part
        if part.category in ("aws", "retries") and part.name.startswith(SERVICE):
            return part._replace(name=SERVICE + self(part.name.removeprefix(SERVICE)))
        return part._replace(name=self(part.name))

    def raw(self, shown: str) -> str:
        """Return the name of a quoted form, with or without its quotes; any other text is returned unchanged."""
        return self._raw.get(shown) or self._raw.get(f'"{shown}"') or shown


def quoted(text: object, length: int = LONGEST) -> str:
    """Quote a text from a trace, redacted and cut to `length` characters, its end replaced by a mark."""
    return f'"{_cut(REDACTION.text(str(text)[: max(MOST_READ, length)]), text, length)}"'


def quoted_name(text: str) -> str:
    """Quote a name in a table: as `quoted`, but a piece of another text is replaced by its mark."""
    own = EXECUTION_ROUTE if text.startswith(EXECUTION_ROUTE) else ""
    is_broken = any(map(text.__contains__, BROKEN))
    return own + (f'{MARK}{_mark(text)}"' if is_broken else quoted(text.removeprefix(own)))


def quoted_value(key: str, value: object, length: int) -> str:
    """Quote the value of an attribute, redacted by its key too."""
    if isinstance(value, str):
        value = value[: max(MOST_READ, length)]
    elif isinstance(value, tuple):
        value = tuple(v[:MOST_READ] if isinstance(v, str) else v for v in value[:MOST_VALUES])
    return f'"{_cut(str(REDACTION.value(key, value)), value, length)}"'


def short(text: str) -> str:
    """Replace a quoted text by its mark if it does not fit into a narrow column."""
    return text if len(text) <= SHORT and not _is_sentence(text) else f'{MARK}{_mark(text)}"'


def plain(text: object, length: int) -> str:
    """Return a sentence of the kit with names inside, such as an error, as one line."""
    return " ".join(_visible(REDACTION.text(str(text)[:length])).split())


def _is_sentence(shown: str) -> bool:
    """Return whether a quoted text has as many words as an instruction, or fewer that are all of letters."""
    words = shown[1:-1].split()
    if all(map(WORD.match, words)):
        return len(words) > MOST_PLAIN_WORDS
    return len(words) > MOST_WORDS


def _cut(redacted: str, text: object, length: int) -> str:
    visible = _visible(unicodedata.normalize("NFC", redacted)).replace("](", "] (")  # no link of Markdown
    clean = REDACTION.text(" ".join(visible.split()))  # a stack has rules for each line
    is_cut = len(clean) > length or (isinstance(text, str) and len(text) > max(MOST_READ, length))
    return f"{clean[:length]}…{_mark(text)}" if is_cut else clean


def _mark(text: object, digits: int = 6) -> str:
    return hashlib.sha256(str(text).encode("utf-8", "surrogatepass")).hexdigest()[:digits]


def _visible(text: str) -> str:
    is_plain = text.isascii() and text.isprintable() and not any(map(text.__contains__, REPLACEMENTS))
    return text if is_plain else "".join(map(_letter, text))


def _letter(letter: str) -> str:
    if letter in REPLACEMENTS:
        return REPLACEMENTS[letter]
    if letter.isascii():
        return letter if letter.isprintable() else " "
    kind = unicodedata.category(letter)[0]
    if kind in VISIBLE:
        return letter
    return " " if kind == "Z" else ""
