"""A function that uses OpenTelemetry itself: its metrics, logs and instrumentations, beside the runtime's stand-ins."""

import json
from inspect import signature
from typing import Any

import pytest
from opentelemetry._logs import Logger
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from lab.faults.box import SEGMENT, Box
from lab.faults.collector import Collector
from lambda_latency.local.processes import Processes
from tests.runtime.conftest import STEPS
from tests.runtime.stubs import Answer, Server


def ran(**variables: str) -> tuple[Any, list[Span]]:
    """What it answered, and the spans that arrived."""
    collector = Collector()
    with Server(otherwise=Answer(body=b"{}")) as provider, Processes() as processes:
        box = Box(
            processes,
            "tests.runtime.users_function.handler",
            {
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": collector.url,
                "LAMBDA_LATENCY_FIRST_FLUSH_MS": "20000",
                "OTEL_PYTHON_ASYNCIO_COROUTINE_NAMES_TO_TRACE": "count",
                "PROVIDER": provider.url,
                **variables,
            },
        )
        try:
            run = box.invoke(b"{}")
            box.settle()
        finally:
            box.close()
            collector.close()
    assert run.outcome is not None
    return json.loads(run.outcome.payload), collector.spans()


@pytest.mark.skipif(
    "body" not in signature(Logger.emit).parameters, reason="a logger of this SDK takes records alone, not their parts"
)
@pytest.mark.parametrize("stand_ins", ["true", "false"])
@pytest.mark.parametrize("imports", ["before", "after"])
def test_its_spans_metrics_and_logs_are_as_they_would_be_without_stand_ins(imports: str, stand_ins: str) -> None:
    """Whether it imports them before the traced libraries or after: one tree, its own numbers, its log in the trace."""
    answer, spans = ran(USER_IMPORTS=imports, LAMBDA_LATENCY_STAND_INS=stand_ins)
    (invocation,) = [span for span in spans if span.name == "orders-create"]
    assert invocation.parent_span_id.hex() == SEGMENT
    assert sorted((span.name, span.kind) for span in spans if span.parent_span_id == invocation.span_id) == [
        ("/shop.Rates/Get", Span.SPAN_KIND_CLIENT),
        ("DynamoDB.GetItem", Span.SPAN_KIND_CLIENT),
        ("GET", Span.SPAN_KIND_CLIENT),
        ("asyncio coro-count", Span.SPAN_KIND_INTERNAL),
        ("init", Span.SPAN_KIND_INTERNAL),
    ]
    assert len([span for span in spans if span.name not in STEPS]) == 5
    assert answer == {
        "answer": "eur",
        "orders": [["orders", {"paid": True}, 1]],
        "log": ["paid", invocation.span_id.hex()],
    }
