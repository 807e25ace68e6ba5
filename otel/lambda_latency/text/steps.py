"""The next steps: advice about the part that a report names, and about timeouts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.latency import advice
from lambda_latency.text.prose import timeout_groups

if TYPE_CHECKING:
    from lambda_latency.latency import Part, Report

__all__ = ["MOST_GROUPS", "next_steps"]

MOST_GROUPS = 3  # calls that were running at deadlines: one step each


def next_steps(report: Report) -> list[str]:
    """One or two sentences per kind of part."""
    parts = [report.verdict.part] if report.verdict.part is not None else []
    parts += [group[0].part for group in timeout_groups(report)[:MOST_GROUPS] if group[0].part is not None]
    first: dict[str, Part] = {}
    for part in parts:
        first.setdefault(part.bucket, part)
    return [advice(part) for part in first.values()]
