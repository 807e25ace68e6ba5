"""pymysql: connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_latency.runtime.drivers.opening import opening
from lambda_latency.runtime.drivers.within import within

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import Tracer

__all__ = ["instrument"]


def instrument(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    """Wrap each connect, also a reconnect of the same object."""

    def connect(connection: Any, *_: object, **__: object) -> Any:
        name = connection.db
        text = name.decode(errors="replace") if isinstance(name, bytes) else str(name or "")
        return opening(tracer, {"db.system": "mysql", "db.name": text}, connection.host, connection.port)

    return [within(module.connections.Connection, "connect", connect)]
