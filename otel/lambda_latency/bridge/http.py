"""Tracing headers and aiohttp calls, for code that does manually what the kit does automatically."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from lambda_latency.bridge.recorder import xray_recorder

log = logging.getLogger("aws_xray_sdk.core.models.trace_header")
HEADER = "X-Amzn-Trace-Id"
request_keys = ("url", "method", "user_agent", "client_ip", "x_forwarded_for")
response_keys = ("status", "content_length")
# A mark of the configuration that OpenTelemetry adds to a session
INSTRUMENTED = "_is_instrumented_by_opentelemetry"


class TraceHeader:
    """The parts of `X-Amzn-Trace-Id`. `sampled` is 1, 0, `?` or None."""

    def __init__(
        self, root: str | None = None, parent: str | None = None, sampled: Any = None, data: Any = None
    ) -> None:
        self.root = root
        self.parent = parent
        self.sampled = {"1": 1, "0": 0, "True": 1, "False": 0, "?": "?"}.get(str(sampled))
        self.data = data

    @classmethod
    def from_header_str(cls, header: str | None) -> TraceHeader:
        """Parses a header; an absent or malformed one has no parts."""
        parts = [part.partition("=") for part in (header or "").strip().split(";") if part]
        if not all(equals for _, equals, _ in parts):
            log.warning("malformed tracing header %s, ignore.", header)
            return cls()
        fields = {name: value for name, _, value in parts if name != "Self"}
        root, parent, sampled = (fields.pop(name, None) for name in ("Root", "Parent", "Sampled"))
        return cls(root, parent, sampled, fields)

    def to_header_str(self) -> str:
        """The header as text."""
        fields = (("Root", self.root), ("Parent", self.parent), ("Sampled", self.sampled))
        parts = [f"{name}={value}" for name, value in fields if value is not None]
        return ";".join([*parts, *(f"{name}={value}" for name, value in (self.data or {}).items())])


class SqsMessageHelper:
    """Reads the sampling decision of a message."""

    @staticmethod
    def isSampled(sqs_message: Any) -> bool:
        """Whether the message's sender was sampled, by the tracing header in its attributes."""
        return "Sampled=1" in sqs_message["attributes"].get("AWSTraceHeader", "")


def construct_xray_header(headers: Any) -> TraceHeader:
    """The tracing header in a request's headers."""
    return TraceHeader.from_header_str(headers.get(HEADER) or headers.get("HTTP_X_AMZN_TRACE_ID"))


def inject_trace_header(headers: Any, entity: Any) -> None:
    """Adds an entity's tracing header to a request's headers."""
    if entity is not None:
        headers[HEADER] = TraceHeader(entity.trace_id, entity.id, int(entity.sampled)).to_header_str()


def calculate_segment_name(host_name: str, recorder: Any) -> Any:
    """The name from the recorder's `dynamic_naming` for a host, or the recorder's service."""
    return recorder.dynamic_naming.get_name(host_name) if recorder.dynamic_naming else recorder.service


def strip_url(url: str) -> str:
    """A URL without its query."""
    return url.partition("?")[0] if url else url


def get_hostname(url: str | None) -> str:
    """The host of a URL."""
    return (urlsplit(url).hostname or "UNKNOWN HOST") if url else "UNKNOWN HOST"


def aws_xray_trace_config(name: str | None = None) -> Any:
    """A TraceConfig that records requests as subsegments, named after the host or as given.

    Where the kit records the requests of a session by itself, it only gives them the name.
    """
    import aiohttp

    def context(**_: Any) -> SimpleNamespace:
        return SimpleNamespace(name=name)

    config = aiohttp.TraceConfig(trace_config_ctx_factory=context)  # type: ignore[arg-type]  # anything callable will do
    config.on_request_start.append(_started)
    config.on_request_end.append(_ended)
    config.on_request_exception.append(_failed)
    return config


async def _started(session: Any, request: Any, params: Any) -> None:
    request.subsegment = None
    request.is_recorded = any(hasattr(trace_config, INSTRUMENTED) for trace_config in session.trace_configs)
    if request.is_recorded:
        return
    request.subsegment = xray_recorder.begin_subsegment(request.name or get_hostname(str(params.url)), "remote")
    if request.subsegment is not None:
        request.subsegment.put_http_meta("method", params.method)
        request.subsegment.put_http_meta("url", strip_url(params.url.human_repr()))
        if request.subsegment.sampled:
            inject_trace_header(params.headers, request.subsegment)


async def _ended(_: Any, request: Any, params: Any) -> None:
    if request.subsegment is not None:
        request.subsegment.put_http_meta("status", params.response.status)
        xray_recorder.end_own(request.subsegment)
    _name_recorded(request)


async def _failed(_: Any, request: Any, params: Any) -> None:
    if request.subsegment is not None:
        request.subsegment.add_exception(params.exception, None)
        xray_recorder.end_own(request.subsegment)
    _name_recorded(request)


def _name_recorded(request: Any) -> None:
    """Give the kit's span the name: it is the current one, as its configuration follows that of the code."""
    if request.is_recorded and request.name:
        from opentelemetry.trace import get_current_span  # the layer may be there without OpenTelemetry

        get_current_span().set_attribute("peer.service", request.name)
