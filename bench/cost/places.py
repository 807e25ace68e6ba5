"""What every variant talks to: DynamoDB and the API, the X-Ray daemon, a collector. All answer at once."""

from __future__ import annotations

import socket
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

from lambda_latency.local.http import Handler, Server

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Places"]


class Provider(Handler):
    """DynamoDB and the API."""

    def do_GET(self) -> None:
        self.body()
        self.answer(200, b"{}", {"Content-Type": "application/json"})

    do_POST = do_GET


class Collects(Handler):
    """A collector that counts."""

    places: Places

    def do_POST(self) -> None:
        self.body()
        self.places.received += 1
        self.answer(200, b"", {"Content-Type": "application/x-protobuf"})


class Places:
    """Addresses by name, and how much has been delivered to the daemon and the collector."""

    def __init__(self) -> None:
        self.received = 0
        self._stack = ExitStack()
        provider, collector = Server(Provider), Server(type("Collecting", (Collects,), {"places": self}))
        self._stack.callback(provider.close)
        self._stack.callback(collector.close)
        daemon = self._stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        daemon.bind(("127.0.0.1", 0))
        self.addresses = {
            "PROVIDER": f"http://{provider.address}",
            "COLLECTOR": f"http://{collector.address}/v1/traces",
            "DAEMON": f"127.0.0.1:{daemon.getsockname()[1]}",
        }
        threading.Thread(target=self._hear, args=(daemon,), daemon=True).start()

    def __enter__(self) -> Places:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _hear(self, daemon: socket.socket) -> None:
        while True:
            try:
                daemon.recv(65536)
            except OSError:
                return  # closed
            self.received += 1
