"""Joins traces into one request along span links, for example through queues and topics.

The span of a consumer links to the span that sent its message, or is its child. The joined request lasts from the first
start to the last end of all its spans, and the time between a sender and its consumer becomes a span of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import starmap
from typing import TypeAlias

from lambda_latency.trace.model.span import Span, SpanKind

CHAIN = "lambda_latency::Chain"  # the origin of the span that encloses a joined request
# The origin of the span between a sender and its consumer
WAIT = "lambda_latency::Wait"
DESTINATIONS = (
    "messaging.destination.name",
    "aws.queue_url",
    "aws.sqs.queue.url",
    "aws.sns.topic.arn",
    "messaging.url",
)

Key: TypeAlias = tuple[str, str]  # a trace id and a span id


def join_traces(spans: Iterable[Span]) -> Iterator[Span]:
    """The spans, with linked traces joined under the trace id of the one that began first.

    A joined trace has a new root of origin `CHAIN`, a span of origin `WAIT` for each gap between a sender and its
    consumer, and no links.
    """
    all_spans = list(spans)
    by_id = {(span.trace_id, span.span_id): span for span in all_spans}
    consumed = _consumed(all_spans, by_id)
    hops = [*_linked(all_spans, by_id), *consumed.values()]
    group = _groups(all_spans, hops)
    joined_ids = {_joined_id(group, span.trace_id) for span, _ in hops}  # of requests of several traces
    bounds: dict[str, tuple[int, int]] = {}
    for span in all_spans:
        trace_id = _joined_id(group, span.trace_id)
        if trace_id not in joined_ids:
            yield span
            continue
        low, high = bounds.get(trace_id, (span.start_ns, 0))
        bounds[trace_id] = min(low, span.start_ns), max(high, span.end_ns or span.start_ns)
        parent_key, key = (span.trace_id, span.parent_id or ""), (span.trace_id, span.span_id)
        is_below = parent_key in by_id and key not in consumed
        parent_id = span.parent_id if is_below else _new_span_id(trace_id, CHAIN)
        yield replace(span, trace_id=trace_id, parent_id=parent_id, links=())
    yield from starmap(_chain_root, bounds.items())
    for span, sender in hops:
        yield from _waiting(_joined_id(group, span.trace_id), sender, span)


def _chain_root(trace_id: str, bounds: tuple[int, int]) -> Span:
    root_id = _new_span_id(trace_id, CHAIN)
    return _new_span(trace_id, root_id, None, CHAIN, *bounds, "a request with what it set off")


def _waiting(trace_id: str, sender: Span, consumer: Span) -> Iterator[Span]:
    """Yield the span of the time between a sender and its consumer, if there is any."""
    begin = sender.end_ns or sender.start_ns
    if begin < consumer.start_ns:
        span_id = _new_span_id(trace_id, f"{sender.span_id} {consumer.span_id}")
        names = (str(sender.attributes[key]) for key in DESTINATIONS if sender.attributes.get(key))
        name = next(names, sender.name)
        yield _new_span(trace_id, span_id, _new_span_id(trace_id, CHAIN), WAIT, begin, consumer.start_ns, name)


def _linked(spans: Iterable[Span], by_id: Mapping[Key, Span]) -> Iterator[tuple[Span, Span]]:
    """Each span with each span of another trace that it links to."""
    for span in spans:
        for link in span.links:
            sender = by_id.get((link.trace_id, link.span_id))
            if sender is not None and sender.trace_id != span.trace_id:
                yield span, sender


def _consumed(spans: Iterable[Span], by_id: Mapping[Key, Span]) -> dict[Key, tuple[Span, Span]]:
    """Each consumer that is a child of its sender, with the sender, by the key of the consumer."""
    hops: dict[Key, tuple[Span, Span]] = {}
    for span in spans:
        sender = by_id.get((span.trace_id, span.parent_id or ""))
        if span.kind is SpanKind.CONSUMER and sender is not None and sender.kind is SpanKind.PRODUCER:
            hops[span.trace_id, span.span_id] = span, sender
    return hops


def _groups(spans: Iterable[Span], hops: Iterable[tuple[Span, Span]]) -> dict[str, str]:
    """A trace id of the same request by each trace id: `_joined_id` follows them to the trace that began first."""
    starts: dict[str, int] = {}
    for span in spans:
        starts[span.trace_id] = min(span.start_ns, starts.get(span.trace_id, span.start_ns))
    group = {trace_id: trace_id for trace_id in starts}
    for span, sender in hops:
        ids = _joined_id(group, span.trace_id), _joined_id(group, sender.trace_id)
        earlier_id, later_id = sorted(ids, key=lambda trace_id: (starts[trace_id], trace_id))
        group[later_id] = earlier_id
    return group


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
