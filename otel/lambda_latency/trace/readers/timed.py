"""Segments with their times in nanoseconds, as trees: X-Ray nests subsegments in their segment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_latency.trace.readers.mistakes import reason_of
from lambda_latency.trace.readers.segment import nanoseconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_latency.trace.readers.segment import Segment


@dataclass(slots=True)
class TimedSegment:
    """A segment, its times in nanoseconds since 1970 (`end_ns` is None if it was left open), and its subsegments."""

    document: Segment
    start_ns: int
    end_ns: int | None
    children: list[TimedSegment]


def timed(document: Segment, problem: Callable[[str], object]) -> TimedSegment:
    """A segment with its subsegments. Raises `ValueError` if its own times are not valid.

    A subsegment whose times are not valid is left out, and `problem` is called with the reason.
    """
    children: list[TimedSegment] = []
    for subsegment in document.subsegments or ():
        try:
            children.append(timed(subsegment, problem))
        except (ValueError, RecursionError) as error:
            problem(f"not a segment: {reason_of(error)}")
    start_ns = nanoseconds(document.start, "start_time")
    if start_ns is None:
        raise ValueError("start_time must be seconds since 1970, got null")
    end_ns = None if document.in_progress else nanoseconds(document.end, "end_time")
    return TimedSegment(document, start_ns, end_ns, children)
