"""The account of a trace made from lean spans: the same as `account`, for the traces of which there are many.

One sort, one walk with a stack of its own, and an answer of the rules remembered for each shape where it stands. What
is rare (an init, a timeout, an open span, several roots, duplicates, cycles) is left to `account`, which is slower and
the measure: a test holds the two to each other.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from otel.latency.account import Account
from otel.latency.calls import CODES, Calls
from otel.latency.places import Places
from otel.latency.shape import ADDRESSES, KEYS
from otel.trace.lean import LeanReader
from otel.trace.platform import INVOCATION_KEYS

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    top, ids, noted = tree
    facts = places.facts
    end_ns = max(top.end_ns, top.start_ns)
    sums, took, visited = _walk(top, end_ns, ids, places)
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
        parts=tuple(sorted(_by_part(sums, places).items(), key=lambda one: (-one[1], one[0]))),
        calls=tuple(sorted(calls.items())),
        took=tuple((part, tuple(sorted(each))) for part, each in sorted(lengths.items())),
        cold_start=any(facts[span.shape].cold for span in noted),
        error=told.error,
        timed_out=False,
    )


def _tree(  # noqa: C901 - as `_walk`
    spans: list[LeanSpan], places: Places
) -> tuple[LeanSpan, Ids, list[LeanSpan]] | None:
    """Hang each span below the one that waits for it, the last to end first; the top, all by id, and those to note."""
    noted_shapes, facts = places.noted(), places.facts
    ids: Ids = {}
    noted: list[LeanSpan] = []
    for span in spans:
        if noted_shapes[span.shape]:
            if facts[span.shape].rare:
                return None
            noted.append(span)
        ids[span.span_id] = span
    if len(ids) != len(spans):
        return None
    _last_to_end_first(spans)
    beside = places.beside_invocation(noted, spans, ids)
    top: LeanSpan | None = None
    for span in spans:
        above = ids.get(span.parent_id)
        if above is None:
            if top is not None:
                return None
            top = span
            continue
        if beside:
            above = beside.get(span.span_id, above)
        if above.below is None:
            above.below = [span]
        else:
            above.below.append(span)
    # Open spans have the end 0, so they come last.
    if top is None or not spans[-1].end_ns:
        return None
    if facts[top.shape].rank < 0 and any(facts[span.shape].rank >= 0 for span in noted):
        return None  # the request begins further in
    return top, ids, noted


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
    top: LeanSpan, end_ns: int, ids: Ids, places: Places
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


def _by_part(sums: dict[int, int], places: Places) -> dict[Part, int]:
    parts: dict[Part, int] = {}
    for charge, ns in sums.items():
        if ns:
            part = places.charges[charge].part
            parts[part] = parts.get(part, 0) + ns
    return parts


def _calls(took: dict[int, list[int]], places: Places) -> tuple[dict[Part, Calls], dict[Part, list[int]]]:
    calls: dict[Part, Calls] = {}
    lengths: dict[Part, list[int]] = {}
    for charge, each in took.items():
        part, one, _ = places.charges[charge]
        if one is not None:
            several = one if len(each) == 1 else one * len(each)
            calls[part] = calls[part] + several if part in calls else several
            lengths.setdefault(part, []).extend(each)
    return calls, lengths
