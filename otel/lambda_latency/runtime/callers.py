"""The parent that a caller's own headers name. Asked only where LAMBDA_LATENCY_TRUST_HEADERS says so.

Any caller can write them: who trusts them lets callers choose the trace, hide their requests and force their sampling.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from opentelemetry.trace import SpanContext, TraceFlags

from lambda_latency.runtime.propagation import remote_parent

if TYPE_CHECKING:
    from typing import Any

__all__ = ["callers_parent"]

TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")


def callers_parent(event: object) -> SpanContext | None:
    """`traceparent` before `X-Amzn-Trace-Id`, in an API's event; None where neither is whole."""
    headers: Any = event.get("headers") if isinstance(event, Mapping) else None
    if not isinstance(headers, Mapping):
        return None
    given = {key.lower(): value for key, value in headers.items() if isinstance(key, str) and isinstance(value, str)}
    match = TRACEPARENT.fullmatch(given.get("traceparent", "").strip())
    if match is not None:
        flags = TraceFlags(int(match[3], 16) & TraceFlags.SAMPLED)
        return SpanContext(int(match[1], 16), int(match[2], 16), is_remote=True, trace_flags=flags)
    return remote_parent(given.get("x-amzn-trace-id", ""))
