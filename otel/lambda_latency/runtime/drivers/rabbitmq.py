"""pika and aio_pika: connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_latency.runtime.drivers.opening import opening
from lambda_latency.runtime.drivers.within import within
from lambda_latency.runtime.replace import replaced

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import Tracer

__all__ = ["instrument"]

SYSTEM = {"messaging.system": "rabbitmq"}


def instrument(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    """Of the module that has arrived."""
    return (pika if module.__name__ == "pika" else aio_pika)(module, tracer)


def pika(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    def connect(_: object, parameters: Any = None, *__: object, **___: object) -> Any:
        first = next(iter(parameters), None) if isinstance(parameters, list | tuple) else parameters
        return opening(tracer, SYSTEM, getattr(first, "host", "localhost"), getattr(first, "port", 5672))

    def once(original: Callable[..., Any]) -> Callable[..., Any]:
        def channel(*args: Any, **kwargs: Any) -> Any:
            made = original(*args, **kwargs)
            # Upstream traces the channel inside, too: a message would have two spans.
            vars(getattr(made, "_impl", made)).pop("basic_publish", None)
            return made

        return channel

    blocking = module.BlockingConnection
    return [within(blocking, "__init__", connect), replaced(blocking, "channel", once)]


def aio_pika(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    def connect(connection: Any, *_: object, **__: object) -> Any:
        return opening(tracer, SYSTEM, connection.url.host, connection.url.port or 5672)

    return [
        within(module.connection.Connection, "connect", connect),
        within(module.robust_connection.RobustConnection, "connect", connect),
    ]
