"""confluent_kafka and aiokafka: the waits of a function, which the traced `send` does not contain."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.trace import SpanKind

from lambda_latency.runtime.drivers.call import call
from lambda_latency.runtime.drivers.opening import opening
from lambda_latency.runtime.drivers.within import within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from opentelemetry.trace import Tracer
    from opentelemetry.util.types import AttributeValue

SYSTEM = {"messaging.system": "kafka"}


def instrument(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    """Instrument the imported module: one of the two."""
    return (aiokafka if module.__name__ == "aiokafka" else confluent)(module, tracer)


def confluent(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    """Replace the producer, a class in C, by a subclass with spans; upstream's producer then inherits from it."""
    original = module.Producer

    class Producer(original):  # type: ignore[misc,valid-type]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            given = {**(args[0] if args and isinstance(args[0], dict) else {}), **kwargs}
            self.traced_host = host_of(given.get("bootstrap.servers"))

        def flush(self, *args: Any, **kwargs: Any) -> Any:
            if not len(self):
                return super().flush(*args, **kwargs)
            with call(tracer, "flush", {**SYSTEM, "net.peer.name": self.traced_host, "messaging.operation": "flush"}):
                return super().flush(*args, **kwargs)

    Producer.__module__, Producer.__qualname__ = original.__module__, original.__qualname__
    module.Producer = Producer

    def undo() -> None:
        if module.Producer is Producer:
            module.Producer = original

    return [undo]


def aiokafka(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    def bootstrap(client: Any, *_: object, **__: object) -> Any:
        host, port = next(iter(client.hosts), ("", 9092))[:2]
        return opening(tracer, SYSTEM, host, port)

    def send_and_wait(producer: Any, topic: Any = "", *_: object, **__: object) -> Any:
        return sending(tracer, f"{topic} send", about(producer))

    def flush(producer: Any, *_: object, **__: object) -> Any:
        return call(tracer, "flush", {**about(producer), "messaging.operation": "flush"})

    producer = module.AIOKafkaProducer
    return [
        within(module.client.AIOKafkaClient, "bootstrap", bootstrap),
        within(producer, "send_and_wait", send_and_wait),
        within(producer, "flush", flush),
    ]


@contextmanager
def sending(tracer: Tracer, name: str, attributes: Mapping[str, AttributeValue]) -> Iterator[None]:
    """A span for the call. Upstream's `send` inside of it writes its attributes and the message's header."""
    with call(tracer, name, attributes, SpanKind.PRODUCER), suppress_instrumentation():
        yield


def about(producer: Any) -> Mapping[str, AttributeValue]:
    """The attributes of the broker of a producer of aiokafka."""
    host, _port = next(iter(producer.client.hosts), ("", 0))[:2]
    return {**SYSTEM, "net.peer.name": host}


def host_of(servers: object) -> str:
    """The host of the first server in a configuration."""
    return str(servers or "").split(",")[0].rpartition(":")[0]
