"""The sentences of a report in their order, each a paragraph: the head of the text, and all of the brief."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.text.cautions import cautions, failed_first
from lambda_latency.text.classes import beside, class_sentence
from lambda_latency.text.depends import depending, depending_routes
from lambda_latency.text.prose import evidence, next_steps, sentence, timeout_groups, timeout_sentence
from lambda_latency.text.style import Line, Piece
from lambda_latency.text.words import clean

if TYPE_CHECKING:
    from lambda_latency.latency import Report
    from lambda_latency.text.style import Style

__all__ = ["paragraphs"]


def paragraphs(report: Report, style: Style) -> list[Line]:
    """What a report on at least one request says before its tables."""
    verdict = [sentence(report, style), evidence(report, style)]
    timeouts = [timeout_sentence(group, report, style) for group in timeout_groups(report)]
    # Timeouts come first if nothing else stands out.
    told = timeouts + verdict if report.verdict.kind == "even" else verdict + timeouts
    failed = failed_first(report, style)
    told = [[Piece(failed)], *told] if failed else told
    told += depending(report, 0, style)
    for at, one in enumerate(report.classes.found[1:], 1):
        told += [[Piece("Also: "), *class_sentence(one, report, style)], *depending(report, at, style)]
    told += depending_routes(report, style)
    told += [[Piece(one)] for one in beside(report, style)]
    told += [[Piece(one)] for one in cautions(report, style) if one != failed]
    return told + [[Piece(f"Next: {clean(step, style)}")] for step in next_steps(report)]
