"""AWS's outer segments have whole milliseconds, cut off. What ends inside them says how much was cut off.

A handler that ends at 900.4 ms in a service's segment that ends at "900" ms would lose the end of what it did last: no
span is longer than what holds it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.trace.platform import FUNCTION, OUTER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lambda_latency.trace.timed import TimedSegment

__all__ = ["restore_fractions"]

MILLISECOND = 1_000_000


def restore_fractions(segments: Sequence[TimedSegment]) -> None:
    """Move the ends of AWS's own segments of a trace to where the invocation and its spans show that they are.

    An end in whole milliseconds is moved by less than one; an Overhead that begins there begins with it.
    """
    shown = sorted({end for one in segments if one.document.origin == FUNCTION for end in _shown(one, segments)})
    if shown:
        _move([one for one in segments if one.document.origin in OUTER], shown)


def _shown(function: TimedSegment, segments: Iterable[TimedSegment]) -> Iterator[int]:
    """The end of the invocation, if it has its fraction, and of what hangs on it and ends in its last millisecond."""
    invocations = [one for one in function.below if one.document.name == "Invocation"]
    holders = {one.document.id for one in (function, *invocations)}
    cut = (invocations or [function])[0].end_ns
    if cut is not None and cut % MILLISECOND:
        yield cut
    for one in segments:
        if one.document.parent_id in holders and one.end_ns is not None and _is_cut(cut, one.end_ns):
            yield one.end_ns


def _move(segments: Iterable[TimedSegment], shown: Iterable[int]) -> None:
    for one in segments:
        start_ns, end_ns = one.start_ns, one.end_ns
        for end in shown:  # the last one of a millisecond wins
            if _is_cut(end_ns, end):
                one.end_ns = end
            if one.document.name == "Overhead" and _is_cut(start_ns, end):
                one.start_ns = end
        _move(one.below, shown)


def _is_cut(time: int | None, at: int) -> bool:
    """Whether it is a whole number of milliseconds, with `at` inside the one that it begins."""
    return time is not None and time % MILLISECOND == 0 and 0 < at - time < MILLISECOND
