"""pymysql and mysql-connector: connections, of the latter also those of its C extension, which has no visible steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opentelemetry.trace import Tracer

from lambda_latency.runtime.drivers.call import within
from lambda_latency.runtime.drivers.opening import opening, watch_sockets


def connector(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    """Wrap each connect of mysql-connector, also a reconnect of the same object."""

    def connect(connection: Any, *_: object, **options: Any) -> Any:
        host, port = options.get("host") or connection.server_host, options.get("port") or connection.server_port
        # Not its property, which would send a query to the server.
        name = options.get("database") or options.get("db") or getattr(connection, "_database", None) or ""
        return opening(tracer, {"db.system": "mysql", "db.name": str(name)}, host, port)

    return [*watch_sockets(tracer), within(module.abstracts.MySQLConnectionAbstract, "connect", connect)]


def pymysql(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    """Wrap each connect of pymysql, also a reconnect of the same object."""

    def connect(connection: Any, *_: object, **__: object) -> Any:
        name = connection.db
        text = name.decode(errors="replace") if isinstance(name, bytes) else str(name or "")
        return opening(tracer, {"db.system": "mysql", "db.name": text}, connection.host, connection.port)

    return [within(module.connections.Connection, "connect", connect)]
