"""The spans of AWS's own services, recorded by gateway and sandbox, and the tracing header that connects them."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from lambda_latency.trace import FUNCTION, LAPTOP, SERVICE, Scope, Span, SpanKind, Status

SCOPE = Scope("lambda_latency.local")
ROOT = re.compile(r"1-(?!0{8}-0{24})([0-9a-f]{8})-([0-9a-f]{24})", re.IGNORECASE | re.ASCII)
PARENT = re.compile(r"(?!0{16})[0-9a-f]{16}", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class TracingHeader:
    """X-Ray's tracing header, `X-Amzn-Trace-Id`: the trace, the caller's span, and whether it is sampled."""

    trace_id: str
    parent_id: str
    sampled: bool

    def __str__(self) -> str:
        root = f"1-{self.trace_id[:8]}-{self.trace_id[8:]}"
        return f"Root={root};Parent={self.parent_id};Sampled={int(self.sampled)}"

    @classmethod
    def parse(cls, header: str) -> TracingHeader | None:
        """Parses a header; None without a valid root and parent. A missing `Sampled` means not sampled."""
        fields = dict(field.strip().split("=", 1) for field in header.split(";") if "=" in field)
        root, parent = ROOT.fullmatch(fields.get("Root", "")), PARENT.fullmatch(fields.get("Parent", ""))
        if root is None or parent is None:
            return None
        return cls((root[1] + root[2]).lower(), parent[0].lower(), fields.get("Sampled") == "1")

    @classmethod
    def new(cls, *, sampled: bool) -> TracingHeader:
        """Return a header of a new trace; its parent is the first span."""
        return cls(new_trace_id(), new_span_id(), sampled)


def new_trace_id() -> str:
    """Return a trace id of 32 hex digits, the first 8 of which are the seconds since 1970, as X-Ray requires."""
    return f"{int(time.time()):08x}{os.urandom(12).hex()}"


def new_span_id() -> str:
    return os.urandom(8).hex()


@dataclass(frozen=True, slots=True)
class InvocationTimes:
    """The times of an invocation, in epoch nanoseconds; `init` only if the request waited for it."""

    called: int
    started: int
    responded: int
    ended: int
    init: tuple[int, int] | None


def function_segments(
    name: str,
    header: TracingHeader,
    function_span_id: str,
    times: InvocationTimes,
    attributes: Mapping[str, object],
    failure: str | None,
) -> list[Span]:
    """Lambda's spans of one invocation: the service's segment, the function's, and the function's phases.

    As in X-Ray, Initialization is a child of the function's segment that lies before it, and the function's segment
    and its Overhead go on after the response.
    """
    resource = {
        "service.name": name,
        "cloud.provider": "aws",
        "cloud.platform": "aws_lambda",
        "faas.name": name,
        LAPTOP: True,
    }

    def span(span_id: str, parent: str, label: str, start: int, end: int, **more: object) -> Span:
        kind = SpanKind.SERVER if "aws.xray.origin" in more else SpanKind.INTERNAL
        failed = failure is not None and label in (name, "Invocation")
        return Span(
            trace_id=header.trace_id,
            span_id=span_id,
            parent_id=parent,
            parent_remote=parent == header.parent_id,
            name=label,
            kind=kind,
            start_ns=start,
            end_ns=end,
            status=Status.ERROR if failed else Status.UNSET,
            status_message=(failure or "") if failed else "",
            attributes={**(attributes if kind is SpanKind.SERVER else {}), **more},
            resource=resource,
            scope=SCOPE,
        )

    service = new_span_id()
    spans = [
        span(service, header.parent_id, name, times.called, times.responded, **{"aws.xray.origin": SERVICE}),
        span(function_span_id, service, name, times.started, times.ended, **{"aws.xray.origin": FUNCTION}),
        span(new_span_id(), function_span_id, "Invocation", times.started, times.responded),
        span(new_span_id(), function_span_id, "Overhead", times.responded, times.ended),
    ]
    if times.init is not None:
        spans.insert(2, span(new_span_id(), function_span_id, "Initialization", *times.init))
    return spans
