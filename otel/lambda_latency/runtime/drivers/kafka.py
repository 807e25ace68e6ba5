"""confluent_kafka and aiokafka: the waits of a function, which the traced `send` does not contain."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.trace import SpanKind, Tracer
from opentelemetry.util.types import AttributeValue

from lambda_latency.runtime.drivers.call import call, within
from lambda_latency.runtime.drivers.opening import opening
from lambda_latency.runtime.replace import put

SYSTEM = {"messaging.system": "kafka"}


def confluent(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    """Replace the producer, a class in C, by a subclass with spans; upstream's producer then inherits from it."""
    original = module.Producer

    class Producer(original):  # type: ignore[misc,valid-type]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            options = {**(args[0] if args and isinstance(args[0], dict) else {}), **kwargs}
            servers = str(options.get("bootstrap.servers") or "")
            self.traced_host = servers.partition(",")[0].rpartition(":")[0]

        def flush(self, *args: Any, **kwargs: Any) -> Any:
            if not len(self):
                return super().flush(*args, **kwargs)
            with call(tracer, "flush", {**SYSTEM, "net.peer.name": self.traced_host, "messaging.operation": "flush"}):
                return super().flush(*args, **kwargs)

    Producer.__module__, Producer.__qualname__ = original.__module__, original.__qualname__
    return [put(module, "Producer", Producer)]


def aiokafka(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    def bootstrap(client: Any, *_: object, **__: object) -> Any:
        host, port = next(iter(client.hosts), ("", 9092))[:2]
        return opening(tracer, SYSTEM, host, port)

    def send_and_wait(producer: Any, topic: Any = "", *_: object, **__: object) -> Any:
        return sending(tracer, f"{topic} send", broker_of(producer))

    def flush(producer: Any, *_: object, **__: object) -> Any:
        return call(tracer, "flush", {**broker_of(producer), "messaging.operation": "flush"})

    producer = module.AIOKafkaProducer
    return [
        within(module.client.AIOKafkaClient, "bootstrap", bootstrap),
        within(producer, "send_and_wait", send_and_wait),
        within(producer, "flush", flush),
    ]


@contextmanager
def sending(tracer: Tracer, name: str, attributes: Mapping[str, AttributeValue]) -> Iterator[None]:
    """Make a span for the call. Upstream's `send` inside of it writes its attributes and the message's header."""
    with call(tracer, name, attributes, SpanKind.PRODUCER), suppress_instrumentation():
        yield


def broker_of(producer: Any) -> Mapping[str, AttributeValue]:
    """Return the attributes of the broker of a producer of aiokafka."""
    host, _port = next(iter(producer.client.hosts), ("", 0))[:2]
    return {**SYSTEM, "net.peer.name": host}
