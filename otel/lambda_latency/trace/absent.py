"""Spans whose common parent was never recorded: one request, under a row that stands for the parent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.trace.row import Row
from lambda_latency.trace.shape import Shape
from lambda_latency.trace.span import SpanKind, Status

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["ABSENT", "absent_parents"]

NAME = "the span that called these was not recorded"
ABSENT = Shape(NAME, SpanKind.INTERNAL, Status.UNSET, None, "", {}, {})


def absent_parents(tops: Collection[Row]) -> list[Row]:
    """A row for each absent parent that several tops of a trace without a root have in common, the last to end first.

    It lasts from the first start below it to the last end.
    """
    if len(tops) < 2 or not all(row.parent_id for row in tops):
        return []
    below: dict[str, list[Row]] = {}
    for row in tops:
        below.setdefault(row.parent_id, []).append(row)
    found = [
        Row(
            parent_id,
            "",
            min(row.start_ns for row in rows),
            max(max(row.start_ns, row.end_ns) for row in rows),
            ABSENT,
            NAME,
        )
        for parent_id, rows in below.items()
        if len(rows) > 1 and parent_id.strip("0123456789abcdef") == ""
    ]
    return sorted(found, key=lambda row: (-row.end_ns, row.span_id))
