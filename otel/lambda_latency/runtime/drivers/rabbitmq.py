"""pika and aio_pika: connections."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry.trace import Tracer

from lambda_latency.runtime.drivers.call import within
from lambda_latency.runtime.drivers.connections import OPENING, is_literal
from lambda_latency.runtime.drivers.opening import opening
from lambda_latency.runtime.replace import replaced

SYSTEM = {"messaging.system": "rabbitmq"}


def pika(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    def connect(_: object, parameters: Any = None, *__: object, **___: object) -> Any:
        target = next(iter(parameters), None) if isinstance(parameters, list | tuple) else parameters
        return opening(tracer, SYSTEM, getattr(target, "host", "localhost"), getattr(target, "port", 5672))

    def once(original: Callable[..., Any]) -> Callable[..., Any]:
        def channel(*args: Any, **kwargs: Any) -> Any:
            made = original(*args, **kwargs)
            # Upstream traces the inner channel too: a message would have two spans.
            vars(getattr(made, "_impl", made)).pop("basic_publish", None)
            return made

        return channel

    blocking, services = module.BlockingConnection, module.adapters.utils.io_services_utils
    names = module.adapters.utils.selector_ioloop_adapter.SelectorIOServicesAdapter
    return [
        within(blocking, "__init__", connect),
        replaced(blocking, "channel", once),
        replaced(names, "getaddrinfo", stepping(lookup)),
        replaced(services.SocketConnectionMixin, "connect_socket", stepping(lambda _: "tcp")),
        replaced(services.StreamingConnectionMixin, "create_streaming_connection", stepping(securing, "handshake")),
    ]


def lookup(arguments: Mapping[str, Any]) -> str:
    """Return the step of the lookup, which runs in a thread of pika; an IP address needs none."""
    return "" if is_literal(str(arguments.get("host"))) else "dns"


def securing(arguments: Mapping[str, Any]) -> str:
    """Return the step of TLS, if the connection uses TLS."""
    return "" if arguments.get("ssl_context") is None else "tls"


def stepping(step: Callable[[Mapping[str, Any]], str], then: str = "") -> Callable[..., Callable[..., Any]]:
    """Wrap a function that does not block, and calls back at its end."""

    def around(original: Callable[..., Any]) -> Callable[..., Any]:
        def begin(*args: Any, **kwargs: Any) -> Any:
            if "on_done" in kwargs:
                kwargs["on_done"] = stepped(step(kwargs), kwargs["on_done"], then)
            return original(*args, **kwargs)

        return begin

    return around


def stepped(step: str, on_done: Callable[[Any], Any], then: str = "") -> Callable[[Any], Any]:
    """Start a step of the opening connection. It ends at the callback, which starts the next step."""
    current = OPENING.get()
    if current is None:
        return on_done
    if step:
        current.begin(step)

    def done(result: Any) -> Any:
        error = result if isinstance(result, BaseException) else None
        current.end(error)
        if then and error is None:
            current.begin(then)
        return on_done(result)

    return done


def aio_pika(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    def connect(connection: Any, *_: object, **__: object) -> Any:
        return opening(tracer, SYSTEM, connection.url.host, connection.url.port or 5672)

    return [
        within(module.connection.Connection, "connect", connect),
        within(module.robust_connection.RobustConnection, "connect", connect),
        *one_name(),
    ]


def one_name() -> list[Callable[[], object]]:
    """Name destinations once: without the comma that upstream puts between an empty exchange and the key."""
    try:
        from opentelemetry.instrumentation.aio_pika.span_builder import SpanBuilder
    except ImportError:  # logged elsewhere
        return []

    def around(original: Callable[..., Any]) -> Callable[..., Any]:
        def set_destination(builder: Any, destination: str) -> None:
            original(builder, destination.strip(","))

        return set_destination

    return [replaced(SpanBuilder, "set_destination", around)]
