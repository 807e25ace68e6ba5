"""A compact span, called a row: its ids, its times, and a signature (its signature) for everything else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from msgspec import Struct

from lambda_latency.trace.model.ids import are_ids
from lambda_latency.trace.model.keys import EXECUTION_ARN, EXECUTION_MARK, ROUTE
from lambda_latency.trace.model.signature import Signature
from lambda_latency.trace.model.span import Span

ATTEMPT = "attempt"  # the event at the end of each attempt of an AWS call
# The attribute of that event: how long the client waited before the next attempt
DELAY = "retry.delay_ms"
LONGEST_MS = 900_000  # the longest run of a function; NaN is not below it


class CompactSpan(Struct, gc=False, eq=False):
    """One compact span. Ids are lower-case hex, times are nanoseconds since 1970.

    `parent_id` is empty for a root. `end_ns` is 0 for a span that was left open. `attempts` is the end of a call's
    first attempt and the start of its last one; None if the span has no events for them. `route` is its `http.route`,
    or the ARN of its durable execution after `EXECUTION_MARK`.
    """

    span_id: str
    parent_id: str
    start_ns: int
    end_ns: int
    signature: Signature
    name: str
    attempts: tuple[int, int] | None = None
    route: str = ""

    @property
    def execution(self) -> str:
        """The ARN of the durable execution of the span; empty for other spans."""
        return self.route[len(EXECUTION_MARK) :] if self.route.startswith(EXECUTION_MARK) else ""

    @property
    def http_route(self) -> str:
        """The `http.route`; empty without one."""
        return "" if self.route.startswith(EXECUTION_MARK) else self.route


CompactTraces: TypeAlias = "dict[str, list[CompactSpan]]"  # by trace id


def with_valid_ids(documents: list[CompactTraces]) -> list[CompactTraces] | None:
    """The same rows with ids in lower case; None if an id is not valid."""
    if _have_ids(documents):
        return documents
    lowered: list[CompactTraces] = []
    for traces in documents:
        lowered.append(defaultdict(list))
        for trace_id, spans in traces.items():
            for span in spans:
                span.span_id, span.parent_id = span.span_id.lower(), span.parent_id.lower()
            lowered[-1][trace_id.lower()] += spans
    return lowered if _have_ids(lowered) else None


def _have_ids(documents: list[CompactTraces]) -> bool:
    # All ids are checked at once: one by one it takes longer than decoding the spans.
    spans = [span for document in documents for trace in document.values() for span in trace]
    ids = [span.span_id for span in spans] + [span.parent_id for span in spans if span.parent_id]
    return are_ids(ids, [trace_id for document in documents for trace_id in document])


def compact_spans_of(spans: Iterable[Span]) -> list[CompactSpan]:
    """The rows of spans. Equal spans share a signature."""
    signatures: dict[object, Signature] = {}
    return [_row_of(span, signatures) for span in spans]


def _row_of(span: Span, signatures: dict[object, Signature]) -> CompactSpan:
    attempts = attempts_of(span)
    return CompactSpan(
        span.span_id,
        span.parent_id or "",
        span.start_ns,
        span.end_ns or 0,
        Signature.of(span, attempts=attempts is not None, signatures=signatures),
        span.name,
        attempts,
        routed_text(span.attributes),
    )


def routed_text(attributes: Mapping[str, object]) -> str:
    """The `route` of a compact span with these attributes."""
    if EXECUTION_ARN in attributes:
        return f"{EXECUTION_MARK}{attributes[EXECUTION_ARN]}"
    route = attributes.get(ROUTE)
    return route if isinstance(route, str) else ""


def attempts_of(span: Span) -> tuple[int, int] | None:
    """The end of a call's first attempt and the start of its last (ns since 1970); None without events for them."""
    return window_of((event.time_ns, event.attributes.get(DELAY)) for event in span.events if event.name == ATTEMPT)


def window_of(events: Iterable[tuple[int, object]]) -> tuple[int, int] | None:
    """As `attempts_of`, from the instant (ns since 1970) and the delay (ms) of each attempt event."""
    attempts = sorted(events, key=lambda event: event[0])
    delayed = [(ns, delay) for ns, delay in attempts if isinstance(delay, int | float) and 0 <= delay < LONGEST_MS]
    if not delayed:
        return None
    last_ns, delay = delayed[-1]
    return attempts[0][0], last_ns + round(delay * 1_000_000)
