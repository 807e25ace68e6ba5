"""The opening of a connection to a database or a broker: a span `connect` with its steps as children.

Inside of a call with a span (a Redis command, SQLAlchemy's `connect`), the steps are children of that span.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

from opentelemetry.trace import Tracer, get_current_span
from opentelemetry.util.types import AttributeValue

from lambda_latency.runtime.drivers.call import call
from lambda_latency.runtime.drivers.connections import OPENING, Opening, StepSpan, host, in_a_call, peer_of
from lambda_latency.runtime.replace import replaced
from lambda_latency.runtime.unsampled import is_unrecorded


@contextmanager
def opening(tracer: Tracer, attributes: Mapping[str, AttributeValue], name: object, port: object) -> Iterator[None]:
    """Trace the opening of a connection to the host `name`. A path or an empty name is a local socket: no spans."""
    text = str(name or "localhost").strip("[]")
    number = int(port) if isinstance(port, int) or (isinstance(port, str) and port.isdigit()) else 0
    if is_unrecorded(get_current_span()) or text.startswith(("/", "@")):
        yield
        return
    peer = peer_of(text, number)[0] if number else host(text)
    target = {"net.peer.name": text, **({"net.peer.port": number} if number else {}), **peer}
    with nullcontext() if in_a_call() else call(tracer, "connect", {**attributes, **target}):
        current = Opening(tracer, peer)
        token = OPENING.set(current)
        try:
            with current:
                yield
        finally:
            OPENING.reset(token)


@contextmanager
def waiting(tracer: Tracer, attributes: Mapping[str, AttributeValue], name: object, *, waits: bool) -> Iterator[None]:
    """Trace the wait for a connection of an exhausted pool."""
    current = get_current_span()
    if not waits or not current.is_recording():
        yield
        return
    recorded: Mapping[str, Any] = getattr(current, "attributes", None) or {}
    text = str(name or recorded.get("net.peer.name") or "")
    database = {key: recorded[key] for key in ("db.system", "db.name") if key in recorded}
    with StepSpan(tracer, "pool", {**database, **attributes, **host(text)}):
        yield


def watch_sockets(tracer: Tracer) -> list[Callable[[], object]]:
    """Watch each connect, once for all drivers: a driver may create its sockets without `socket.create_connection`."""
    if hasattr(socket.socket.connect, "traced_here"):
        return []

    def around(original: Callable[..., None]) -> Callable[..., None]:
        def connect(self: socket.socket, address: Any, /) -> None:
            opening = OPENING.get()
            if opening is None or not isinstance(address, tuple) or self.gettimeout() == 0:
                return original(self, address)
            with StepSpan(tracer, "tcp", opening.peer):
                original(self, address)
            opening.begin("handshake")
            return None

        connect.traced_here = True  # type: ignore[attr-defined]
        return connect

    return [replaced(socket.socket, "connect", around)]
