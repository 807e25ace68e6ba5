"""What two of a request's rows tell of it: the outermost one and its handler's, where that was recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_latency.trace.row import Row

__all__ = ["function_of", "is_error", "route_of", "status_code_of"]


def route_of(outermost: Row, handler: Row | None, function: str) -> str:
    """`POST /orders`: method and resource path of the handler's span, else of the outermost one, else a name.

    The X-Ray SDK keeps no resource path, and a stage of API Gateway has many: `POST CreateOrder`, by its function.
    """
    rows = [row for row in (handler, outermost) if row is not None]
    for row in rows:
        if row.route:
            return f"{_method(row)} {row.route}".strip()
    if rows[0].shape.is_gateway and function:
        return f"{_method(rows[0])} {function}".strip()
    return rows[0].name


def function_of(segment: Row | None, handler: Row | None) -> str:
    """The function that answered: as Lambda names it, else as its own spans do; empty where nothing says it."""
    if segment is not None:
        return segment.name
    resource = handler.shape.resource if handler is not None else {}
    name = resource.get("faas.name") or resource.get("service.name")
    return name if isinstance(name, str) else ""


def status_code_of(outermost: Row, handler: Row | None) -> int | None:
    """The HTTP status that the caller saw."""
    for row in (outermost, handler):
        for key in ("http.response.status_code", "http.status_code"):
            code = row.shape[key] if row is not None else None
            if isinstance(code, int) and not isinstance(code, bool):
                return code
    return None


def is_error(outermost: Row, handler: Row | None) -> bool:
    """Whether the request failed: a 5xx answer, or an ERROR on its outermost or its handler's span."""
    code = status_code_of(outermost, handler)
    if code is not None and code >= 500:
        return True
    return any(row is not None and row.shape.status.name == "ERROR" for row in (outermost, handler))


def _method(row: Row) -> str:
    for key in ("http.request.method", "http.method"):
        value = row.shape[key]
        if isinstance(value, str) and value:
            return value
    return ""
