"""The account of a trace made from lean spans: the same as `account`, for the traces of which there are many.

One sort, one walk with a stack of its own, and an answer of the rules remembered for each shape where it stands. What
is rare (an init that nothing lies around, a timeout, an open span, several roots, duplicates, cycles) is left to
`account`, which is slower and the measure: a test holds the two to each other.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from otel.latency.accounts import COLD, ERROR
from otel.latency.calls import CODES
from otel.latency.hanging import hang_around_inits, hang_in_invocations
from otel.latency.places import INIT, INVOCATION, IS_COLD, RANKED, RARE, SEGMENT, SERVES
from otel.latency.shape import ADDRESSES, KEYS
from otel.trace.lean import LeanReader
from otel.trace.platform import INVOCATION_KEYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel.latency.accounts import Accounts
    from otel.latency.places import Places
    from otel.trace.lean import LeanSpan

__all__ = ["READ_BESIDE", "add_account", "new_reader"]

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


def add_account(spans: list[LeanSpan], places: Places, accounts: Accounts) -> bool:
    """Add the account of the spans of one trace; False, and nothing added, if there is something rare in it."""
    tree = _tree(spans, places)
    if tree is None:
        return False
    top, ids, serving, segments, starting, cold = tree
    end_ns = max(top.end_ns, top.start_ns)
    sums, took, visited = _walk(top, end_ns, ids, places, starting)
    if visited != len(spans):  # a cycle hangs on nothing
        return False
    told = places.told(top, places.highest(segments, ids), places.handler(serving, ids))
    accounts.add(
        top.trace_id,
        told.columns,
        top.start_ns,
        end_ns - top.start_ns,
        COLD * cold | ERROR * told.error,
        _by_part(sums, places),
        _calls(took, places),
    )
    return True


Tree = tuple["LeanSpan", Ids, list["LeanSpan"], list["LeanSpan"], "dict[str, int] | None", bool]


def _tree(spans: list[LeanSpan], places: Places) -> Tree | None:  # noqa: C901 - as `_walk`
    """Hang each span below the one that waits for it, the last to end first.

    The top, all by id, SERVER and CONSUMER spans, Lambda's, the instants at which a service of Lambda's began an init
    (by its span id; None without one), and whether it was a cold start.
    """
    noted, facts = places.noted(), places.facts
    ids = {span.span_id: span for span in spans}
    serving: list[LeanSpan] = []
    segments: list[LeanSpan] = []
    invocations: list[LeanSpan] = []
    why = 0  # of all of them together
    for span in spans:
        one = noted[span.shape]
        if one:
            why |= one
            if one & SERVES:
                serving.append(span)
            if one & SEGMENT:
                segments.append(span)
            if one & INVOCATION:
                invocations.append(span)
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
    hang_in_invocations(invocations, ids, facts)
    starting: dict[str, int] | None = None
    if why & INIT:
        inits = [span for span in spans if facts[span.shape].init and span.parent_id in ids]
        inits = [span for span in inits if facts[ids[span.parent_id].shape].function]
        starting = hang_around_inits(inits, top, ids, facts) if inits else None
        if inits and starting is None:
            return None
    return top, ids, serving, segments, starting, starting is not None or bool(why & IS_COLD)


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


def _by_part(sums: dict[int, int], places: Places) -> list[tuple[int, int]]:
    """The numbers of the parts, and their time: the longest first, of one length in their order."""
    part_of, ranks = places.parts, places.ranks
    parts: dict[int, int] = {}
    for charge, ns in sums.items():
        if ns:
            part = part_of[charge]
            parts[part] = parts.get(part, 0) + ns
    order = sorted([(-ns, ranks[part], part) for part, ns in parts.items()])
    return [(part, -ns) for ns, _, part in order]


def _calls(took: dict[int, list[int]], places: Places) -> list[tuple[int, int, list[int]]]:
    """Of each part that was called its number, that of how it was called, and how long each call took."""
    part_of, ranks = places.parts, places.ranks
    how: dict[int, tuple[int, ...]] = {}
    each: dict[int, list[int]] = {}
    for charge, lengths in took.items():
        part = part_of[charge]
        if part in how:  # others of its calls failed, or the like
            how[part] += (charge, len(lengths))
            each[part] += lengths
        else:
            how[part] = (charge, len(lengths))
            each[part] = lengths
    order = sorted(how, key=ranks.__getitem__) if len(how) > 1 else how
    for lengths in each.values():
        if len(lengths) > 1:
            lengths.sort()
    kind = places.kind
    return [(part, kind(how[part]), each[part]) for part in order]
