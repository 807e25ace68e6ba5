"""The connect of drivers that create their sockets themselves, without `socket.create_connection`."""

from __future__ import annotations

import functools
import socket
from typing import TYPE_CHECKING, Any

from lambda_latency.runtime.drivers.connections import OPENING, Ending, Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import Tracer

__all__ = ["watch_sockets"]


def watch_sockets(tracer: Tracer) -> list[Callable[[], object]]:
    """Watch each connect while a driver opens a connection. Installed once for all drivers."""
    original, inherited = socket.socket.connect, "connect" not in vars(socket.socket)
    if hasattr(original, "traced_here"):
        return []

    @functools.wraps(original)
    def connect(self: socket.socket, address: Any, /) -> None:
        opening = OPENING.get()
        if opening is None or not isinstance(address, tuple) or self.gettimeout() == 0:
            return original(self, address)
        tcp = Step(tracer, "tcp", opening.peer)
        with Ending(lambda: tcp):
            original(self, address)
        opening.handshake()
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
