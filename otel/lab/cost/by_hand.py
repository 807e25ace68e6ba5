"""The handler with OpenTelemetry, set up as in its documentation: SDK, three instrumentations, OTLP over HTTP."""

# ruff: noqa: E402
from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.aws_lambda import AwsLambdaInstrumentor
from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.propagators.aws.aws_xray_propagator import AwsXRayLambdaPropagator
from opentelemetry.sdk.extension.aws.resource._lambda import AwsLambdaResourceDetector
from opentelemetry.sdk.extension.aws.trace import AwsXRayIdGenerator
from opentelemetry.sdk.resources import get_aggregated_resources
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

propagate.set_global_textmap(AwsXRayLambdaPropagator())
provider = TracerProvider(
    resource=get_aggregated_resources([AwsLambdaResourceDetector()]),
    id_generator=AwsXRayIdGenerator(),
)
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
BotocoreInstrumentor().instrument()  # type: ignore[no-untyped-call]
RequestsInstrumentor().instrument()
AwsLambdaInstrumentor().instrument()

from lab.response_time.handler import handler

__all__ = ["handler"]
