"""The account of a trace made from lean spans: the same as `account`, for the traces of which there are many.

One sort, one walk with a stack of its own, and an answer of the rules remembered for each shape where it stands. What
is rare (an init that nothing lies around, a timeout, an open span, several roots, duplicates, cycles) is left to
`account`, which is slower and the measure: a test holds the two to each other.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from otel.latency.account import Account
from otel.latency.calls import CODES
from otel.latency.hanging import hang_around_inits, hang_in_invocations
from otel.latency.places import COLD, INIT, RANKED, RARE, Places
from otel.latency.shape import ADDRESSES, KEYS
from otel.trace.lean import LeanReader
from otel.trace.platform import INVOCATION_KEYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel.latency.calls import Calls
    from otel.latency.part import Part
    from otel.trace.lean import LeanSpan

__all__ = ["READ_BESIDE", "lean_account", "new_reader"]

# What is read of a span's attributes beside what the rules read: by `Span`, by `Trace`, and by `Calls`.
READ_BESIDE = (
    "aws.xray.origin",
    "faas.coldstart",
    "http.method",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "http.status_code",
    "lambda.provisional",
    "lambda.timeout",
    "retry_attempts",
)

Ids = dict[str, "LeanSpan"]
by_start, by_end = attrgetter("start_ns"), attrgetter("end_ns")


def new_reader() -> LeanReader:
    """A reader that keeps what an account needs."""
    return LeanReader({*KEYS, *READ_BESIDE}, addresses=ADDRESSES, presence=INVOCATION_KEYS, codes=CODES)


def lean_account(spans: list[LeanSpan], places: Places) -> Account | None:
    """The account of the spans of one trace; None if there is something rare in it."""
    tree = _tree(spans, places)
    if tree is None:
        return None
    top, ids, noted, starting, cold = tree
    end_ns = max(top.end_ns, top.start_ns)
    sums, took, visited = _walk(top, end_ns, ids, places, starting)
    if visited != len(spans):  # a cycle hangs on nothing
        return None
    calls, lengths = _calls(took, places)
    told = places.told(top, places.segment(noted, ids), places.handler(noted, ids))
    return Account(
        trace_id=top.trace_id,
        route=told.route,
        function=told.function,
        status_code=told.status_code,
        start_ns=top.start_ns,
        wall_ns=end_ns - top.start_ns,
        parts=_by_part(sums, places),
        calls=calls,
        took=lengths,
        cold_start=cold,
        error=told.error,
        timed_out=False,
    )


def _tree(  # noqa: C901 - as `_walk`
    spans: list[LeanSpan], places: Places
) -> tuple[LeanSpan, Ids, list[LeanSpan], dict[str, int] | None, bool] | None:
    """Hang each span below the one that waits for it, the last to end first.

    The top, all by id, those to note, the instants at which a service of Lambda's began an init (by its span id; None
    without one), and whether it was a cold start.
    """
    noted_shapes, facts = places.noted(), places.facts
    ids = {span.span_id: span for span in spans}
    noted = [span for span in spans if noted_shapes[span.shape]]
    why = 0  # of all of them together
    for span in noted:
        why |= noted_shapes[span.shape]
    if len(ids) != len(spans) or why & RARE:
        return None
    _last_to_end_first(spans)
    top: LeanSpan | None = None
    for span in spans:
        above = ids.get(span.parent_id)
        if above is None:
            if top is not None:
                return None
            top = span
        elif above.below is None:
            above.below = [span]
        else:
            above.below.append(span)
    # Open spans have the end 0, so they come last.
    if top is None or not spans[-1].end_ns:
        return None
    if why & RANKED and facts[top.shape].rank < 0:
        return None  # the request begins further in
    hang_in_invocations(noted, ids, facts)
    starting: dict[str, int] | None = None
    if why & INIT:
        inits = [span for span in noted if facts[span.shape].init and span.parent_id in ids]
        inits = [span for span in inits if facts[ids[span.parent_id].shape].function]
        starting = hang_around_inits(inits, top, ids, facts) if inits else None
        if inits and starting is None:
            return None
    return top, ids, noted, starting, starting is not None or bool(why & COLD)


def _last_to_end_first(spans: list[LeanSpan]) -> None:
    """Of one end the first to start first, of one interval the smaller id first."""
    spans.sort(key=by_start)
    spans.sort(key=by_end, reverse=True)
    start = end = -1
    for span in spans:
        if span.end_ns == end and span.start_ns == start:
            spans.sort(key=lambda one: (-one.end_ns, one.start_ns, one.span_id))
            return
        start, end = span.start_ns, span.end_ns


def _walk(  # noqa: C901 - one loop: a call in it is what the time would go to
    top: LeanSpan, end_ns: int, ids: Ids, places: Places, starting: dict[str, int] | None
) -> tuple[dict[int, int], dict[int, list[int]], int]:
    """Own time on the critical path, and the lengths of calls, by charge; and how many spans hang on the top.

    The same walk as `critical_path`, with self time by subtraction: no section is made.
    """
    first = places.top(top)
    sums: dict[int, int] = {first: 0}
    took: dict[int, list[int]] = {}
    is_call, contexts = places.is_call, places.contexts
    if is_call[first]:
        took[first] = [end_ns - top.start_ns]
    visited = 1
    todo: list[tuple[LeanSpan, int, int, int]] = [(top, first, top.start_ns, end_ns)]
    while todo:
        span, charge, low, high = todo.pop()
        own, t = high - low, high
        below: Sequence[LeanSpan] = span.below or ()
        if len(below) > 1 and low < high:
            below = _last_first(below, low, high)
        known = contexts.get((span.shape, charge))
        if known is None:
            known = contexts[span.shape, charge] = {}
        for child in below:
            visited += 1
            number = known.get(child.shape)
            if number is None:
                number = places.charge(child, ids.get(child.parent_id), span, charge, known)
            start, end = child.start_ns, child.end_ns
            if is_call[number]:
                length = end - start if end > start else 0
                if number in took:
                    took[number].append(length)
                else:
                    took[number] = [length]
            # Plain comparisons: min and max are calls, and here is where the time goes.
            if start < low:
                start = low
            if end > t:
                end = t
            if start < end:
                own -= end - start
                t = start
                if child.below is None:
                    sums[number] = sums.get(number, 0) + end - start
                else:
                    todo.append((child, number, start, end))
            elif child.below is not None:  # nobody waited for it, nor for what is below
                todo.append((child, number, 0, 0))
        if starting is not None and span.span_id in starting:  # Lambda's service, making an environment
            early = _own_before(below, low, high, starting[span.span_id])
            sums[places.starting] = sums.get(places.starting, 0) + early
            own -= early
        if own > 0:
            sums[charge] = sums.get(charge, 0) + own
    return sums, took, visited


def _last_first(below: Sequence[LeanSpan], low: int, high: int) -> Sequence[LeanSpan]:
    """Children in the order of what is left of them inside their parent's window: the last to end first.

    They come in that order already, unless one reaches out of the window.
    """
    if below[0].end_ns > high or min(map(by_start, below)) < low:
        return sorted(below, key=lambda one: (-min(one.end_ns, high), max(one.start_ns, low), one.span_id))
    return below


def _own_before(below: Sequence[LeanSpan], low: int, high: int, until: int) -> int:
    """Of a span's own time in its window those sections that end by `until`."""
    found, t = 0, high
    for child in below:
        start, end = max(child.start_ns, low), min(child.end_ns, t)
        if start < end:
            if t <= until:
                found += t - end
            t = start
    return found + (t - low if t <= until else 0)


def _by_part(sums: dict[int, int], places: Places) -> tuple[tuple[Part, int], ...]:
    parts: dict[Part, int] = {}
    charges = places.charges
    for charge, ns in sums.items():
        if ns:
            part = charges[charge].part
            parts[part] = parts.get(part, 0) + ns
    return tuple([(part, -ns) for ns, part in sorted([(-ns, part) for part, ns in parts.items()])])


def _calls(
    took: dict[int, list[int]], places: Places
) -> tuple[tuple[tuple[Part, Calls], ...], tuple[tuple[Part, tuple[int, ...]], ...]]:
    calls: dict[Part, Calls] = {}
    lengths: dict[Part, list[int]] = {}
    for charge, each in took.items():
        part = places.charges[charge].part
        several = places.calls(charge, len(each))
        if part in calls:
            calls[part] += several
            lengths[part] += each
        else:
            calls[part] = several
            lengths[part] = each
    order = sorted(calls)
    return (
        tuple([(part, calls[part]) for part in order]),
        tuple([(part, tuple(sorted(lengths[part]))) for part in order]),
    )
