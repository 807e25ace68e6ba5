"""What is told of a request by two of its spans: the outermost one and its handler's, where that was recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.trace.platform import GATEWAY

if TYPE_CHECKING:
    from lambda_latency.trace.span import Span

__all__ = ["function_of", "is_error", "route_of", "status_code_of"]


def route_of(outermost: Span, handler: Span | None, function: str) -> str:
    """`POST /orders`: method and resource path of the handler's span, else of the outermost one, else a name.

    The X-Ray SDK keeps no resource path, and a stage of API Gateway has many: `POST CreateOrder`, by its function.
    """
    spans = [span for span in (handler, outermost) if span is not None]
    for span in spans:
        method = _text(span, "http.request.method", "http.method")
        path = _text(span, "http.route")
        if path:
            return f"{method} {path}".strip()
    if spans[0].origin == GATEWAY and function:
        return f"{_text(spans[0], 'http.request.method', 'http.method')} {function}".strip()
    return spans[0].name


def function_of(segment: Span | None, handler: Span | None) -> str:
    """The function that answered: as Lambda names it, else as its own spans do; empty where nothing says it."""
    if segment is not None:
        return segment.name
    name = handler.resource.get("faas.name") or handler.resource.get("service.name") if handler is not None else None
    return name if isinstance(name, str) else ""


def status_code_of(outermost: Span, handler: Span | None) -> int | None:
    """The HTTP status that the caller saw."""
    for span in (outermost, handler):
        for key in ("http.response.status_code", "http.status_code"):
            code = span.attributes.get(key) if span is not None else None
            if isinstance(code, int) and not isinstance(code, bool):
                return code
    return None


def is_error(outermost: Span, handler: Span | None) -> bool:
    """Did the request fail: a 5xx answer, or an ERROR on its outermost or its handler's span?"""
    code = status_code_of(outermost, handler)
    if code is not None and code >= 500:
        return True
    return any(span is not None and span.status.name == "ERROR" for span in (outermost, handler))


def _text(span: Span, *keys: str) -> str:
    for key in keys:
        value = span.attributes.get(key)
        if isinstance(value, str) and value:
            return value
    return ""
