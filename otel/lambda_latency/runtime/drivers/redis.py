"""redis and valkey: connections below the command that opens them, and the wait for one in a blocking pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_latency.runtime.drivers.opening import opening, waiting
from lambda_latency.runtime.drivers.sockets import watch_sockets
from lambda_latency.runtime.drivers.within import within

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import Tracer

__all__ = ["instrument"]


def instrument(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    """Instrument the synchronous and the asynchronous API of `redis` or `valkey`."""
    system = module.__name__

    def connect(connection: Any, *_: object, **__: object) -> Any:
        host = getattr(connection, "host", None) or getattr(connection, "path", "") or "@"
        return opening(tracer, {"db.system": system}, host, getattr(connection, "port", 0))

    def get(pool: Any, *_: object, **__: object) -> Any:
        return waiting(tracer, {"db.system": system}, pool.connection_kwargs.get("host"), waits=pool.pool.empty())

    def get_async(pool: Any, *_: object, **__: object) -> Any:
        waits = not pool.can_get_connection()
        return waiting(tracer, {"db.system": system}, pool.connection_kwargs.get("host"), waits=waits)

    plain, loops = module.connection, module.asyncio.connection
    return [
        *watch_sockets(tracer),
        within(plain.AbstractConnection, "connect", connect),
        within(loops.AbstractConnection, "connect", connect),
        within(plain.BlockingConnectionPool, "get_connection", get),
        within(loops.BlockingConnectionPool, "get_connection", get_async),
    ]
