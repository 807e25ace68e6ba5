"""The stack at a function's deadline: the function's own frames are marked, with their line of code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.text.style import Line, Piece, Style
from lambda_latency.text.words import clean, fit, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_latency.latency import Frame, Timeout

__all__ = ["stack"]


def stack(timeout: Timeout, style: Style, *, everything: bool) -> list[Line]:
    """The frames, the outermost first, then those of other threads; empty if no stack was recorded.

    Library frames are folded into one line, except the last, which was running. With `everything`, or without frames
    of the function, all are listed.
    """
    lines = _frames("Running at the deadline:", timeout.frames, style, everything=everything)
    for thread in timeout.threads:
        lines += _frames(f"In thread {clean(thread.name, style)}:", thread.frames, style, everything=everything)
    return lines


def _frames(heading: str, frames: Sequence[Frame], style: Style, *, everything: bool) -> list[Line]:
    if not frames:
        return []
    lines: list[Line] = [[], [Piece(fit(heading, style.width, style), "bold")]]
    folded = 0
    whole = everything or not any(frame.own for frame in frames)
    for at, frame in enumerate(frames):
        if not (whole or frame.own or at == len(frames) - 1):
            folded += 1
            continue
        if folded:
            lines.append([Piece(f"  {style.ellipsis} {plural(folded, 'frame')} of libraries (--all)", "dim")])
            folded = 0
        place = f"{'>' if frame.own else ' '} {clean(frame.file, style)}:{frame.line} {clean(frame.function, style)}"
        lines.append([Piece(fit(place, style.width, style), "bold" if frame.own else "dim")])
        if frame.own and frame.text:
            lines.append([Piece(fit(f"      {clean(frame.text, style)}", style.width, style))])
    return lines
