"""valkey: commands and pipelines, named as upstream names those of redis; connections as for redis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_latency.runtime.drivers import redis
from lambda_latency.runtime.drivers.call import call
from lambda_latency.runtime.drivers.within import within

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.trace import Tracer
    from opentelemetry.util.types import AttributeValue

__all__ = ["instrument"]


def instrument(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    """Instrument the synchronous and the asynchronous API."""

    def command(client: Any, *args: Any, **_: object) -> Any:
        return call(tracer, str(args[0]) if args else "valkey", {**about(client), "db.statement": statement(args)})

    def pipeline(client: Any, *_: object, **__: object) -> Any:
        commands = [one.args if hasattr(one, "args") else one[0] for one in client.command_stack]
        name = " ".join(str(one[0]) for one in commands) or "PIPELINE"
        text = "\n".join(map(statement, commands))
        return call(tracer, name, {**about(client), "db.statement": text, "db.redis.pipeline_length": len(commands)})

    undo = redis.instrument(module, tracer)
    for client in (module.client, module.asyncio.client):
        undo += [within(client.Valkey, "execute_command", command), within(client.Pipeline, "execute", pipeline)]
    return undo


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
