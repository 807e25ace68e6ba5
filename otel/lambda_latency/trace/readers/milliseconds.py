"""Restores the fractions of milliseconds that the times of AWS's outer segments lack.

A handler that ends at 900.4 ms below a segment that ends at "900" ms would lose the end of its last call, because a
child is cut to its parent. The ends of the spans below such a segment show its fraction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.trace.model.platform import FUNCTION, OUTER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lambda_latency.trace.readers.timed import TimedSegment

MILLISECOND = 1_000_000


def restore_fractions(segments: Sequence[TimedSegment]) -> None:
    """Move the ends of AWS's own segments of a trace to the exact ends that the invocation and its spans show.

    An end in whole milliseconds moves by less than one millisecond. The start of an Overhead moves in the same way.
    """
    exact = sorted(
        {end for segment in segments if segment.document.origin == FUNCTION for end in _exact_ends(segment, segments)}
    )
    if exact:
        _move([segment for segment in segments if segment.document.origin in OUTER], exact)


def _exact_ends(function: TimedSegment, segments: Iterable[TimedSegment]) -> Iterator[int]:
    """The end of the invocation, if it has a fraction, and the ends of its child segments in its last millisecond."""
    invocations = [segment for segment in function.children if segment.document.name == "Invocation"]
    parent_ids = {segment.document.id for segment in (function, *invocations)}
    cut = (invocations or [function])[0].end_ns
    if cut is not None and cut % MILLISECOND:
        yield cut
    for segment in segments:
        if segment.document.parent_id in parent_ids and segment.end_ns is not None and _is_cut(cut, segment.end_ns):
            yield segment.end_ns


def _move(segments: Iterable[TimedSegment], exact: Iterable[int]) -> None:
    for segment in segments:
        start_ns, end_ns = segment.start_ns, segment.end_ns
        for end in exact:  # the last end in a millisecond wins
            if _is_cut(end_ns, end):
                segment.end_ns = end
            if segment.document.name == "Overhead" and _is_cut(start_ns, end):
                segment.start_ns = end
        _move(segment.children, exact)


def _is_cut(time: int | None, at: int) -> bool:
    """Whether `time` is a whole number of milliseconds and `at` lies in the millisecond that begins there."""
    return time is not None and time % MILLISECOND == 0 and 0 < at - time < MILLISECOND
