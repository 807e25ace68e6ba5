"""pymongo: connections of its pools, and the wait for a server before one is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from opentelemetry.trace import Tracer, get_current_span

from lambda_latency.runtime.drivers.call import within
from lambda_latency.runtime.drivers.opening import opening, watch_sockets


def instrument(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    """Instrument the synchronous and the asynchronous API."""

    def connect(pool: Any, *_: object, **__: object) -> Any:
        if getattr(pool, "is_sdam", False):  # the threads that monitor servers
            return nullcontext()
        host, port = pool.address
        return opening(tracer, {"db.system": "mongodb"}, host, port)

    def select(topology: Any, selector: Any, operation: object = "", *_: object, **__: object) -> Any:
        description = topology.description
        if description.known_servers and description.apply_selector(selector):
            return nullcontext()
        host, port = next(iter(description.server_descriptions()), ("", 0))
        return selecting(tracer, host, port, str(getattr(operation, "value", operation)))  # an enumeration, or its text

    faces = [getattr(module, name) for name in ("synchronous", "asynchronous") if hasattr(module, name)]
    undo = watch_sockets(tracer)
    for face in faces:
        undo += [within(face.pool.Pool, "connect", connect), within(face.topology.Topology, "select_server", select)]
    return undo


@contextmanager
def selecting(tracer: Tracer, host: str, port: int, operation: str) -> Iterator[None]:
    """Trace the wait for a server. If there is none, upstream makes no span: then the operation's is the wait."""
    outside = get_current_span()
    with opening(tracer, {"db.system": "mongodb"}, host, port):
        try:
            yield
        except Exception:
            span = get_current_span()
            if operation and span is not outside:
                span.update_name(operation)
                span.set_attribute("db.operation", operation)
            raise
