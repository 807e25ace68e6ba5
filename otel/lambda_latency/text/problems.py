"""The input that was skipped or is inconsistent: one line per source and reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.text.style import Line, Piece, Style, paint
from lambda_latency.text.words import clean, number, plural, wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_latency.trace import Problem

__all__ = ["render_problems"]


def render_problems(problems: Sequence[Problem], style: Style) -> str:
    """The problems as text: one line per source and reason, with the first place and the number of cases."""
    if not problems:
        return paint([[], [Piece("Nothing was skipped, and no span is inconsistent.", "bold")]], style)
    rows: dict[tuple[str, str, str], list[Problem]] = {}
    for one in problems:
        rows.setdefault((one.effect, one.source, one.reason), []).append(one)
    skipped = sum(one.effect == "skipped" for one in problems)
    head = f"{plural(skipped, 'thing')} skipped, {number(len(problems) - skipped)} inconsistent, but counted"
    lines: list[Line] = [[], [Piece(head, "bold")]]
    for (effect, _, _), members in sorted(rows.items(), key=lambda row: row[0][0] != "skipped"):
        often = f" ({number(len(members))} times, the first of them here)" if len(members) > 1 else ""
        lines += wrap(clean(f"{effect}: {members[0]}{often}", style), style.width)
    return paint(lines, style)
