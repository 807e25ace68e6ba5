"""Direct use of http.client: a call from its request to its response. Calls of traced libraries are left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from opentelemetry.instrumentation.utils import is_http_instrumentation_enabled
from opentelemetry.propagate import inject
from opentelemetry.trace import INVALID_SPAN, SpanKind, Status, StatusCode, get_current_span, use_span

from lambda_latency.runtime.drivers.call import is_wanted
from lambda_latency.runtime.replace import replaced

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import Span, Tracer

OTHERS = ("botocore", "requests", "urllib3")  # libraries on http.client whose calls have spans of their own


def instrument(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    """Wrap `request`, `getresponse` and `close`."""
    calls, owner = Calls(module, tracer), module.HTTPConnection
    return [
        replaced(owner, "request", calls.requesting),
        replaced(owner, "getresponse", calls.answering),
        replaced(owner, "close", calls.closing),
    ]


class Calls:
    """The calls that wait for their response, by connection."""

    def __init__(self, module: Any, tracer: Tracer) -> None:
        self._secure = getattr(module, "HTTPSConnection", ())
        self._tracer = tracer
        self._open: WeakKeyDictionary[Any, Span] = WeakKeyDictionary()

    def requesting(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def request(connection: Any, method: str, url: str, body: Any = None, headers: Any = None, **more: Any) -> Any:
            given = headers if headers is not None else {}
            if type(connection).__module__.partition(".")[0] in OTHERS or not is_http_instrumentation_enabled():
                return original(connection, method, url, body, given, **more)
            with use_span(self._begun(connection, method, url), record_exception=False, set_status_on_exception=False):
                carried: dict[str, str] = {}
                inject(carried)
                try:
                    return original(connection, method, url, body, {**dict(given), **carried}, **more)
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

    def _begun(self, connection: Any, method: str, url: str) -> Span:
        """The span of a call; in an unrecorded request the current, unrecorded one."""
        self._end(connection)
        current = get_current_span()
        if not is_wanted():
            return current if current.get_span_context().is_valid else INVALID_SPAN
        scheme = "https" if isinstance(connection, self._secure) else "http"
        address = url if "://" in url else f"{scheme}://{connection.host}:{connection.port}{url}"
        about = {"http.method": method, "http.url": address, "net.peer.name": connection.host,
                 "net.peer.port": connection.port}  # fmt: skip
        span = self._open[connection] = self._tracer.start_span(method, kind=SpanKind.CLIENT, attributes=about)
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
