"""Instruments botocore before boto3 is imported."""

from opentelemetry import trace
from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
from opentelemetry.sdk.trace import TracerProvider

if not hasattr(trace.get_tracer_provider(), "add_span_processor"):
    trace.set_tracer_provider(TracerProvider())
CALLED = []
BotocoreInstrumentor().instrument(request_hook=lambda span, service, operation, parameters: CALLED.append(operation))

import boto3  # noqa: E402


def handler(event, context):
    CALLED.clear()
    boto3.client("dynamodb").get_item(TableName="orders", Key={"id": {"S": "1"}})
    return CALLED
