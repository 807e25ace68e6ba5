"""Orders with attributes, of which those that a test chooses wait long for payments."""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from lambda_latency.latency import Report, report_of
from lambda_latency.trace import Span, SpanKind, Trace
from tests.latency.system import breakdown_of, charge, put_item, request
from tests.trace.build import MS, tree

SECOND_ = None

SECOND = 1_000 * MS


class Order(NamedTuple):
    """An order by its number: the attributes of its first span, of its resource, and of the call to payments."""

    number: int
    first: dict[str, object]
    resource: dict[str, object]
    call: dict[str, object]


def attributed(
    make: Callable[[int, random.Random], Order],
    is_slow: Callable[[Order, random.Random], object],
    count: int = 400,
    seed: int = 1,
    late_ms: int = 900,
) -> list[Trace]:
    """So many orders, a second apart. The slow ones wait longer for payments, by `late_ms`."""
    draw = random.Random(seed)  # noqa: S311 - a seed that can be repeated
    return [_trace(order := make(number, draw), late_ms * bool(is_slow(order, draw)), draw) for number in range(count)]


def _trace(order: Order, late_ms: int, draw: random.Random) -> Trace:
    paid = draw.lognormvariate(4.5, 0.15) + late_ms
    root = request(put_item(10, 19), charge(20, 20 + paid), end=paid + 30, route="POST /orders")
    made = tree(root, unit=MS, trace_id=f"6b05a667affeb9dbb0aa7f2b{order.number:08x}", first=1)
    later = order.number * SECOND
    return Trace(
        replace(
            span,
            start_ns=span.start_ns + later,
            end_ns=None if span.end_ns is None else span.end_ns + later,
            resource={**span.resource, **order.resource},
            attributes={**span.attributes, **_more(span, order)},
        )
        for span in made.spans
    )


def _more(span: Span, order: Order) -> dict[str, object]:
    if span.kind is SpanKind.SERVER:
        return order.first
    return order.call if span.attributes.get("server.address") == "payments.example.com" else {}


def report_on(traces: Sequence[Trace], *, by: str | None = None) -> Report:
    """The report on some traces, whose spans are read again."""
    by_id = {trace.trace_id: trace for trace in traces}

    def find(ids: Iterable[str]) -> dict[str, Trace]:
        return {key: by_id[key] for key in ids}

    return report_of([breakdown_of(trace) for trace in traces], find, spans=lambda ids: read(by_id, ids), by=by)


def read(by_id: dict[str, Trace], ids: Iterable[str]) -> Iterable[Span]:
    """The spans of some traces."""
    return (span for key in ids for span in by_id[key].spans)
