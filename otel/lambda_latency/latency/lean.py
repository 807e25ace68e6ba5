"""The account of a trace made from lean spans: the same as `account`, for the traces of which there are many.

What follows from the kinds of the spans and their parents is remembered for traces alike, the answer of the rules for
each shape where it stands; one walk does the rest. What is rare (an init that nothing lies around, a timeout, an open
span, several roots, duplicates, cycles) is left to `account`, which is slower and the measure: a test holds the two to
each other.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING

from lambda_latency.latency.calls import CODES
from lambda_latency.latency.hanging import hang_around_inits, hang_in_invocations
from lambda_latency.latency.shape import ADDRESSES, KEYS
from lambda_latency.latency.walk import walk
from lambda_latency.trace.lean import LeanReader
from lambda_latency.trace.platform import INVOCATION_KEYS
from lambda_latency.trace.wire import columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_latency.latency.accounts import Accounts
    from lambda_latency.latency.places import Places
    from lambda_latency.trace.wire import Rows

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


def new_reader() -> LeanReader:
    """A reader that keeps what an account needs."""
    return LeanReader({*KEYS, *READ_BESIDE}, addresses=ADDRESSES, presence=INVOCATION_KEYS, codes=CODES)


def add_account(trace_id: str, rows: Rows, places: Places, accounts: Accounts) -> bool:
    """Add the account of the spans of one trace; False, and nothing added, if there is something rare in it."""
    ids, parents, starts, ends, shapes = columns(rows)
    count = len(ids)
    at = {span_id: place for place, span_id in enumerate(ids)}
    if len(at) < count or 0 in ends:  # duplicates, open spans
        return False
    known = places.kinds
    kinds = tuple([known[shape] for shape in shapes])
    outline = places.outlines.of(kinds, tuple(map(at.get, parents, repeat(count))))
    if not outline.usual:
        return False
    moves = hang_in_invocations(outline, starts, ends, ids) if outline.invocations else ()
    starting: dict[int, int] = {}
    if outline.inits:
        around = hang_around_inits(outline, starts, ends, [places.facts[kind] for kind in kinds])
        if around is None:
            return False
        moves += around[0]
        starting = around[1]
    top = outline.top
    segment, handler = _first(outline.segments, starts, ids), _first(outline.handlers, starts, ids)
    lambdas, handlers = shapes[segment] if segment >= 0 else -1, shapes[handler] if handler >= 0 else -1
    kind = places.request(shapes[top], lambdas, handlers, outline.cold)
    start, wall = starts[top], max(ends[top] - starts[top], 0)
    found = walk(top, ids, starts, ends, shapes, outline.hanging(moves), starting, places)
    if found is None:
        return False
    accounts.add(trace_id, kind, start, wall, *found)
    return True


def _first(several: Sequence[int], starts: Sequence[int], ids: Sequence[str]) -> int:
    """The first of them to start, of one start that with the smaller id; -1 where there is none."""
    if len(several) < 2:
        return several[0] if several else -1
    return min(several, key=lambda one: (starts[one], ids[one]))
