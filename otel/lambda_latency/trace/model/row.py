"""A span as a row: its ids, its times, and a shape for everything else."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from lambda_latency.trace.model.ids import are_ids
from lambda_latency.trace.model.keys import ROUTE
from lambda_latency.trace.model.shape import Shape

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambda_latency.trace.model.span import Span

ATTEMPT = "attempt"  # the event at the end of each attempt of an AWS call
DELAY = "retry.delay_ms"  # its attribute: how long the client waited before the next attempt
LONGEST_MS = 900_000  # the longest run of a function; NaN is not below it


class Row(Struct, gc=False, eq=False):
    """One span. Ids are lower-case hex, times are nanoseconds since 1970.

    `parent_id` is empty for a root. `end_ns` is 0 for a span that was left open. `attempts` is the end of a call's
    first attempt and the start of its last one; None if the span has no events for them. `route` is its `http.route`.
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


def with_valid_ids(found: list[Rows]) -> list[Rows] | None:
    """The same rows with ids in lower case; None if an id is not valid."""
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
    # All ids are checked at once: one by one it takes longer than decoding the spans.
    rows = [row for document in found for trace in document.values() for row in trace]
    ids = [row.span_id for row in rows] + [row.parent_id for row in rows if row.parent_id]
    return are_ids(ids, [trace_id for document in found for trace_id in document])


def rows_of(spans: Iterable[Span]) -> list[Row]:
    """The rows of spans. Equal spans share a shape."""
    known: dict[object, Shape] = {}
    return [_row_of(span, known) for span in spans]


def _row_of(span: Span, known: dict[object, Shape]) -> Row:
    attempts, route = attempts_of(span), span.attributes.get(ROUTE)
    return Row(
        span.span_id,
        span.parent_id or "",
        span.start_ns,
        span.end_ns or 0,
        Shape.of(span, attempts=attempts is not None, known=known),
        span.name,
        attempts,
        route if isinstance(route, str) else "",
    )


def attempts_of(span: Span) -> tuple[int, int] | None:
    """The end of a call's first attempt and the start of its last (ns since 1970); None without events for them."""
    return window_of((one.time_ns, one.attributes.get(DELAY)) for one in span.events if one.name == ATTEMPT)


def window_of(events: Iterable[tuple[int, object]]) -> tuple[int, int] | None:
    """As `attempts_of`, from the instant (ns since 1970) and the delay (ms) of each attempt event."""
    attempts = sorted(events, key=lambda event: event[0])
    waited = [(at, delay) for at, delay in attempts if isinstance(delay, int | float) and 0 <= delay < LONGEST_MS]
    if not waited:
        return None
    last, delay = waited[-1]
    return attempts[0][0], last + round(delay * 1_000_000)
