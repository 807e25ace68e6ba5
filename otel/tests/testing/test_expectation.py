"""What can be said of a span, and what is said when it does not hold."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind as SdkKind
from opentelemetry.trace import StatusCode, get_tracer

from lambda_latency.testing import (
    CLIENT,
    ERROR,
    INTERNAL,
    SERVER,
    UNSET,
    Recording,
    any_order,
    at_most,
    concurrent,
    event,
    ms,
    recorded,
    remote,
    snapshot_of,
    span,
)
from lambda_latency.trace import Event, Link, Span, Trace, dump_line, read_trace
from tests.testing.trees import compared

TRACE, OTHER, SEGMENT = "69559d800123456789abcdef01234567", "f" * 32, "0123456789abcdef"


def one(**more: Any) -> Span:
    """A span of 20 ms, with something of everything."""
    values: dict[str, Any] = {
        "trace_id": TRACE,
        "span_id": "1" * 16,
        "name": "a",
        "start_ns": 1_000_000,
        "end_ns": 21_000_000,
        "resource": {"service.name": "orders"},
        "attributes": {"code": 200, "ok": True, "names": ["x", "y"], "part": 0.5},
        "events": [Event("attempt", 2, {"status": 400}), Event("attempt", 3, {"status": 200})],
        "links": [Link(OTHER, SEGMENT)],
    }
    return Span(**{**values, **more})


def notes(expected: Any, *spans: Span) -> list[str]:
    """All that is said of the differences."""
    return [note for line in compared(expected, snapshot_of(spans)).lines for note in line.notes]


RAISED = {"events": [Event("exception", 2, {"exception.type": "shop.errors.LateError"})], "status": ERROR}


@pytest.mark.parametrize(
    ("said", "recorded", "note"),
    [
        ({}, {"status": ERROR, "status_message": "no"}, "status: ERROR (no), expected no ERROR"),
        ({"status": UNSET}, {"status": ERROR}, "status: ERROR, expected UNSET"),
        ({"attributes": {"code": 503}}, {}, "code: 200, expected 503"),
        ({"attributes": {"code": 200.0}}, {}, "code: 200, expected 200.0"),
        ({"attributes": {"ok": 1}}, {}, "ok: True, expected 1"),
        ({"attributes": {"names": ["x"]}}, {}, "names: ('x', 'y'), expected ['x']"),
        ({"attributes": {"gone": None}}, {}, "gone: absent, expected None"),
        ({"took": at_most(ms=19.5)}, {}, "took: 20 ms, expected at most 19.5 ms"),
        ({"took": ms(21)}, {}, "took: 20 ms, expected 21 ms"),
        ({"service": "payments"}, {}, "service: 'orders', expected 'payments'"),
        ({"parent": None}, {"parent_id": SEGMENT, "parent_remote": True}, f"parent: {SEGMENT}, expected none"),
        ({"parent": remote()}, {}, "parent: none, expected a span of another process"),
        (
            {"parent": remote(TRACE, SEGMENT)},
            {"parent_id": "2" * 16, "parent_remote": True},
            f"parent: {'2' * 16}, expected {SEGMENT}",
        ),
        (
            {"parent": remote(OTHER, SEGMENT)},
            {"parent_id": SEGMENT, "parent_remote": True},
            f"parent: {SEGMENT} of trace {TRACE}, expected {SEGMENT} of trace {OTHER}",
        ),
        ({"links": []}, {}, f"link 1: {SEGMENT} of trace {OTHER}, expected none"),
        (
            {"links": [remote(TRACE, SEGMENT)]},
            {},
            f"link 1: {SEGMENT} of trace {OTHER}, expected {SEGMENT} of trace {TRACE}",
        ),
        ({"events": ["attempt"]}, {}, "event 2: 'attempt', expected none"),
        ({"events": ["attempt", "done"]}, {}, "event 2: 'attempt', expected 'done'"),
        ({"events": [..., "done"]}, {}, "events: 'attempt', 'attempt', expected ..., 'done'"),
        (
            {"events": ["attempt", event("attempt", {"status": 503})]},
            {},
            "event 2: event('attempt', {'status': 200}), expected event('attempt', {'status': 503})",
        ),
        ({"raised": KeyError}, RAISED, "raised: shop.errors.LateError, expected KeyError"),
        ({"raised": "LateError"}, RAISED, "raised: shop.errors.LateError, expected LateError"),
    ],
)
def test_what_does_not_hold_is_said(said: dict[str, Any], recorded: dict[str, Any], note: str) -> None:
    """What was found, and what was expected."""
    assert notes(span("a", **said), one(**recorded)) == [note]


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"attributes": {"code": 200, "names": ("x", "y")}},
        {"attributes": {"names": ["x", "y"], "part": 0.5}},
        {"took": at_most(ms=20), "service": "orders", "parent": None},
        {"took": ms(20), "links": [remote(OTHER, SEGMENT)]},
        {"links": [remote()], "events": ["attempt", "attempt"]},
        {"events": [...]},
        {"events": [..., event("attempt", {"status": 200})]},
        {"events": ["attempt", ...]},
        {"kind": SdkKind.INTERNAL, "status": StatusCode.UNSET},
    ],
)
def test_what_holds_is_silent(said: dict[str, Any]) -> None:
    """OpenTelemetry's own kinds and statuses, too."""
    assert notes(span("a", **said), one()) == []


def test_an_exception_by_its_class_or_its_name() -> None:
    """And the status is ERROR then, unless it is said."""
    late = type("LateError", (Exception,), {"__module__": "shop.errors"})
    for raised in (late, "shop.errors.LateError"):
        assert notes(span("a", raised=raised), one(**RAISED)) == []
    assert notes(span("a", raised=late), one(**{**RAISED, "status": UNSET})) == ["status: UNSET, expected ERROR"]
    assert notes(span("a", raised=late, status=UNSET), one(**{**RAISED, "status": UNSET})) == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: span("a", "CLIENT"), "kind must be INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER, got 'CLIENT'"),
        (lambda: span("a", status=500), "status must be UNSET, OK, ERROR, got 500"),
        (lambda: span("a", parent="1" * 16), "parent must be remote(...) or None, got '1111111111111111'"),
        (
            lambda: span("a", links=["1" * 16]),
            "a link must be remote(trace_id, span_id) or ..., got '1111111111111111'",
        ),
        (lambda: span("a")["b"], "a child must be span(...), any_order(...), concurrent(...) or ..., got 'b'"),  # type: ignore[index]
        (lambda: any_order("b"), "any_order() takes span(...), got 'b'"),  # type: ignore[arg-type]
        (lambda: concurrent(...), "concurrent() takes span(...), got Ellipsis"),  # type: ignore[arg-type]
    ],
)
def test_a_literal_that_says_nothing_is_refused(wrong: Any, message: str) -> None:
    """When it is written, and not when it is compared."""
    with pytest.raises(TypeError) as error:
        wrong()
    assert str(error.value) == message


def test_a_literal_is_a_value() -> None:
    """Copied, compared, and no match for anything else."""
    literal = span("a", CLIENT)[any_order(span("b"), span("c")), ...]
    assert deepcopy(literal) == literal
    assert literal != span("a", CLIENT)[any_order(span("c"), span("b")), ...]
    assert literal != "a"
    assert snapshot_of([one()]) != "a"
    assert deepcopy(snapshot_of([one()])) == snapshot_of([one()])


def shop(trace: Recording) -> None:
    """A request that calls another process, whose spans are recorded as well."""
    tracer = get_tracer("shop")
    with tracer.start_as_current_span("POST /orders", kind=SdkKind.SERVER):
        with tracer.start_as_current_span("price"):
            pass
        with tracer.start_as_current_span("POST", kind=SdkKind.CLIENT, attributes={"http.status_code": 200}):
            payments = TracerProvider(resource=Resource({"service.name": "payments"}), shutdown_on_exit=False)
            trace.watch(payments)
            payments.get_tracer("payments").start_span("POST /charges", kind=SdkKind.SERVER).end()


SHOP = span("POST /orders", SERVER)[
    span("price"),
    span("POST", CLIENT, attributes={"http.status_code": 200})[
        span("POST /charges", SERVER, service="payments"),
    ],
]  # fmt: skip


def test_one_expectation_for_memory_and_files(tmp_path: Path) -> None:
    """What was recorded, written as OTLP/JSON, and as Jaeger has it."""
    with recorded() as trace:
        shop(trace)
    assert trace() == SHOP
    (original,) = trace().traces
    path = tmp_path / "traces.jsonl"
    path.write_text(dump_line(original.spans))
    assert read_trace(path, original.trace_id) == SHOP
    path.write_text(json.dumps(jaeger(original)))
    assert read_trace(path, original.trace_id) == SHOP


def jaeger(trace: Trace) -> dict[str, Any]:
    """The same as Jaeger's API has it."""
    return {
        "data": [
            {
                "traceID": trace.trace_id,
                "spans": [
                    {
                        "traceID": node.trace_id,
                        "spanID": node.span_id,
                        "operationName": node.name,
                        "references": [{"refType": "CHILD_OF", "traceID": node.trace_id, "spanID": node.parent_id}]
                        if node.parent_id
                        else [],
                        # Microseconds would not keep the order of what starts in the same one.
                        "startTime": 1_000 + number,
                        "duration": 100 - number,
                        "tags": [
                            {"key": "span.kind", "type": "string", "value": node.kind.name.lower()},
                            *({"key": key, "type": "int64", "value": value} for key, value in node.attributes.items()),
                        ],
                        "processID": str(node.resource["service.name"]),
                    }
                    for number, node in enumerate(trace.spans)
                ],
                "processes": {
                    str(node.resource["service.name"]): {"serviceName": node.resource["service.name"], "tags": []}
                    for node in trace.spans
                },
            }
        ]
    }


def test_x_rays_documents_meet_the_same_expectation(tmp_path: Path) -> None:
    """Names are restored from the operation, and nothing is called an orphan."""
    segment = {
        "trace_id": f"1-{TRACE[:8]}-{TRACE[8:]}",
        "id": "1" * 16,
        "parent_id": "2" * 16,
        "name": "POST /orders",
        "start_time": 1.0,
        "end_time": 2.0,
        "subsegments": [
            {"id": "3" * 16, "name": "price", "start_time": 1.1, "end_time": 1.2},
            {
                "id": "4" * 16,
                "name": "DynamoDB",
                "namespace": "aws",
                "aws": {"operation": "PutItem", "table_name": "orders"},
                "start_time": 1.3,
                "end_time": 1.4,
            },
        ],
    }
    path = tmp_path / "xray.json"
    path.write_text(json.dumps(segment))
    assert read_trace(path, TRACE) == span("POST /orders", SERVER, parent=remote(TRACE, "2" * 16))[
        span("price", INTERNAL), span("DynamoDB.PutItem", CLIENT, attributes={"aws.table_name": "orders"})
    ]  # fmt: skip
