"""redis and valkey: connections below the command that opens them, and the wait for one in a blocking pool.

Of valkey also commands and pipelines, for which upstream has no instrumentation; they are named as upstream names those
of redis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_latency.runtime.drivers.call import call
from lambda_latency.runtime.drivers.opening import opening, waiting, watch_sockets
from lambda_latency.runtime.drivers.within import within

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.trace import Tracer
    from opentelemetry.util.types import AttributeValue


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
        return call(tracer, str(args[0]) if args else "valkey", {**about(client), "db.statement": statement(args)})

    def pipeline(client: Any, *_: object, **__: object) -> Any:
        commands = [one.args if hasattr(one, "args") else one[0] for one in client.command_stack]
        name = " ".join(str(one[0]) for one in commands) or "PIPELINE"
        text = "\n".join(map(statement, commands))
        return call(tracer, name, {**about(client), "db.statement": text, "db.redis.pipeline_length": len(commands)})

    clients = (module.client, module.asyncio.client)
    return [
        *[within(client.Valkey, "execute_command", command) for client in clients],
        *[within(client.Pipeline, "execute", pipeline) for client in clients],
    ]


def about(client: Any) -> dict[str, AttributeValue]:
    """The attributes of a client's server."""
    known = client.connection_pool.connection_kwargs
    peer = {"net.peer.name": known.get("host", "localhost"), "net.peer.port": known.get("port", 6379)}
    if "path" in known:
        peer = {"net.peer.name": known["path"]}
    return {"db.system": "valkey", "db.redis.database_index": known.get("db", 0), **peer}


def statement(args: Sequence[object]) -> str:
    """The command without its arguments."""
    return " ".join([*map(str, args[:1]), *["?"] * (len(args) - 1)])
