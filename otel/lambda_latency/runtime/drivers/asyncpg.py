"""asyncpg: connections, the wait for a connection of a pool, and the reset of a returned one."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from opentelemetry.instrumentation.utils import suppress_instrumentation

from lambda_latency.runtime.drivers.opening import opening, waiting
from lambda_latency.runtime.drivers.within import within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from opentelemetry.trace import Tracer


def instrument(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    """Wrap `connect`, under its two names in the package and the pools, and the methods of pools."""

    def connect(dsn: Any = None, **given: Any) -> Any:
        parts = urlsplit(dsn or "")
        host, port = given.get("host") or parts.hostname, given.get("port") or parts.port or 5432
        name = given.get("database") or parts.path.lstrip("/")
        host, port = (one[0] if isinstance(one, list | tuple) else one for one in (host, port))
        return opening(tracer, {"db.system": "postgresql", "db.name": str(name)}, host, port)

    def acquire(pool: Any, *_: object, **__: object) -> Any:
        queue = getattr(pool, "_queue", None)
        known = getattr(pool, "_connect_kwargs", None) or {}
        about = {"db.system": "postgresql", "db.name": str(known.get("database") or "")}
        return waiting(tracer, about, known.get("host"), waits=queue is not None and queue.empty())

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
