"""The stack at a function's deadline: the function's own frames are marked, with their line of code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.text.style import Line, Piece, Style
from lambda_latency.text.words import clean, fit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_latency.latency import Frame, Timeout

__all__ = ["stack"]


def stack(timeout: Timeout, style: Style) -> list[Line]:
    """The frames, the outermost first, then those of other threads; nothing where no stack was recorded."""
    lines = _frames("Running at the deadline:", timeout.frames, style)
    for thread in timeout.threads:
        lines += _frames(f"In thread {clean(thread.name, style)}:", thread.frames, style)
    return lines


def _frames(heading: str, frames: Sequence[Frame], style: Style) -> list[Line]:
    if not frames:
        return []
    lines: list[Line] = [[], [Piece(fit(heading, style.width, style), "bold")]]
    for frame in frames:
        place = f"{'>' if frame.own else ' '} {clean(frame.file, style)}:{frame.line} {clean(frame.function, style)}"
        lines.append([Piece(fit(place, style.width, style), "bold" if frame.own else "dim")])
        if frame.own and frame.text:
            lines.append([Piece(fit(f"      {clean(frame.text, style)}", style.width, style))])
    return lines
