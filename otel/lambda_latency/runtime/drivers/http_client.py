"""Direct use of http.client: a call from its request to its response. Calls of traced libraries are left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from opentelemetry.instrumentation.utils import is_http_instrumentation_enabled
from opentelemetry.propagate import inject
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, Status, StatusCode, Tracer, get_current_span, use_span

from lambda_latency.runtime.drivers.call import is_wanted
from lambda_latency.runtime.replace import replaced

# Libraries on http.client whose calls have spans of their own
OTHERS = ("botocore", "requests", "urllib3")


def instrument(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    """Wrap `request`, `getresponse` and `close`."""
    calls, owner = PendingCalls(module, tracer), module.HTTPConnection
    return [
        replaced(owner, "request", calls.requesting),
        replaced(owner, "getresponse", calls.answering),
        replaced(owner, "close", calls.closing),
    ]


class PendingCalls:
    """The calls that wait for their response, by connection."""

    def __init__(self, module: Any, tracer: Tracer) -> None:
        self._secure = getattr(module, "HTTPSConnection", ())
        self._tracer = tracer
        self._open: WeakKeyDictionary[Any, Span] = WeakKeyDictionary()

    def requesting(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def request(connection: Any, method: str, url: str, body: Any = None, headers: Any = None, **more: Any) -> Any:
            plain = headers if headers is not None else {}
            if type(connection).__module__.partition(".")[0] in OTHERS or not is_http_instrumentation_enabled():
                return original(connection, method, url, body, plain, **more)
            with use_span(
                self._started(connection, method, url), record_exception=False, set_status_on_exception=False
            ):
                tracing: dict[str, str] = {}
                inject(tracing)
                try:
                    return original(connection, method, url, body, {**dict(plain), **tracing}, **more)
                except BaseException as error:
                    self._end(connection, error)
                    raise

        return request

    def answering(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def getresponse(connection: Any) -> Any:
            try:
                response = original(connection)
            except BaseException as error:
                self._end(connection, error)
                raise
            self._end(connection, status=response.status)
            return response

        return getresponse

    def closing(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def close(connection: Any) -> Any:
            self._end(connection)  # its response was never read
            return original(connection)

        return close

    def _started(self, connection: Any, method: str, url: str) -> Span:
        """Return the span of a call; in an unrecorded request the current, unrecorded one."""
        self._end(connection)
        current = get_current_span()
        if not is_wanted():
            return current if current.get_span_context().is_valid else INVALID_SPAN
        scheme = "https" if isinstance(connection, self._secure) else "http"
        address = url if "://" in url else f"{scheme}://{connection.host}:{connection.port}{url}"
        attributes = {
            "http.method": method,
            "http.url": address,
            "net.peer.name": connection.host,
            "net.peer.port": connection.port,
        }
        span = self._open[connection] = self._tracer.start_span(method, kind=SpanKind.CLIENT, attributes=attributes)
        return span

    def _end(self, connection: Any, error: BaseException | None = None, status: int = 0) -> None:
        span = self._open.pop(connection, None)
        if span is None:
            return
        if status:
            span.set_attribute("http.status_code", status)
        if error is not None:
            span.record_exception(error)
        if error is not None or status >= 400:
            span.set_status(Status(StatusCode.ERROR, None if error is None else str(error)))
        span.end()
