"""The critical paths of many requests merged: waiting time by the stack of spans that own it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lambda_latency.latency.accounts.owners import NOBODY, Owners
from lambda_latency.latency.own_code import sampled
from lambda_latency.latency.waterfall import waterfall_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lambda_latency.latency.accounts.part import Part
    from lambda_latency.latency.waterfall import Bar
    from lambda_latency.trace import Trace

Stack = tuple[str, ...]


def sections_of(trace: Trace, owners: Owners = NOBODY) -> Iterator[tuple[Stack, Part, int]]:
    """The sections of a request's critical path: stack (the outermost span first), part and nanoseconds of each.

    Time of a span that is charged to another part (retries, connecting) has a frame of its own, named after the part;
    own code that was sampled has frames for its line and the library's function that it called.
    """
    drawn = waterfall_of(trace, owners)
    stacks: dict[str, Stack] = {}
    for one in drawn.path:
        bar = drawn.bar_of[one.row.span_id]
        stack = stacks.get(bar.row.span_id)
        if stack is None:
            stack = stacks[bar.row.span_id] = _names(bar)
        if one.part != bar.part and one.part.label != bar.name:
            stack = (*stack, one.part.label)
        left = one.end_ns - one.start_ns
        for ns, run in sampled(drawn, one):
            left -= ns
            yield (*stack, *run.place.frames), one.part, ns
        if left > 0:
            yield stack, one.part, left


def stacks_of(traces: Iterable[Trace], owners: Owners = NOBODY) -> Counter[Stack]:
    """Nanoseconds by stack; their sum is the sum of the wall clocks of all requests."""
    found: Counter[Stack] = Counter()
    for trace in traces:
        for stack, _, ns in sections_of(trace, owners):
            found[stack] += ns
    return found


def _names(bar: Bar) -> Stack:
    names = [bar.name]
    above = bar.above
    while above is not None:
        names.append(above.name)
        above = above.above
    return tuple(reversed(names))
