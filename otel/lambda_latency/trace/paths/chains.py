"""Joins traces into one request along span links, for example through queues and topics.

The span of a consumer links to the span that sent its message, or is its child. The joined request lasts from the first
start to the last end of all its spans, and the time between a sender and its consumer becomes a span of its own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lambda_latency.trace.model.span import Span, SpanKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lambda_latency.trace.model.span import Link

CHAIN = "lambda_latency::Chain"  # the origin of the span that encloses a joined request
WAIT = "lambda_latency::Wait"  # the origin of the span between a sender and its consumer
DESTINATIONS = (
    "messaging.destination.name",
    "aws.queue_url",
    "aws.sqs.queue.url",
    "aws.sns.topic.arn",
    "messaging.url",
)


def joined(spans: Iterable[Span]) -> Iterator[Span]:
    """The spans, with linked traces joined under the trace id of the one that began first.

    A joined trace has a new root of origin `CHAIN`, a span of origin `WAIT` for each gap between a sender and its
    consumer, and no links.
    """
    every = list(spans)
    by_id = {(span.trace_id, span.span_id): span for span in every}
    starts: dict[str, int] = {}
    for span in every:
        starts[span.trace_id] = min(span.start_ns, starts.get(span.trace_id, span.start_ns))
    hops = [
        (span, sender) for span in every for link in span.links if (sender := _sender(span, link, by_id)) is not None
    ]
    consumed = {
        (span.trace_id, span.span_id): sender
        for span in every
        if span.kind is SpanKind.CONSUMER
        and (sender := by_id.get((span.trace_id, span.parent_id or ""))) is not None
        and sender.kind is SpanKind.PRODUCER
    }
    hops += [(by_id[key], sender) for key, sender in consumed.items()]
    group = {trace_id: trace_id for trace_id in starts}
    for span, sender in hops:
        receiving, sending = _joined_id(group, span.trace_id), _joined_id(group, sender.trace_id)
        first, last = sorted((receiving, sending), key=lambda trace_id: (starts[trace_id], trace_id))
        group[last] = first
    tied = {_joined_id(group, span.trace_id) for span, _ in hops}
    bounds: dict[str, tuple[int, int]] = {}
    for span in every:
        trace_id = _joined_id(group, span.trace_id)
        if trace_id not in tied:
            yield span
            continue
        low, high = bounds.get(trace_id, (span.start_ns, 0))
        bounds[trace_id] = min(low, span.start_ns), max(high, span.end_ns or span.start_ns)
        known = (span.trace_id, span.parent_id or "") in by_id and (span.trace_id, span.span_id) not in consumed
        yield replace(
            span, trace_id=trace_id, parent_id=span.parent_id if known else _new_span_id(trace_id, CHAIN), links=()
        )
    for trace_id, (low, high) in bounds.items():
        yield _new_span(
            trace_id, _new_span_id(trace_id, CHAIN), None, CHAIN, low, high, "a request with what it set off"
        )
    for span, sender in hops:
        trace_id = _joined_id(group, span.trace_id)
        begin = sender.end_ns or sender.start_ns
        if begin < span.start_ns:
            own = _new_span_id(trace_id, f"{sender.span_id} {span.span_id}")
            name = next(
                (str(sender.attributes[key]) for key in DESTINATIONS if sender.attributes.get(key)), sender.name
            )
            yield _new_span(trace_id, own, _new_span_id(trace_id, CHAIN), WAIT, begin, span.start_ns, name)


def _sender(span: Span, link: Link, by_id: Mapping[tuple[str, str], Span]) -> Span | None:
    found = by_id.get((link.trace_id, link.span_id))
    return found if found is not None and found.trace_id != span.trace_id else None


def _joined_id(group: dict[str, str], trace_id: str) -> str:
    while group[trace_id] != trace_id:
        trace_id = group[trace_id]
    return trace_id


def _new_span_id(trace_id: str, text: str) -> str:
    import hashlib

    return hashlib.sha256(f"{trace_id} {text}".encode()).hexdigest()[:16]


def _new_span(
    trace_id: str, span_id: str, parent_id: str | None, origin: str, start_ns: int, end_ns: int, name: str
) -> Span:
    return Span(
        trace_id=trace_id,
        span_id=span_id,
        parent_id=parent_id,
        name=name,
        kind=SpanKind.INTERNAL,
        start_ns=start_ns,
        end_ns=end_ns,
        attributes={"aws.xray.origin": origin, "messaging.destination.name": name},
    )
