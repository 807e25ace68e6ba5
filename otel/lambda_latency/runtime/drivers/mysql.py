"""mysql-connector: connections of its Python code and of its C extension, which has no visible steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_latency.runtime.drivers.opening import opening
from lambda_latency.runtime.drivers.sockets import watch_sockets
from lambda_latency.runtime.drivers.within import within

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import Tracer

__all__ = ["instrument"]


def instrument(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    """Wrap each connect, also a reconnect of the same object."""

    def connect(connection: Any, *_: object, **given: Any) -> Any:
        host, port = given.get("host") or connection.server_host, given.get("port") or connection.server_port
        # Not its property, which would send a query to the server.
        name = given.get("database") or given.get("db") or getattr(connection, "_database", None) or ""
        return opening(tracer, {"db.system": "mysql", "db.name": str(name)}, host, port)

    return [*watch_sockets(tracer), within(module.abstracts.MySQLConnectionAbstract, "connect", connect)]
