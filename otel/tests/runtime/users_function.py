"""A function whose own code uses OpenTelemetry: its metrics and logs, and instrumentations that it puts on itself.

It imports them before the libraries that the runtime traces, or after them where `USER_IMPORTS` says so.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any

LIBRARIES = ("boto3", "requests", "grpc")
OPENTELEMETRY = (
    "opentelemetry.sdk.metrics",
    "opentelemetry.sdk._logs",
    "opentelemetry.instrumentation.grpc",
    "opentelemetry.instrumentation.asyncio",
)
late = os.environ.get("USER_IMPORTS") == "after"
for name in (*LIBRARIES, *OPENTELEMETRY) if late else (*OPENTELEMETRY, *LIBRARIES):
    import_module(name)

import asyncio  # noqa: E402

import boto3  # noqa: E402
import grpc  # noqa: E402
import requests  # noqa: E402
from opentelemetry import _logs, metrics  # noqa: E402
from opentelemetry.instrumentation.asyncio import AsyncioInstrumentor  # noqa: E402
from opentelemetry.instrumentation.grpc import GrpcInstrumentorClient  # noqa: E402
from opentelemetry.sdk._logs import LoggerProvider  # noqa: E402
from opentelemetry.sdk._logs import export as exports  # noqa: E402
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor  # noqa: E402
from opentelemetry.sdk.metrics import MeterProvider  # noqa: E402
from opentelemetry.sdk.metrics.export import InMemoryMetricReader  # noqa: E402

URL = os.environ["PROVIDER"]
TABLE = boto3.resource("dynamodb", endpoint_url=URL).Table("orders")
READER = InMemoryMetricReader()
Records: Any = getattr(exports, "InMemoryLogRecordExporter", None) or exports.InMemoryLogExporter  # before SDK 1.39
RECORDS = Records()

metrics.set_meter_provider(MeterProvider([READER]))
ORDERS = metrics.get_meter("function").create_counter("orders")
logging = LoggerProvider()
logging.add_log_record_processor(SimpleLogRecordProcessor(RECORDS))
_logs.set_logger_provider(logging)
LOGGER = _logs.get_logger("function")
GrpcInstrumentorClient().instrument()  # type: ignore[no-untyped-call]
AsyncioInstrumentor().instrument()


class Rates(grpc.GenericRpcHandler):  # type: ignore[misc]
    """A service that answers what it was asked."""

    def service(self, _details: object) -> Any:
        return grpc.unary_unary_rpc_method_handler(lambda request, _context: request)


SERVER = grpc.server(ThreadPoolExecutor(1), handlers=[Rates()])
PORT = SERVER.add_insecure_port("127.0.0.1:0")
SERVER.start()


def handler(_event: object, _context: object) -> Any:
    """A table, an API, a service and a coroutine; a metric and a record of the log."""
    TABLE.get_item(Key={"id": "1"})
    requests.get(f"{URL}/rates", timeout=5)
    with grpc.insecure_channel(f"127.0.0.1:{PORT}") as channel:
        answer = channel.unary_unary("/shop.Rates/Get")(b"eur", timeout=5)
    ORDERS.add(asyncio.run(counted()), {"paid": True})
    LOGGER.emit(body="paid")
    (record,) = RECORDS.get_finished_logs()
    span = f"{record.log_record.span_id:016x}"
    return {"answer": answer.decode(), "orders": orders(), "log": [record.log_record.body, span]}


async def counted() -> int:
    """A task that is traced by its coroutine's name."""
    return await asyncio.create_task(count())


async def count() -> int:
    """How many."""
    return 1


def orders() -> Any:
    """The function's own metric, as the SDK reads it."""
    data = READER.get_metrics_data()
    assert data is not None
    scopes = {scope.scope.name: scope for resource in data.resource_metrics for scope in resource.scope_metrics}
    (metric,) = scopes["function"].metrics
    points: Any = metric.data.data_points
    return [[metric.name, dict(point.attributes), point.value] for point in points]
