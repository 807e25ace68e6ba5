"""The style of text on a stream: width, Unicode, colour. It is decided once per report."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TextIO

WIDEST, NARROWEST = 160, 60
USUAL = 100  # for streams without a width
# Only bold, dim and the eight basic colours: they follow the terminal's theme, light or dark.
INKS = {"bold": "1", "dim": "2", "red": "31", "yellow": "33", "blue": "34", "bold red": "1;31"}


class Piece(NamedTuple):
    """Text in one ink: a key of `INKS`, or an empty string."""

    text: str
    ink: str = ""


Line = list[Piece]


class Marks(NamedTuple):
    """Characters for the separator of facts and the end of a shortened name, and for drawings."""

    dot: str
    ellipsis: str
    waited: str  # in a waterfall: time on the critical path
    waiting: str  # in a waterfall: the span is open and waits for a child
    off_path: str  # in a waterfall: time off the critical path
    tick: str  # in a waterfall: time on the critical path that is shorter than a cell
    border: str  # in a distribution: the limit of slow requests
    heights: str  # in a distribution: the bars, from empty to full


UNICODE = Marks(" · ", "…", "█", "─", "┄", "▏", "┊", " ▁▂▃▄▅▆▇█")
ASCII = Marks(" | ", "~", "#", "-", ".", "|", "|", " .:-=+*#%@")


@dataclass(frozen=True, slots=True)
class Style:
    """Width in cells (60 to 160), whether Unicode may be used, and whether colour may.

    `thin`: whether a narrow no-break space separates a number and its unit. Text searches would not find it.
    """

    width: int = USUAL
    unicode: bool = True
    colour: bool = False
    thin: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "width", max(NARROWEST, min(WIDEST, self.width)))

    @property
    def space(self) -> str:
        """The space between a number and its unit."""
        return "\u202f" if self.unicode and self.thin else " "

    @property
    def marks(self) -> Marks:
        """The characters that a text is drawn with."""
        return UNICODE if self.unicode else ASCII


def plain(pieces: Iterable[Piece]) -> str:
    """Return the text of a sentence without its inks."""
    return "".join(piece.text for piece in pieces)


def style_for(
    stream: TextIO,
    *,
    ascii_only: bool = False,
    colour: str = "auto",
    environ: Mapping[str, str] | None = None,
) -> Style:
    """Return the style of a stream; `colour` is `auto`, `always` or `never`."""
    environ = os.environ if environ is None else environ
    terminal = stream.isatty()
    return Style(
        width=shutil.get_terminal_size((USUAL, 24)).columns if terminal else USUAL,
        unicode=not ascii_only and _has_unicode(stream, environ),
        colour=_has_colour(terminal, colour, environ),
        thin=terminal,
    )


def paint(lines: Iterable[Line], style: Style) -> str:
    """Lines as text, each with a newline."""
    return "".join(_paint(line, style) + "\n" for line in lines)


def _paint(line: Line, style: Style) -> str:
    pieces = list(line)
    while pieces and not pieces[-1].text.rstrip(" "):
        pieces.pop()
    if pieces:
        pieces[-1] = Piece(pieces[-1].text.rstrip(" "), pieces[-1].ink)
    if not style.colour:
        return plain(pieces)
    return "".join(f"\x1b[{INKS[ink]}m{text}\x1b[0m" if ink and text.strip(" ") else text for text, ink in pieces)


def _has_unicode(stream: TextIO, environ: Mapping[str, str]) -> bool:
    # Python itself sets LC_CTYPE=C.UTF-8 under LANG=C (PEP 538): the user did not choose it.
    ctype = environ.get("LC_CTYPE", "")
    locale = environ.get("LC_ALL") or ("" if ctype == "C.UTF-8" else ctype) or environ.get("LANG", "")
    if locale in ("C", "POSIX"):
        return False
    try:
        "█─┄▏▁┊…·\u202f".encode(stream.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def _has_colour(terminal: bool, colour: str, environ: Mapping[str, str]) -> bool:
    # https://no-color.org and https://force-color.org; the command line overrides both.
    if colour != "auto":
        return colour == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return terminal and environ.get("TERM") != "dumb"
