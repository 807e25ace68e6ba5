"""elasticsearch, which has spans of its own, and opensearch, which has none: each call is one CLIENT span.

Both use other libraries whose calls have spans; inside of these calls they have none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.instrumentation.utils import suppress_http_instrumentation
from opentelemetry.trace import SpanKind, Tracer
from opentelemetry.util.types import AttributeValue

from lambda_latency.runtime.drivers.call import call, within
from lambda_latency.runtime.replace import put


def elasticsearch(module: Any, _: Tracer) -> list[Callable[[], object]]:
    """Replace its tracer, which creates INTERNAL spans, by one that creates CLIENT spans."""
    return [put(module._otel, "_tracer", CallTracer(module._otel._tracer))]


class CallTracer:
    """A tracer whose spans are calls; HTTP calls inside have no spans."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    @contextmanager
    def start_as_current_span(self, name: str, **kwargs: Any) -> Iterator[Any]:
        """As the original tracer."""
        with (
            self._tracer.start_as_current_span(name, **{"kind": SpanKind.CLIENT, **kwargs}) as span,
            suppress_http_instrumentation(),
        ):
            yield span

    def __getattr__(self, name: str) -> Any:
        if name == "_tracer":  # in a copy that has no fields yet
            raise AttributeError(name)
        return getattr(self._tracer, name)


def opensearch(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    """Wrap the requests of its transports; the span is named by the requested path."""

    @contextmanager
    def perform(transport: Any, method: str = "", url: str = "", *_: object, **__: object) -> Iterator[None]:
        operation, attributes = described(transport, str(method), str(url))
        with call(tracer, operation, attributes) as span, suppress_http_instrumentation():
            try:
                yield
            except Exception as error:
                status = getattr(error, "status_code", None)
                if span is not None and isinstance(status, int):
                    span.set_attribute("http.status_code", status)
                raise

    transports = [module.Transport]
    if hasattr(module, "AsyncTransport"):
        transports.append(module.AsyncTransport)
    return [within(transport, "perform_request", perform) for transport in transports]


def described(transport: Any, method: str, url: str) -> tuple[str, dict[str, AttributeValue]]:
    """Return the operation and the attributes of a request: by the parts of its path, such as `/orders/_search`."""
    parts = [part for part in url.partition("?")[0].split("/") if part]
    operation = next((part.lstrip("_") for part in parts if part.startswith("_")), "") or method
    attributes: dict[str, AttributeValue] = {"db.system": "opensearch", "db.operation": operation}
    attributes["http.method"] = method
    if parts and not parts[0].startswith("_"):
        attributes["db.collection.name"] = parts[0]
    if transport.hosts:
        attributes["net.peer.name"] = transport.hosts[0].get("host", "localhost")
        attributes["net.peer.port"] = transport.hosts[0].get("port", 9200)
    return operation, attributes
