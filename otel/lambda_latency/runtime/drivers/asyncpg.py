"""asyncpg: connections, the wait for a connection of a pool, and the reset of a returned one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.trace import Tracer

from lambda_latency.runtime.drivers.call import within
from lambda_latency.runtime.drivers.opening import opening, waiting


def instrument(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    """Wrap `connect`, under its two names in the package and the pools, and the methods of pools."""

    def connect(dsn: Any = None, **options: Any) -> Any:
        parts = urlsplit(dsn or "")
        host, port = options.get("host") or parts.hostname, options.get("port") or parts.port or 5432
        name = options.get("database") or parts.path.lstrip("/")
        return opening(tracer, {"db.system": "postgresql", "db.name": str(name)}, first_of(host), first_of(port))

    def acquire(pool: Any, *_: object, **__: object) -> Any:
        queue = getattr(pool, "_queue", None)
        options = getattr(pool, "_connect_kwargs", None) or {}
        attributes = {"db.system": "postgresql", "db.name": str(options.get("database") or "")}
        return waiting(tracer, attributes, options.get("host"), waits=queue is not None and queue.empty())

    @contextmanager
    def reset(*_: object, **__: object) -> Iterator[None]:
        with waiting(tracer, {"db.system": "postgresql"}, "", waits=True), suppress_instrumentation():
            yield

    return [
        within(module.connection, "connect", connect),
        within(module, "connect", connect),
        within(module.pool.Pool, "_acquire", acquire),
        within(module.connection.Connection, "reset", reset),
    ]


def first_of(argument: Any) -> Any:
    """Return the first member of a list, which `connect` takes for several hosts or ports; else the argument itself."""
    return argument[0] if isinstance(argument, list | tuple) else argument
