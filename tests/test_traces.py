"""The trace of a request: which calls the functions make, in which order, and how they end. Start reading here.

`invoke` runs a handler under the runtime that ships to Lambda, and `trace()` returns the spans of that invocation as a
tree. Both are fixtures of lambda-latency's pytest plugin; nothing leaves the process. Where OpenTelemetry's own
`InMemorySpanExporter` has a flat list of the spans that ended, `trace()` has their tree, and fails for a span that was
never ended, lost its parent, or would be lost when Lambda freezes the environment. The last test uses that exporter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from lambda_latency.testing import CLIENT, ERROR, SERVER, Invoke, Recording, span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orders_api import Api, Refusal

ORDER = {
    "order_id": "order-1",
    "customer": "ada",
    "items": [{"sku": "tea", "quantity": 1, "unit_price": 450}],
    "payment_method": "card-1",
}


def test_an_order_is_stored_then_charged_then_confirmed(
    api: Api, invoke: Invoke, trace: Recording, api_event: Callable[..., dict[str, Any]]
) -> None:
    """Three calls, one after the other, and none twice."""
    answer = invoke(api.orders.create_order, api_event("POST", "/orders", ORDER))
    assert answer["statusCode"] == 201
    assert trace() == span("POST /orders", SERVER, attributes={"http.status_code": 201})[
        span("DynamoDB.PutItem", CLIENT, attributes={"aws.table_name": "orders"}),
        span("POST", CLIENT, attributes={"http.status_code": 201}),
        span("DynamoDB.UpdateItem", CLIENT, attributes={"aws.table_name": "orders"}),
    ]  # fmt: skip


def test_an_order_that_is_not_stored_is_not_charged(
    api: Api, refusing: Refusal, invoke: Invoke, trace: Recording, api_event: Callable[..., dict[str, Any]]
) -> None:
    """The trace ends with the call that was refused, and says so."""
    with refusing("PutItem", "ThrottlingException"):
        answer = invoke(api.orders.create_order, api_event("POST", "/orders", ORDER))
    assert answer["statusCode"] == 503
    assert trace() == span("POST /orders", SERVER, status=ERROR)[span("DynamoDB.PutItem", CLIENT, status=ERROR)]


def test_orders_are_listed_with_one_query(
    api: Api, invoke: Invoke, trace: Recording, api_event: Callable[..., dict[str, Any]]
) -> None:
    """However many there are; warm as well."""
    for number in (1, 2, 3):
        invoke(api.orders.create_order, api_event("POST", "/orders", {**ORDER, "order_id": f"order-{number}"}))
    for cold in (True, False):
        invoke(api.orders.list_order, api_event("GET", "/orders?customer=ada"), cold=cold)
        assert trace() == span("GET /orders", SERVER, attributes={"faas.coldstart": cold})[
            span("DynamoDB.Query", CLIENT, attributes={"aws.table_name": "orders"})
        ]  # fmt: skip


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    """OpenTelemetry alone: its in-memory exporter receives the spans of botocore's and requests' calls."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrumentors = (BotocoreInstrumentor(), RequestsInstrumentor())
    for instrumentor in instrumentors:
        instrumentor.instrument(tracer_provider=provider)
    yield exporter
    for instrumentor in instrumentors:
        instrumentor.uninstrument()


def test_opentelemetrys_in_memory_exporter_receives_the_same_calls(api: Api, exporter: InMemorySpanExporter) -> None:
    """In the order in which they ended; the handler's own span is the runtime's, and so is missing here."""
    assert api.post(ORDER).status == 201
    assert [finished.name for finished in exporter.get_finished_spans()] == [
        "DynamoDB.PutItem",
        "POST",
        "DynamoDB.UpdateItem",
    ]
