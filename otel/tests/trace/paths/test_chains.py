"""Traces joined by links, as one request."""

from __future__ import annotations

from dataclasses import replace

from lambda_latency.latency import account
from lambda_latency.trace import Link, Span, SpanKind, joined, traces_of
from tests.trace.build import MS, node, spans_of

OTHER = "6b05a667affeb9dbb0aa7f2b00000002"


def _two() -> list[Span]:
    """An order that sends a message until 30 ms, and the consumer's trace, from 90 to 140 ms."""
    sent = node(
        "send",
        20,
        30,
        kind=SpanKind.PRODUCER,
        resource={"service.name": "shop"},
        attributes={"messaging.destination.name": "orders"},
    )
    first = spans_of(
        [node("POST /orders", 0, 40, sent, kind=SpanKind.SERVER, resource={"service.name": "shop"})], unit=MS
    )
    work = node("orders process", 90, 140, kind=SpanKind.CONSUMER, resource={"service.name": "worker"})
    [consumer] = spans_of([work], unit=MS, trace_id=OTHER, first=100)
    return [*first, replace(consumer, links=(Link(first[1].trace_id, first[1].span_id),))]


def test_a_linked_trace_and_the_wait_are_part_of_the_request() -> None:
    """The time from the sender's end to the consumer's start is the queue's; the route stays the request's."""
    [trace] = traces_of(joined(_two()))
    one = account(trace)
    assert (one.route, one.wall_ns) == ("POST /orders", 140 * MS)
    assert {part.label: ns // MS for part, ns in one.parts} == {
        "queue orders": 60,
        "worker: own code": 50,
        "shop: own code": 20,
        "unknown callee": 10,
    }


def test_without_links_nothing_is_joined() -> None:
    """The same applies to a link to an unknown span."""
    spans = [replace(span, links=(Link("f" * 32, "e" * 16),) if span.links else ()) for span in _two()]
    assert list(joined(spans)) == spans
