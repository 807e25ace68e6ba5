"""The services that every variant talks to: DynamoDB and the API, the X-Ray daemon, a collector, X-Ray's OTLP endpoint.

All answer at once; the last one uses TLS.
"""

from __future__ import annotations

import ssl
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from lab.datagrams import Datagrams
from lab.provider import Provider
from lambda_latency.http import Handler, Server
from tests.runtime.stubs import certificate


class Collects(Handler):
    """A collector that counts requests."""

    places: Places

    def do_POST(self) -> None:
        self.body()
        self.places.received += 1
        self.answer(200, b"", {"Content-Type": "application/x-protobuf"})


class Secured(Server):
    """A server with TLS; each handshake is on the thread of its connection."""

    def __init__(self, handler: type[Collects], file: Path) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(file)
        super().__init__(handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Wrap the connection before it is read."""
        wrapped = self._context.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
        super().process_request(wrapped, client_address)


class Places:
    """The addresses of the services, and the number of deliveries to daemon, collector and endpoint."""

    def __init__(self) -> None:
        self.received = 0
        self._stack = ExitStack()
        file = Path(self._stack.enter_context(tempfile.TemporaryDirectory())) / "localhost.pem"
        file.write_bytes(certificate("localhost"))
        collects = type("Collecting", (Collects,), {"places": self})
        provider, collector, xray = Server(Provider), Server(collects), Secured(collects, file)
        for server in (provider, collector, xray):
            self._stack.callback(server.close)
        daemon = Datagrams(self._hear)
        self._stack.callback(daemon.close)
        self.addresses = {
            "PROVIDER": f"http://{provider.address}",
            "COLLECTOR": f"http://{collector.address}/v1/traces",
            "XRAY": f"https://localhost:{xray.port}/v1/traces",
            "CERTIFICATE": str(file),
            "DAEMON": daemon.address,
        }

    def __enter__(self) -> Places:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _hear(self, *_: bytes) -> None:
        self.received += 1
