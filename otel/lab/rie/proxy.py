"""Between the runtime and the emulator: adds the tracing header, which the emulator leaves out,
and notes who calls when."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

from lab.same.case import SAMPLED, SEGMENT

__all__ = ["HEADER", "PARENT", "Proxy"]

PARENT, HEADER = SEGMENT, SAMPLED
BEFORE = b"Lambda-Runtime-Aws-Request-Id:"
EXTRA = f"Lambda-Runtime-Trace-Id: {HEADER}\r\n".encode()


class Proxy:
    """Pumps bytes both ways on 127.0.0.1. `calls` are (time, first line of a request), in their order."""

    def __init__(self, api_port: int) -> None:
        self.calls: list[tuple[float, str]] = []
        self._api_port = api_port
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                down, _ = self._socket.accept()
                up = socket.create_connection(("127.0.0.1", self._api_port))
                for one in (down, up):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._pump, args=(down, up), daemon=True).start()
                threading.Thread(target=self._pump, args=(up, down), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if data.startswith(b"HTTP/"):
                    data = data.replace(BEFORE, EXTRA + BEFORE, 1)
                elif data.startswith((b"GET /", b"POST /")):
                    self.calls.append((time.time(), " ".join(data.split(b"\r\n", 1)[0].decode().split()[:2])))
                target.sendall(data)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
