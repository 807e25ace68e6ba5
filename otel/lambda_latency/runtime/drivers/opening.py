"""The opening of a connection to a database or a broker: a span `connect` with its steps as children.

Inside of a call with a span (a Redis command, SQLAlchemy's `connect`), the steps are children of that span.
"""

from __future__ import annotations

import functools
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

from opentelemetry.trace import Tracer, get_current_span
from opentelemetry.util.types import AttributeValue

from lambda_latency.runtime.drivers.call import call
from lambda_latency.runtime.drivers.connections import OPENING, Ending, Opening, StepSpan, host, in_a_call, peer_of
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
            with Ending(lambda: current):
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
    step = StepSpan(tracer, "pool", {**database, **attributes, **host(text)})
    with Ending(lambda: step):
        yield


def watch_sockets(tracer: Tracer) -> list[Callable[[], object]]:
    """Watch each connect, once for all drivers: a driver may create its sockets without `socket.create_connection`."""
    original, inherited = socket.socket.connect, "connect" not in vars(socket.socket)
    if hasattr(original, "traced_here"):
        return []

    @functools.wraps(original)
    def connect(self: socket.socket, address: Any, /) -> None:
        opening = OPENING.get()
        if opening is None or not isinstance(address, tuple) or self.gettimeout() == 0:
            return original(self, address)
        tcp = StepSpan(tracer, "tcp", opening.peer)
        with Ending(lambda: tcp):
            original(self, address)
        opening.begin("handshake")
        return None

    def undo() -> None:
        if vars(socket.socket).get("connect") is not connect:
            return
        if inherited:
            del socket.socket.connect
        else:
            socket.socket.connect = original  # type: ignore[method-assign]

    connect.traced_here = True  # type: ignore[attr-defined]
    socket.socket.connect = connect  # type: ignore[assignment,method-assign]
    return [undo]
