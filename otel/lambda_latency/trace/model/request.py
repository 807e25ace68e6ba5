"""Facts about a request from two of its rows: the outermost one, and the handler's if it was recorded.

A view decides which row is the outermost one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lambda_latency.trace.model.row import Row


class View(NamedTuple):
    """`skew`: correct the clock skew between services. `from_lambda`: a request begins at AWS's or the handler's span.

    Without `from_lambda` a request begins at the top above that span, if a caller recorded spans.
    """

    skew: bool = True
    from_lambda: bool = False


PLAIN = View()


# What tells an id in a path from a word: a number or a date, or a UUID or eight characters and more with two digits.
# Either may have a prefix, such as `order-`; a number then has three digits and more.
RANDOM = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?=(?:[a-z]*\d){2})[0-9a-z]{8,}"
ID = re.compile(rf"(?<=/)(?:\d+(?:[-:]\d+)*|(?:[a-z]+[-_])?(?:{RANDOM})|[a-z]+[-_]\d{{3,}})(?![^/\s])", re.IGNORECASE)


def route_of(outermost: Row, router: Row | None, function: str) -> str:
    """`POST /orders`: the method and the resource path of the span that names the route, else of the outermost span.

    Without a path the route is the name of the first of these spans that was recorded. A stage of API Gateway serves
    many routes, so instead of its name the route is its method and the function: `POST CreateOrder`. The X-Ray SDK
    records no resource path. Ids in a path are replaced by `{id}`, and a query is cut off.
    """
    return without_ids(_written_route(outermost, router, function))


def _written_route(outermost: Row, router: Row | None, function: str) -> str:
    rows = [row for row in (router, outermost) if row is not None]
    for row in rows:
        if row.route:
            return f"{_method(row)} {row.route}".strip()
    if rows[0].shape.is_gateway and function:
        return f"{_method(rows[0])} {function}".strip()
    return rows[0].name


def without_ids(route: str) -> str:
    """A route, or another name, with `{id}` for each id in its path, and without its query."""
    return ID.sub("{id}", route.partition("?")[0])


def function_of(segment: Row | None, handler: Row | None) -> str:
    """The function that answered: the name of Lambda's segment, else from the handler's resource, else empty."""
    if segment is not None:
        return segment.name
    resource = handler.shape.resource if handler is not None else {}
    name = resource.get("faas.name") or resource.get("service.name")
    return name if isinstance(name, str) else ""


def status_code_of(outermost: Row, handler: Row | None) -> int | None:
    """The HTTP status of the outermost span, which the caller saw, else of the handler's; None if both have none."""
    for row in (outermost, handler):
        for key in ("http.response.status_code", "http.status_code"):
            code = row.shape[key] if row is not None else None
            if isinstance(code, int) and not isinstance(code, bool):
                return code
    return None


def is_error(outermost: Row, handler: Row | None) -> bool:
    """Whether the request failed: an HTTP status of 5xx, or status ERROR on the outermost or the handler's span."""
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
