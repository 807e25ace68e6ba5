"""Formats numbers and names: exact, aligned by terminal cells, without control characters."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from lambda_latency.text.style import Line, Piece, Style

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lambda_latency.latency import Compared, Part

# Other controls, formats (bidirectional marks among them), surrogates, and the separators that break a line.
UNSAFE = ("Cc", "Cf", "Cs", "Zl", "Zp")
MILLISECOND = 1_000_000
OWNERS = {"ours": "internal", "theirs": "external"}  # other owners are printed unchanged


def owner(part: Part) -> str:
    """`internal`, `external`, `platform` or `unknown`."""
    return OWNERS.get(part.owner, part.owner)


def ms(ns: int, style: Style) -> str:
    """`1,342 ms`: always milliseconds, with decimals only below 1 ms."""
    text = number((ns + MILLISECOND // 2) // MILLISECOND)
    if 0 < ns < MILLISECOND:
        for places in (1, 2, 3):
            last = MILLISECOND // 1_000 * 10 ** (3 - places)
            count = (ns + last // 2) // last
            if count:
                text = f"0.{count:0{places}}" if count < 10 else "1"
                break
    return f"{text}{style.space}ms"


def signed(ns: int, style: Style) -> str:
    """`+1,342 ms`, `-7 ms`, and no sign for a rounded 0."""
    text = ms(abs(ns), style)
    if is_zero(text):
        return ("±" if style.unicode else "") + text
    return ("+" if ns > 0 else "-") + text


def is_zero(text: str) -> bool:
    """Whether a time is printed as 0 ms."""
    return text.startswith(("0 ", "0\u202f", "±0"))


def number(value: int) -> str:
    """`1,342`."""
    return f"{value:,}"


def percent(part: int, whole: int, style: Style) -> str:
    """`82 %`, rounded half up; 0 of nothing."""
    return f"{(200 * part + whole) // (2 * whole) if whole else 0}{style.space}%"


def explained(one: Compared, whole_ns: int, style: Style) -> str:
    """A part's share of the difference, limited to 100 %: it may be more if other parts take less than usual."""
    return percent(min(one.difference_ns, whole_ns), whole_ns, style)


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 error`, `2 errors`."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def clean(text: str, style: Style) -> str:
    """A name with control characters, and characters that the stream cannot show, escaped."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_safe(letter, style) for letter in text)


def _safe(letter: str, style: Style) -> str:
    if unicodedata.category(letter) not in UNSAFE and (style.unicode or letter.isascii()):
        return letter
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def cells(text: str) -> int:
    """The width of a text in terminal cells: two for East Asian letters and emoji, none for combining marks."""
    if text.isascii():
        return len(text)
    return sum(map(_cells, text))


def _cells(letter: str) -> int:
    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in ("W", "F") else 1


def fit(text: str, width: int, style: Style, suffix: str = "") -> str:
    """A name in at most `width` cells, shortened with an ellipsis; the suffix is never shortened."""
    room = width - cells(suffix)
    if cells(text) <= room:
        return text + suffix
    kept = ""
    taken = 1  # the ellipsis
    for letter in text:
        taken += _cells(letter)
        if taken > room:
            break
        kept += letter
    return kept + style.ellipsis + suffix


def left(text: str, width: int) -> str:
    """The text padded to `width` cells, left-aligned."""
    return text + " " * (width - cells(text))


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows of texts as lines whose columns are aligned; the columns are as many as those of the first row."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "".join(f"{line}\n" for line in lines)


def right(text: str, width: int) -> str:
    """The text padded to `width` cells, right-aligned."""
    return " " * (width - cells(text)) + text


def wrap(text: str, width: int, ink: str = "") -> list[Line]:
    """A text in lines of at most `width` cells, broken at plain spaces."""
    lines: list[Line] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if line and cells(longer) > width:
            lines.append([Piece(line, ink)])
            longer = word
        line = longer
    return [*lines, [Piece(line, ink)]]


def wrap_pieces(pieces: Iterable[Piece], width: int) -> list[Line]:
    """A text of several inks in lines of at most `width` cells, broken at plain spaces."""
    lines: list[Line] = [[]]
    word: Line = []
    taken = 0

    def end() -> None:
        nonlocal taken
        length = sum(cells(piece.text) for piece in word)
        if taken and taken + 1 + length > width:
            lines.append([])
            taken = 0
        if taken:
            lines[-1].append(Piece(" ", lines[-1][-1].ink if lines[-1][-1].ink == word[0].ink else ""))
            taken += 1
        lines[-1].extend(word)
        taken += length
        word.clear()

    for text, ink in pieces:
        for at, part in enumerate(text.split(" ")):
            if at and word:
                end()
            if part:
                word.append(Piece(part, ink))
    if word:
        end()
    return lines if lines[0] else []
