"""elasticsearch, which has spans of its own, and opensearch, which has none: each call is one CLIENT span.

Both use other libraries whose calls have spans; inside of these calls they have none.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.utils import suppress_http_instrumentation
from opentelemetry.trace import SpanKind

from lambda_latency.runtime.drivers.call import call
from lambda_latency.runtime.drivers.within import within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from opentelemetry.trace import Tracer
    from opentelemetry.util.types import AttributeValue


def instrument(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    """Instrument the imported module: one of the two."""
    return (opensearch if module.__name__ == "opensearchpy" else elasticsearch)(module, tracer)


def elasticsearch(module: Any, _: Tracer) -> list[Callable[[], object]]:
    """Replace its tracer, which creates INTERNAL spans, by one that creates CLIENT spans."""
    own = module._otel
    original = own._tracer
    own._tracer = Calls(original)

    def undo() -> None:
        own._tracer = original

    return [undo]


class Calls:
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
        return getattr(self._tracer, name)


def opensearch(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    """Wrap the requests of its transports; the span is named by the requested path."""

    @contextmanager
    def perform(transport: Any, method: str = "", url: str = "", *_: object, **__: object) -> Iterator[None]:
        parts = [part for part in str(url).partition("?")[0].split("/") if part]
        operation = next((part.lstrip("_") for part in parts if part.startswith("_")), "") or str(method)
        about: dict[str, AttributeValue] = {
            "db.system": "opensearch",
            "db.operation": operation,
            "http.method": str(method),
        }
        if parts and not parts[0].startswith("_"):
            about["db.collection.name"] = parts[0]
        if transport.hosts:
            about["net.peer.name"] = transport.hosts[0].get("host", "localhost")
            about["net.peer.port"] = transport.hosts[0].get("port", 9200)
        with call(tracer, operation, about) as span, suppress_http_instrumentation():
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
