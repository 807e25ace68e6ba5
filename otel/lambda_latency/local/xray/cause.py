"""The failure of a span in a segment document: fault, error and throttle, and `cause` with the exceptions."""

from __future__ import annotations

import os
import re
from typing import Any

from lambda_latency.trace import Event, Span, SpanKind, Status

FRAME = re.compile(r'  File "(?P<path>[^,]*)", line (?P<line>\d+), in (?P<label>[^,]*)')
CHAINED = "During handling of the above exception, another exception occurred:"


def flags(span: Span) -> dict[str, bool]:
    """Fault, error and throttle: by the HTTP status if that is an error, otherwise by the span's own status."""
    code = span.attributes.get("http.status_code", span.attributes.get("http.response.status_code"))
    code = code if type(code) is int else 0  # a status that is text is ignored
    if 400 <= code <= 499:
        return {"fault": False, "error": True, "throttle": code == 429}
    return {"fault": 500 <= code <= 599 or span.status is Status.ERROR, "error": False, "throttle": False}


def cause_part(span: Span, left: dict[str, Any]) -> dict[str, Any] | None:
    """The exceptions of a span, failed or not; without any, the message of its ERROR status as an exception; else None.

    The attribute with the message is removed from `left`.
    """
    exceptions = [_exception(event, span) for event in span.events if event.name == "exception"]
    if not exceptions and span.status is Status.ERROR:
        message = span.status_message or str(left.get("http.status_text", ""))
        left.pop("http.status_text", None)
        if message:
            exceptions = [{"id": _id(), "message": message, "type": ""}]
    return {"exceptions": exceptions} if exceptions else None


def _exception(event: Event, span: Span) -> dict[str, Any]:
    exception: dict[str, Any] = {
        "id": _id(),
        "message": str(event.attributes.get("exception.message", "")),
        "type": str(event.attributes.get("exception.type", "")),
        "remote": span.kind in (SpanKind.CLIENT, SpanKind.PRODUCER),
    }
    trace = event.attributes.get("exception.stacktrace")
    if isinstance(trace, str) and span.resource.get("telemetry.sdk.language") == "python":
        stack = _stack(trace)
        if stack:
            exception["stack"] = stack
    return exception


def _stack(trace: str) -> list[dict[str, Any]]:
    """Python's stack, from the innermost frame outwards, without the exception that was being handled.

    The exporter reads that exception as a second one, but uses a line of code as its type.
    """
    frames = []
    for line in reversed(trace.split("\n")[:-1]):
        if line.startswith(CHAINED):
            break
        if frame := FRAME.fullmatch(line):
            frames.append({"path": frame["path"], "line": int(frame["line"]), "label": frame["label"]})
    return frames


def _id() -> str:
    return os.urandom(8).hex()
