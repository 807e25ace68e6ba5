"""Facts about a request from two of its compact spans: the request root, and the handler's if it was recorded.

A view decides which one is the request root.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from lambda_latency.trace.model.compact_span import CompactSpan
from lambda_latency.trace.model.platform import DURABLE_EXECUTION, GATEWAY

# The beginning of the route of a durable execution, which the name of its function follows
EXECUTION_ROUTE = "execution "
# The end of the message about an execution that has not ended
RUNNING = " is still running: not judged"


class View(NamedTuple):
    """`skew`: correct the clock skew between services. `from_lambda`: a request begins at AWS's or the handler's span.

    Without `from_lambda` a request begins at the root above that span, if a caller recorded spans.
    """

    skew: bool = True
    from_lambda: bool = False


DEFAULT_VIEW = View()


# What tells an id in a path from a word: a number or a date, or a UUID or eight characters and more with two digits.
# Either may have a prefix, such as `order-`; a number then has three digits and more.
RANDOM = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?=(?:[a-z]*\d){2})[0-9a-z]{8,}"
ID = re.compile(rf"(?<=/)(?:\d+(?:[-:]\d+)*|(?:[a-z]+[-_])?(?:{RANDOM})|[a-z]+[-_]\d{{3,}})(?![^/\s])", re.IGNORECASE)


def route_of(request_root: CompactSpan, router: CompactSpan | None, function: str) -> str:
    """`POST /orders`: the method and the resource path of the span that names the route, else of the request root.

    Without a path the route is the name of the first of these spans that was recorded. A stage of API Gateway serves
    many routes, so instead of its name the route is its method and the function: `POST CreateOrder`. The X-Ray SDK
    records no resource path. Ids in a path are replaced by `{id}`, and a query is cut off.
    """
    return without_ids(_written_route(request_root, router, function))


def _written_route(request_root: CompactSpan, router: CompactSpan | None, function: str) -> str:
    if request_root.signature.origin == DURABLE_EXECUTION:
        return request_root.name
    spans = [span for span in (router, request_root) if span is not None]
    for span in spans:
        if span.http_route:
            return f"{_method(span)} {span.http_route}".strip()
    if spans[0].signature.origin == GATEWAY and function:
        return f"{_method(spans[0])} {function}".strip()
    return spans[0].name


def without_ids(route: str) -> str:
    """A route, or another name, with `{id}` for each id in its path, and without its query."""
    return ID.sub("{id}", route.partition("?")[0])


def function_of(segment: CompactSpan | None, handler: CompactSpan | None) -> str:
    """The function that answered: the name of Lambda's segment, else from the handler's resource, else empty."""
    if segment is not None:
        return segment.name
    resource = handler.signature.resource if handler is not None else {}
    name = resource.get("faas.name") or resource.get("service.name")
    return name if isinstance(name, str) else ""


def status_code_of(request_root: CompactSpan, handler: CompactSpan | None) -> int | None:
    """The HTTP status of the request root, which the caller saw, else of the handler's span; None without both."""
    for span in (request_root, handler):
        for key in ("http.response.status_code", "http.status_code"):
            code = span.signature[key] if span is not None else None
            if isinstance(code, int) and not isinstance(code, bool):
                return code
    return None


def is_error(request_root: CompactSpan, handler: CompactSpan | None) -> bool:
    """Whether the request failed: an HTTP status of 5xx, or status ERROR on the request root or the handler's span."""
    if request_root.signature.origin == DURABLE_EXECUTION:  # of which an invocation may fail and be repeated
        return request_root.signature.status.name == "ERROR"
    code = status_code_of(request_root, handler)
    if code is not None and code >= 500:
        return True
    return any(span is not None and span.signature.status.name == "ERROR" for span in (request_root, handler))


def _method(span: CompactSpan) -> str:
    for key in ("http.request.method", "http.method"):
        method = span.signature[key]
        if isinstance(method, str) and method:
            return method
    return ""
