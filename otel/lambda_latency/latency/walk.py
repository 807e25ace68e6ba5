"""The walk over a trace of lean spans: own time on the critical path, and the lengths of calls.

The same walk as `critical_path`, with self time by subtraction: no section is made.
"""

from __future__ import annotations

from collections import defaultdict
from operator import eq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambda_latency.latency.outline import Hanging
    from lambda_latency.latency.places import Key, Places

__all__ = ["walk"]


def walk(  # noqa: C901 - one loop: a call in it is what the time would go to
    top: int,
    ids: Sequence[str],
    starts: list[int],
    ends: list[int],
    shapes: Sequence[int],
    hanging: Hanging,
    starting: Mapping[int, int],
    places: Places,
) -> tuple[dict[int, int], list[int], list[int]] | None:
    """The time of each part on the critical path; of each call what it counts for, and its length; in nanoseconds.

    None if it does not come to all spans: those of a cycle hang on nothing.

    `ids` and the like are columns of spans, of which `starts` and `ends` are cut to the critical path. `starting` has
    for services of Lambda's the instant at which they began to make an environment.
    """
    call_of, part_of, contexts, below = places.calls, places.parts, places.contexts, hanging.below
    sums: dict[int, int] = defaultdict(int)
    calls: list[int] = []
    took: list[int] = []
    keys: list[Key] = [*shapes]
    for one, parent, holds in hanging.asked:
        keys[one] = shapes[one], shapes[parent] if parent < len(shapes) else -1, holds
    charges = [*shapes]  # of those that others hang on, once they are known
    charges[top] = places.outermost(keys[top])
    if ends[top] < starts[top]:
        ends[top] = starts[top]
    call = call_of[charges[top]]
    if call is not None:
        calls.append(call)
        took.append(ends[top] - starts[top])
    todo = [top]
    for span in todo:
        low, high, charge = starts[span], ends[span], charges[span]
        own, t, part = high - low, high, part_of[charge]
        inside: Sequence[int] = below[span] or ()
        if len(inside) > 1 and low < high:
            inside = _last_first(inside, low, high, starts, ends, ids)
        known = contexts[charge][shapes[span]]
        for child in inside:
            try:
                number = known[keys[child]]
            except KeyError:
                number = known[keys[child]] = places.charge(keys[child], shapes[span], charge)
            start, end = starts[child], ends[child]
            call = call_of[number]
            if call is not None:
                calls.append(call)
                took.append(end - start if end > start else 0)
            # Plain comparisons: min and max are calls, and here is where the time goes.
            if end > t:
                end = t
            if start < low:
                start = low
            if start < end:
                t = start
                if below[child] is not None:
                    own -= end - start
                    starts[child], ends[child], charges[child] = start, end, number
                    todo.append(child)
                elif part_of[number] != part:  # else it may as well stay with the span's own time
                    own -= end - start
                    sums[part_of[number]] += end - start
            elif below[child] is not None:  # nobody waited for it, nor for what is below
                starts[child] = ends[child] = 0
                charges[child] = number
                todo.append(child)
        if starting and span in starting:  # Lambda's service, making an environment
            early = _own_before(inside, low, high, starting[span], starts, ends)
            if early:
                sums[part_of[places.starting]] += early
                own -= early
        if own > 0:
            sums[part] += own
    return (sums, calls, took) if len(todo) == hanging.holding else None


def _last_first(
    below: Sequence[int], low: int, high: int, starts: Sequence[int], ends: Sequence[int], ids: Sequence[str]
) -> Sequence[int]:
    """Children in the order of what is left of them inside their parent's window: the last to end first.

    Of one end the first to start first, of one interval the smaller id first.
    """
    if len(below) == 2:
        one, other = below
        if ends[one] < ends[other] and ends[one] < high:
            return other, one
        if ends[other] < ends[one] and ends[other] < high:
            return below
    order = sorted(below, key=ends.__getitem__, reverse=True)
    finishes = [ends[one] for one in order]
    if finishes[1] >= high:  # of several only what is inside the window counts
        order.sort(key=lambda one: (-min(ends[one], high), max(starts[one], low), ids[one]))
        return order
    if len({*finishes}) == len(order):
        return order
    together = list(map(eq, finishes, finishes[1:]))  # with the one that comes next
    last = 0
    while True in together:
        first = together.index(True, last)
        last = together.index(False, first) if False in together[first:] else len(together)
        together[first:last] = [False] * (last - first)
        order[first : last + 1] = sorted(order[first : last + 1], key=lambda one: (max(starts[one], low), ids[one]))
    return order


def _own_before(
    below: Sequence[int], low: int, high: int, until: int, starts: Sequence[int], ends: Sequence[int]
) -> int:
    """Of a span's own time in its window those sections that end by `until`."""
    found, t = 0, high
    for child in below:
        start, end = max(starts[child], low), min(ends[child], t)
        if start < end:
            if t <= until:
                found += t - end
            t = start
    return found + (t - low if t <= until else 0)
