"""The sentences about possible savings: upper bounds, because another call may take the part's place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.latency import savings
from lambda_latency.text.style import Piece, Style
from lambda_latency.text.words import clean, ms, wrap_pieces

if TYPE_CHECKING:
    from lambda_latency.latency import Report, Saving
    from lambda_latency.text.style import Line

__all__ = ["BOUND", "saving_pieces", "what_if_lines"]

BOUND = "At most, because another call may take its place on the critical path."
NOTHING = "What if: no part alone would make the 95th percentile of requests shorter."


def saving_pieces(one: Saving, style: Style) -> list[Piece]:
    """`payments.example.com: saves at most 1,224 ms (p95 1,315 ms -> 91 ms at best)`."""
    arrow = "\u2192" if style.unicode else "->"
    return [
        Piece(clean(one.part.label, style), "bold"),
        Piece(": saves at most "),
        Piece(ms(one.saves_ns, style), "bold"),
        Piece(f" (p95 {ms(one.p95_ns, style)} {arrow} {ms(one.best_p95_ns, style)} at best)"),
    ]


def what_if_lines(report: Report, style: Style) -> list[Line]:
    """A line for each of the largest parts, and an explanation of the bound."""
    found = savings(report.accounts)
    if not found:
        return [[Piece(NOTHING)]]
    lines: list[Line] = [[Piece("What if a part took no time", "bold")]]
    for one in found:
        lines += wrap_pieces(saving_pieces(one, style), style.width)
    return [*lines, [Piece(BOUND, "dim")]]
