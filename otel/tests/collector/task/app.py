"""A handler that makes 99 spans of every kind, and keeps the very bytes that the runtime sends."""

import os
import time
from pathlib import Path
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Link, SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue

from lambda_latency.runtime.delivery.transport import Reply, Transport

SPANS = 99
tracer = trace.get_tracer("app", "1.2.3", attributes={"scope": "attribute"})
folder = Path(os.environ["TEE"])
post = Transport.post


def teed(self: Transport, body: bytes, seconds: float) -> Reply:
    """Write each body to a file of its own, then send it."""
    (folder / f"{os.getpid()}-{time.monotonic_ns()}").write_bytes(body)
    return post(self, body, seconds)


Transport.post = teed  # type: ignore[method-assign]


def many(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer when they are made."""
    kinds = list(SpanKind)
    around = trace.get_current_span().get_span_context()
    for number in range(SPANS):
        attributes: dict[str, AttributeValue] = {
            "text": f"Straße {number} \N{SNOWMAN}",
            "empty": "",
            "whole": number - 2**62,
            "real": number / 7,
            "yes": number % 2 == 0,
            "texts": ["a", "", "\N{SNOWMAN}"],
            "numbers": [1, 2, number],
            "nothing": [],
        }
        span = tracer.start_span(
            f"step {number}", None, kinds[number % 5], attributes, [Link(around, {"link": number})]
        )
        with trace.use_span(span, end_on_exit=True):
            span.add_event("event", {"at": number})
            if number % 3 == 0:
                span.record_exception(ValueError("on purpose"))
                span.set_status(Status(StatusCode.ERROR, "on purpose"))
            elif number % 3 == 1:
                span.set_status(Status(StatusCode.OK))
    return {"statusCode": 200, "body": "{}"}
