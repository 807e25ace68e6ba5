"""The tracing header on its way through SQS: AWS takes it off the request, and whoever receives the message gets it."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["with_trace_header"]

SEND, SEND_BATCH = "AmazonSQS.SendMessage", "AmazonSQS.SendMessageBatch"
ATTRIBUTE = "AWSTraceHeader"


def with_trace_header(target: str, body: bytes, header: str) -> bytes:
    """The body of a call (X-Amz-Target) with the header on each message that it sends; any other call's as it is."""
    if target not in (SEND, SEND_BATCH) or not header:
        return body
    try:
        call: dict[str, Any] = json.loads(body)
        for message in call["Entries"] if target == SEND_BATCH else [call]:
            attributes = message.setdefault("MessageSystemAttributes", {})
            attributes.setdefault(ATTRIBUTE, {"DataType": "String", "StringValue": header})
    except (ValueError, TypeError, KeyError, AttributeError):
        return body  # the emulator says what is wrong with it
    return json.dumps(call).encode()
