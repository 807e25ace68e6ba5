"""Formats numbers and names: exact, aligned by terminal cells, without control characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from lambda_latency.latency import Component
from lambda_latency.text.style import Line, Piece, Style

# Other controls, formats (bidirectional marks among them), surrogates, and the separators that break a line.
UNSAFE = ("Cc", "Cf", "Cs", "Zl", "Zp")
MILLISECOND = 1_000_000
LEAST_SECONDS_MS, MOST_DECIMALS_MS = 10_000, 99_950  # longer times are in seconds, and without a decimal
OWNERS = {"ours": "internal", "theirs": "external"}  # other owners are printed unchanged
# Of what an app uses in its own account: unless the user says that it is external, the owner is not known to be.
MANAGED = {"aws": "AWS", "database": "managed", "messaging": "managed"}


AWS_HOST = re.compile(r"\.(amazonaws\.com(\.cn)?|on\.aws|api\.aws)(:\d+)?\Z")  # called by another library than an SDK


def manager(part: Component) -> str:
    """Who runs a service that an app uses as its own: `AWS`, or `managed`; empty for other parts."""
    if part.whose:
        return ""
    is_aws = part.category == "external" and AWS_HOST.search(part.name) is not None
    return "AWS" if is_aws else MANAGED.get(part.category, "")


def owner(part: Component) -> str:
    """`internal`, `external`, `platform` or `unknown`; `AWS` or `managed` for a service that an app uses as its own."""
    return manager(part) or OWNERS.get(part.owner, part.owner)


def ms(ns: int, style: Style) -> str:
    """`1,342 ms`: milliseconds, with decimals only below 1 ms; from 10 s on seconds, `41.2 s`."""
    rounded_ms = (ns + MILLISECOND // 2) // MILLISECOND
    if rounded_ms >= LEAST_SECONDS_MS:
        decimals = 1 if rounded_ms < MOST_DECIMALS_MS else 0
        return f"{rounded_ms / 1_000:,.{decimals}f}".removesuffix(".0") + f"{style.space}s"
    text = number(rounded_ms)
    if 0 < ns < MILLISECOND:
        for places in (1, 2, 3):
            digit_ns = MILLISECOND // 1_000 * 10 ** (3 - places)  # a unit of the last decimal
            count = (ns + digit_ns // 2) // digit_ns
            if count:
                text = f"0.{count:0{places}}" if count < 10 else "1"
                break
    return f"{text}{style.space}ms"


def signed(ns: int, style: Style) -> str:
    """`+1,342 ms`, `-7 ms`, and no sign for a rounded 0."""
    text = ms(abs(ns), style)
    if text.startswith(("0 ", "0\u202f")):
        return ("±" if style.unicode else "") + text
    return ("+" if ns > 0 else "-") + text


def number(value: int) -> str:
    """`1,342`."""
    return f"{value:,}"


def percent(part: int, whole: int, style: Style) -> str:
    """`82 %`, rounded half up; 0 of nothing."""
    return f"{(200 * part + whole) // (2 * whole) if whole else 0}{style.space}%"


def plural(count: int, noun: str, plural_noun: str | None = None) -> str:
    """`1 error`, `2 errors`."""
    return f"{number(count)} {noun if count == 1 else plural_noun or noun + 's'}"


def listed(texts: Sequence[str], limit: int, separator: str = ", ") -> str:
    """`a, b, and 2 more`: the first `limit` texts, and the number of the others."""
    more = f"{separator}and {number(len(texts) - limit)} more" if len(texts) > limit else ""
    return separator.join(texts[:limit]) + more


def clean(text: str, style: Style) -> str:
    """Return a name with control characters, and characters that the stream cannot show, escaped."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_safe(letter, style) for letter in text)


def _safe(letter: str, style: Style) -> str:
    if unicodedata.category(letter) not in UNSAFE and (style.unicode or letter.isascii()):
        return letter
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def display_width(text: str) -> int:
    """Return the width of a text in terminal cells: two for East Asian letters and emoji, none for combining marks."""
    if text.isascii():
        return len(text)
    return sum(map(_letter_width, text))


def _letter_width(letter: str) -> int:
    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in ("W", "F") else 1


def fit(text: str, width: int, style: Style, suffix: str = "") -> str:
    """Return a name in at most `width` cells, shortened with an ellipsis; the suffix is never shortened."""
    room = width - display_width(suffix)
    if display_width(text) <= room:
        return text + suffix
    shortened = ""
    taken = 1  # the ellipsis
    for letter in text:
        taken += _letter_width(letter)
        if taken > room:
            break
        shortened += letter
    return shortened + style.marks.ellipsis + suffix


def left(text: str, width: int) -> str:
    """Return the text padded to `width` cells, left-aligned."""
    return text + " " * (width - display_width(text))


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows of texts as lines whose columns are aligned; the columns are as many as those of the first row."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "".join(f"{line}\n" for line in lines)


def right(text: str, width: int) -> str:
    """Return the text padded to `width` cells, right-aligned."""
    return " " * (width - display_width(text)) + text


def wrap(text: str, width: int, ink: str = "") -> list[Line]:
    """Return a text in lines of at most `width` cells, broken at plain spaces."""
    lines: list[Line] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if line and display_width(longer) > width:
            lines.append([Piece(line, ink)])
            longer = word
        line = longer
    return [*lines, [Piece(line, ink)]]


def wrap_pieces(pieces: Iterable[Piece], width: int) -> list[Line]:
    """Return a text of several inks in lines of at most `width` cells, broken at plain spaces."""
    lines: list[Line] = [[]]
    taken = 0
    for word in _words(pieces):
        length = sum(display_width(piece.text) for piece in word)
        if taken and taken + 1 + length > width:
            lines.append([])
            taken = 0
        if taken:
            ink = lines[-1][-1].ink
            lines[-1].append(Piece(" ", ink if ink == word[0].ink else ""))
            taken += 1
        lines[-1] += word
        taken += length
    return lines if lines[0] else []


def _words(pieces: Iterable[Piece]) -> Iterator[Line]:
    """Yield the words between plain spaces; a word may have several inks."""
    word: Line = []
    for text, ink in pieces:
        for index, part in enumerate(text.split(" ")):
            if index and word:
                yield word
                word = []
            if part:
                word.append(Piece(part, ink))
    if word:
        yield word
