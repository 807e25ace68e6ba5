"""A span as a row: its ids, its times, and the shape that stands for the rest."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from lambda_latency.trace.ids import are_ids
from lambda_latency.trace.keys import ROUTE
from lambda_latency.trace.shape import Shape

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambda_latency.trace.span import Span

__all__ = ["ATTEMPT", "DELAY", "Row", "Rows", "attempts_of", "row_of", "settled", "window_of"]

ATTEMPT = "attempt"  # the event at the end of each attempt of an AWS call
DELAY = "retry.delay_ms"  # of such an event: how long the client waited before the next attempt
LONGEST_MS = 900_000  # a function runs no longer; a delay that is no number is not below it


class Row(Struct, gc=False, eq=False):
    """One span. Ids in lower-case hex, times in nanoseconds since 1970.

    `parent_id` is empty where there is none, `end_ns` 0 for a span that was left open. `attempts` is the window between
    the end of a call's first attempt and the start of its last, where the span tells. `route` is its `http.route`.
    """

    span_id: str
    parent_id: str
    start_ns: int
    end_ns: int
    shape: Shape
    name: str
    attempts: tuple[int, int] | None = None
    route: str = ""


Rows: TypeAlias = "dict[str, list[Row]]"  # by trace id


def settled(found: list[Rows]) -> list[Rows] | None:
    """The same rows, ids in lower case; None where one of the ids is none."""
    if _have_ids(found):
        return found
    lowered: list[Rows] = []
    for one in found:
        lowered.append(defaultdict(list))
        for trace_id, rows in one.items():
            for row in rows:
                row.span_id, row.parent_id = row.span_id.lower(), row.parent_id.lower()
            lowered[-1][trace_id.lower()] += rows
    return lowered if _have_ids(lowered) else None


def _have_ids(found: list[Rows]) -> bool:
    # All at once: one by one it takes longer than to decode the spans.
    rows = [row for one in found for some in one.values() for row in some]
    ids = [row.span_id for row in rows] + [row.parent_id for row in rows if row.parent_id]
    return are_ids(ids, [trace_id for one in found for trace_id in one])


def row_of(span: Span) -> Row:
    """The row of one span."""
    attempts, route = attempts_of(span), span.attributes.get(ROUTE)
    return Row(
        span.span_id,
        span.parent_id or "",
        span.start_ns,
        span.end_ns or 0,
        Shape.of(span, attempts=attempts is not None),
        span.name,
        attempts,
        route if isinstance(route, str) else "",
    )


def attempts_of(span: Span) -> tuple[int, int] | None:
    """The window between a call's first and last attempt, in nanoseconds; None where its events do not tell."""
    return window_of((one.time_ns, one.attributes.get(DELAY)) for one in span.events if one.name == ATTEMPT)


def window_of(told: Iterable[tuple[int, object]]) -> tuple[int, int] | None:
    """As `attempts_of`, of the instant and the delay (in ms) of each attempt event."""
    attempts = sorted(told, key=lambda one: one[0])
    waited = [(at, delay) for at, delay in attempts if isinstance(delay, int | float) and 0 <= delay < LONGEST_MS]
    if not waited:
        return None
    last, delay = waited[-1]
    return attempts[0][0], last + round(delay * 1_000_000)
