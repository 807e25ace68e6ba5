"""Half of it rewritten for OpenTelemetry's API, half of it still written for the X-Ray SDK."""

from typing import Any

from aws_xray_sdk.core import xray_recorder
from opentelemetry import trace

tracer = trace.get_tracer(__name__)
DECLARED = {"aws.xray.annotations": ["declared"]}


def handler(event: dict[str, Any], context: Any) -> Any:
    """One of both."""
    if event["use"] == "inner span":
        with xray_recorder.in_subsegment("subsegment"), tracer.start_as_current_span("span"):
            xray_recorder.put_annotation("on", "span")
            return xray_recorder.current_subsegment().name
    with tracer.start_as_current_span("span", attributes=DECLARED) as span:
        span.set_attribute("declared", 1)
        span.set_attribute("aws.xray.metadata.default", '{"a": 1}')
        xray_recorder.put_annotation("added", 2)
        xray_recorder.put_metadata("b", 2)
        with xray_recorder.in_subsegment("subsegment"):
            xray_recorder.put_annotation("on", "subsegment")
        return xray_recorder.current_subsegment().name
