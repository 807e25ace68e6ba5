"""One test for each way in which a trace can be wrong, and some that show what is no lie.

Run by `test_lies.py`, in a process of its own; of such a name, nobody else collects it.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context
from opentelemetry.propagate import extract, inject
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    get_tracer,
    set_span_in_context,
)

from lambda_latency.runtime.setup import Runtime
from lambda_latency.testing import (
    CLIENT,
    ERROR,
    SERVER,
    Clock,
    Invoke,
    Recording,
    at_most,
    concurrent,
    event,
    recorded,
    remote,
    snapshot_of,
    span,
)
from lambda_latency.trace import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pytest

TRACER = get_tracer("orders")
TRACE, SEGMENT = "69559d800123456789abcdef01234567", "0123456789abcdef"
HEADER = f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={SEGMENT};Sampled=1"

ORDER = span("POST /orders", SERVER)[
    span("DynamoDB.PutItem", CLIENT, attributes={"aws.dynamodb.table_names": ["orders"]}),
    span("POST", CLIENT, attributes={"http.status_code": 200}),
]


@contextmanager
def request() -> Iterator[None]:
    with TRACER.start_as_current_span("POST /orders", kind=SpanKind.SERVER):
        yield


def store(table: str = "orders") -> None:
    attributes = {"aws.dynamodb.table_names": [table]}
    TRACER.start_span("DynamoDB.PutItem", kind=SpanKind.CLIENT, attributes=attributes).end()


def charge(status: int = 200, kind: SpanKind = SpanKind.CLIENT) -> None:
    with TRACER.start_as_current_span(
        "POST", kind=kind, attributes={"http.status_code": status}
    ) as call:
        if status >= 500:
            call.set_status(Status(StatusCode.ERROR, "service unavailable"))


def payments(headers: Mapping[str, str]) -> None:
    with TRACER.start_as_current_span(
        "POST /charges", extract(headers, Context()), kind=SpanKind.SERVER
    ):
        pass


def recorded_span(number: int, name: str, **more: Any) -> Span:
    times = {"start_ns": 10 + number, "end_ns": 90 - number}
    return Span(
        **{"trace_id": TRACE, "span_id": f"{number:016x}", "name": name, **times, **more}
    )


def test_call_moved_under_another_parent() -> None:
    with recorded() as trace, request():
        store()
        with TRACER.start_as_current_span("retry"):
            charge()
    assert trace() == ORDER


def test_call_missing() -> None:
    with recorded() as trace, request():
        store()
    assert trace() == ORDER


def test_n_plus_one() -> None:
    with recorded() as trace, request():
        store()
        charge()
        for _ in range(3):
            TRACER.start_span("DynamoDB.GetItem", kind=SpanKind.CLIENT).end()
    assert trace() == ORDER


def test_wrong_kind() -> None:
    with recorded() as trace, request():
        store()
        charge(kind=SpanKind.INTERNAL)
    assert trace() == ORDER


def test_wrong_status() -> None:
    with recorded() as trace, request():
        store()
        charge(503)
    assert trace() == ORDER


def test_wrong_attribute() -> None:
    with recorded() as trace, request():
        store("customers")
        charge()
    assert trace() == ORDER


def test_sequential_instead_of_concurrent() -> None:
    with recorded() as trace, request():
        for name in ("price", "stock"):
            TRACER.start_span(name, kind=SpanKind.CLIENT).end()
    assert (
        trace()
        == span("POST /orders", SERVER)[
            concurrent(span("stock", CLIENT), span("price", CLIENT))
        ]
    )


def test_lost_propagation() -> None:
    with (
        recorded() as trace,
        request(),
        TRACER.start_as_current_span("POST", kind=SpanKind.CLIENT),
    ):
        payments({})  # the header was never injected
    assert (
        trace()
        == span("POST /orders", SERVER)[span("POST", CLIENT)[span("POST /charges", SERVER)]]
    )


def test_orphan() -> None:
    trace = snapshot_of([
        recorded_span(1, "POST /orders", kind=SERVER),
        recorded_span(3, "POST", kind=CLIENT, parent_id=f"{2:016x}", parent_remote=False),
    ])  # fmt: skip
    assert trace == span("POST /orders", SERVER)[span("retry")[span("POST", CLIENT)]]


def test_never_ended(invoke: Invoke, trace: Recording) -> None:
    def handler(_event: object, _context: object) -> None:
        TRACER.start_span("DynamoDB.PutItem", kind=SpanKind.CLIENT)

    invoke(handler)
    assert trace() == span("handler", SERVER)[span("DynamoDB.PutItem", CLIENT)]


def test_ended_but_not_exported_at_the_freeze(
    invoke: Invoke, trace: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        Runtime, "after_response", lambda _self: None
    )  # spans wait for a timer that never comes

    def handler(_event: object, _context: object) -> None:
        TRACER.start_span("DynamoDB.PutItem", kind=SpanKind.CLIENT).end()

    invoke(handler)
    assert trace() == span("handler", SERVER)[span("DynamoDB.PutItem", CLIENT)]


def test_wrong_remote_parent(invoke: Invoke, trace: Recording) -> None:
    def handler(_event: object, _context: object) -> None:
        pass

    invoke(handler, header=HEADER)
    assert trace() == span("handler", SERVER, parent=remote(TRACE, "fedcba9876543210"))


def test_too_slow(invoke: Invoke, trace: Recording, clock: Clock) -> None:
    def handler(_event: object, _context: object) -> None:
        clock.advance(ms=61.5)

    invoke(handler)
    assert trace() == span("handler", SERVER, took=at_most(ms=50))


def test_a_context_kept_from_the_invocation_before(invoke: Invoke, trace: Recording) -> None:
    kept: list[Context] = []

    def handler(_event: object, _context: object) -> None:
        if not kept:
            other = SpanContext(
                int("5" * 32, 16), int("6" * 16, 16), is_remote=True, trace_flags=TraceFlags(1)
            )
            kept.append(set_span_in_context(NonRecordingSpan(other), Context()))
        TRACER.start_span("DynamoDB.PutItem", kept[0], kind=SpanKind.CLIENT).end()

    invoke(handler)
    assert trace() == span("handler", SERVER)[span("DynamoDB.PutItem", CLIENT)]


def test_duplicate_span() -> None:
    trace = snapshot_of([
        recorded_span(1, "POST /orders", kind=SERVER),
        recorded_span(2, "POST", kind=CLIENT, parent_id=f"{1:016x}"),
        recorded_span(2, "POST", kind=CLIENT, parent_id=f"{1:016x}", end_ns=89),
    ])  # fmt: skip
    assert trace == span("POST /orders", SERVER)[span("POST", CLIENT)]


def test_a_provisional_span_and_its_final_one_are_no_duplicate() -> None:
    provisional = {"lambda.provisional": True}
    trace = snapshot_of([
        recorded_span(1, "POST /orders", kind=SERVER, attributes=provisional, end_ns=50),
        recorded_span(1, "POST /orders", kind=SERVER),
        recorded_span(2, "POST", kind=CLIENT, parent_id=f"{1:016x}"),
    ])  # fmt: skip
    assert trace == span("POST /orders", SERVER)[span("POST", CLIENT)]


def test_wrong_order() -> None:
    with recorded() as trace, request():
        charge()
        store()
    assert trace() == ORDER


def test_an_exception_swallowed() -> None:
    with recorded() as trace, request():
        call = TRACER.start_span("POST", kind=SpanKind.CLIENT)
        with suppress(TimeoutError):
            raise TimeoutError  # nobody tells the span
        call.end()
    assert trace() == span("POST /orders", SERVER)[span("POST", CLIENT, raised=TimeoutError)]


def test_an_event_missing() -> None:
    with recorded() as trace, request():
        call = TRACER.start_span("DynamoDB.PutItem", kind=SpanKind.CLIENT)
        call.add_event("attempt", {"status": 400})
        call.end()
    attempts = [event("attempt", {"status": 400}), event("attempt", {"status": 200})]
    assert (
        trace()
        == span("POST /orders", SERVER)[span("DynamoDB.PutItem", CLIENT, events=attempts)]
    )


def test_nothing_recorded() -> None:
    with recorded() as trace:
        pass
    assert trace() == ORDER


def test_left_open_and_nothing_compared(invoke: Invoke) -> None:
    def handler(_event: object, _context: object) -> None:
        TRACER.start_span("DynamoDB.PutItem", kind=SpanKind.CLIENT)

    invoke(handler)


def test_ended_by_a_thread_after_the_freeze(invoke: Invoke) -> None:
    go = threading.Event()

    def late(call: Any) -> None:
        go.wait()
        call.end()

    def handler(_event: object, _context: object) -> threading.Thread:
        thread = threading.Thread(
            target=late, args=[TRACER.start_span("DynamoDB.PutItem", kind=SpanKind.CLIENT)]
        )
        thread.start()
        return thread

    thread = invoke(handler)
    go.set()
    thread.join()


def test_one_of_a_name_that_is_not_there() -> None:
    with recorded() as trace, request():
        store()
    trace().one("DynamoDB.PutItm")


def test_propagated() -> None:
    headers: dict[str, str] = {}
    with (
        recorded() as trace,
        request(),
        TRACER.start_as_current_span("POST", kind=SpanKind.CLIENT),
    ):
        inject(headers)
        payments(headers)
    assert (
        trace()
        == span("POST /orders", SERVER)[span("POST", CLIENT)[span("POST /charges", SERVER)]]
    )


def test_an_exception_told() -> None:
    with (
        recorded() as trace,
        suppress(TimeoutError),
        TRACER.start_as_current_span("POST", kind=SpanKind.CLIENT),
    ):
        raise TimeoutError("payments answered too late")
    assert trace() == span("POST", CLIENT, raised=TimeoutError)
    assert trace() == span("POST", CLIENT, status=ERROR)
