"""redis and valkey: connections below the command that opens them, and the wait for one in a blocking pool.

Of valkey also commands and pipelines, for which upstream has no instrumentation; they are named as upstream names those
of redis.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from opentelemetry.trace import Tracer
from opentelemetry.util.types import AttributeValue

from lambda_latency.runtime.drivers.call import call, within
from lambda_latency.runtime.drivers.opening import opening, waiting, watch_sockets


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
    undo = [
        *watch_sockets(tracer),
        within(plain.AbstractConnection, "connect", connect),
        within(loops.AbstractConnection, "connect", connect),
        within(plain.BlockingConnectionPool, "get_connection", get),
        within(loops.BlockingConnectionPool, "get_connection", get_async),
    ]
    return undo if system == "redis" else [*undo, *commands(module, tracer)]


def commands(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    """Instrument the commands of valkey."""

    def command(client: Any, *args: Any, **_: object) -> Any:
        return call(tracer, str(args[0]) if args else "valkey", {**server_of(client), "db.statement": statement(args)})

    def pipeline(client: Any, *_: object, **__: object) -> Any:
        commands = [queued.args if hasattr(queued, "args") else queued[0] for queued in client.command_stack]
        name = " ".join(str(arguments[0]) for arguments in commands) or "PIPELINE"
        text = "\n".join(map(statement, commands))
        return call(
            tracer, name, {**server_of(client), "db.statement": text, "db.redis.pipeline_length": len(commands)}
        )

    clients = (module.client, module.asyncio.client)
    return [
        *[within(client.Valkey, "execute_command", command) for client in clients],
        *[within(client.Pipeline, "execute", pipeline) for client in clients],
    ]


def server_of(client: Any) -> dict[str, AttributeValue]:
    """Return the attributes of a client's server."""
    options = client.connection_pool.connection_kwargs
    peer = {"net.peer.name": options.get("host", "localhost"), "net.peer.port": options.get("port", 6379)}
    if "path" in options:
        peer = {"net.peer.name": options["path"]}
    return {"db.system": "valkey", "db.redis.database_index": options.get("db", 0), **peer}


def statement(args: Sequence[object]) -> str:
    """Return the command without its arguments."""
    return " ".join([*map(str, args[:1]), *["?"] * (len(args) - 1)])
