"""Stand-in rows for parents that were not recorded: the children of such a parent form one request below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.trace.model.row import Row
from lambda_latency.trace.model.shape import Shape
from lambda_latency.trace.model.span import SpanKind, Status

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["ABSENT", "absent_parents"]

NAME = "the span that called these was not recorded"
ABSENT = Shape(NAME, SpanKind.INTERNAL, Status.UNSET, None, "", {}, {})


def absent_parents(tops: Collection[Row]) -> list[Row]:
    """One row for each unrecorded parent of two or more `tops`, in descending order of end; none if a top is a root.

    `tops` are the rows of a trace without a recorded parent. The new row lasts from the first start to the last end of
    the tops below it.
    """
    if len(tops) < 2 or not all(row.parent_id for row in tops):
        return []
    by_parent: dict[str, list[Row]] = {}
    for row in tops:
        by_parent.setdefault(row.parent_id, []).append(row)
    found = [
        Row(
            parent_id,
            "",
            min(row.start_ns for row in rows),
            max(max(row.start_ns, row.end_ns) for row in rows),
            ABSENT,
            NAME,
        )
        for parent_id, rows in by_parent.items()
        if len(rows) > 1 and parent_id.strip("0123456789abcdef") == ""  # a cut cycle has a parent id that is not hex
    ]
    return sorted(found, key=lambda row: (-row.end_ns, row.span_id))
