"""OpenTelemetry that a module sets up while it is imported; the variable START names how, and its function returns the handler."""

import os

from opentelemetry import trace

PEER = os.environ["PEER"]


def get(what):
    import requests

    return requests.get(f"{PEER}/http/{what}", timeout=10).status_code


def with_provider():
    """Set a provider of the SDK's, unless there is one."""
    from opentelemetry.sdk.trace import TracerProvider

    if not hasattr(trace.get_tracer_provider(), "add_span_processor"):
        trace.set_tracer_provider(TracerProvider())


def at_init():
    with trace.get_tracer("user").start_as_current_span("load model"):
        return lambda event, context: "loaded"


def boto_instrumentor():
    """Instruments botocore before boto3 is imported."""
    from opentelemetry.instrumentation.botocore import BotocoreInstrumentor

    with_provider()
    called = []
    BotocoreInstrumentor().instrument(request_hook=lambda span, service, operation, _: called.append(operation))
    import boto3

    def handler(event, context):
        called.clear()
        boto3.client("dynamodb").get_item(TableName="orders", Key={"id": {"S": "1"}})
        return called

    return handler


def imports_instrumentor():
    """Imports an instrumentation before its library, and leaves it at that."""
    import opentelemetry.instrumentation.botocore
    import opentelemetry.instrumentation.requests
    import opentelemetry.instrumentation.sqlite3  # noqa: F401

    import boto3  # isort: skip
    import requests  # noqa: F401  # isort: skip

    def handler(event, context):
        get("get")
        return boto3.client("dynamodb").get_item(TableName="orders", Key={"id": {"S": "1"}})["Item"]

    return handler


def instrumentors():
    """Instruments its libraries itself, with hooks of its own."""
    from opentelemetry.instrumentation.requests import RequestsInstrumentor
    from opentelemetry.instrumentation.threading import ThreadingInstrumentor

    with_provider()
    called = []
    RequestsInstrumentor().instrument(
        request_hook=lambda span, request: called.append(request.method),
        response_hook=lambda span, request, answer: called.append(answer.status_code),
    )
    ThreadingInstrumentor().instrument()
    import requests  # noqa: F401

    def handler(event, context):
        called.clear()
        get("aside")
        return called

    return handler


def log_instrumentation():
    """Ids in its log lines by upstream's instrumentation."""
    import logging

    from opentelemetry.instrumentation.logging import LoggingInstrumentor

    LoggingInstrumentor().instrument(set_logging_format=False)

    def handler(event, context):
        logging.getLogger("user").warning("a line")
        record = logging.getLogRecordFactory()("n", logging.INFO, "p", 1, "m", None, None)
        return sorted(name for name in vars(record) if name.startswith("otel"))

    return handler


def logs():
    """Logs by OpenTelemetry."""
    import logging

    from opentelemetry._logs import get_logger_provider, set_logger_provider
    from opentelemetry.sdk._logs import LoggerProvider

    provider = LoggerProvider()
    set_logger_provider(provider)

    def handler(event, context):
        logging.getLogger("user").warning("by both")
        return get_logger_provider() is provider

    return handler


def metrics():
    from opentelemetry import metrics
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    metrics.set_meter_provider(provider)
    counter = metrics.get_meter("user").create_counter("orders")

    def handler(event, context):
        counter.add(1, {"kind": "x"})
        scopes = [scope for resource in reader.get_metrics_data().resource_metrics for scope in resource.scope_metrics]
        orders = [metric for scope in scopes for metric in scope.metrics if metric.name == "orders"]
        values = [[point.value for point in metric.data.data_points] for metric in orders]
        return [metrics.get_meter_provider() is provider, values]

    return handler


def private_provider():
    """A provider that is not set for the process, and one that samples nothing."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

    memory, provider, off = InMemorySpanExporter(), TracerProvider(), TracerProvider(sampler=ALWAYS_OFF)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = provider.get_tracer("private")

    def handler(event, context):
        with off.get_tracer("x").start_as_current_span("off") as span:
            is_recording = span.is_recording()
        with tracer.start_as_current_span("mine"), trace.get_tracer("user").start_as_current_span("theirs"):
            pass
        return [is_recording, *(span.name for span in memory.get_finished_spans())]

    return handler


def processor_later():
    """Adds a processor to whatever provider there is, as libraries do."""
    from opentelemetry.sdk.trace import SpanProcessor

    ended = []

    class Noting(SpanProcessor):
        def on_end(self, span):
            ended.append(span.name)

    with_provider()
    trace.get_tracer_provider().add_span_processor(Noting())

    def handler(event, context):
        with trace.get_tracer("user").start_as_current_span("mine"):
            pass
        return [name for name in ended if name == "mine"]

    return handler


def propagator():
    """Sets the process's propagator."""
    import requests
    from opentelemetry import baggage, context as contexts, propagate
    from opentelemetry.baggage.propagation import W3CBaggagePropagator
    from opentelemetry.propagators.composite import CompositePropagator
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    propagate.set_global_textmap(CompositePropagator([TraceContextTextMapPropagator(), W3CBaggagePropagator()]))

    def handler(event, context):
        token = contexts.attach(baggage.set_baggage("tenant", "t1"))
        carrier = {}
        propagate.inject(carrier)
        own = {name: value for name, value in carrier.items() if name == "baggage"}
        requests.get(f"{PEER}/http/propagated", headers=own, timeout=10)
        contexts.detach(token)
        return [own, baggage.get_baggage("tenant", propagate.extract({"baggage": "tenant=t2"}))]

    return handler


handler = globals()[os.environ["START"]]()
