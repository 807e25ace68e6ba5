"""An emulator of Lambda's X-Ray daemon: spans by UDP, as the kit and ADOT's layer send them without a collector.

A datagram is a line of JSON, `T1S` (`T1U` for spans that are not sampled), and an OTLP export request in base64.
"""

from __future__ import annotations

import binascii
import contextlib
import secrets
import socket
import threading
from base64 import b64decode
from collections.abc import Callable
from typing import Any

from google.protobuf.message import DecodeError

from lambda_latency.local.xray.receiver import from_protobuf

HEADER = b'{"format":"json","version":1}\n'
SAMPLED, UNSAMPLED = b"T1S", b"T1U"
LARGEST = 65_536
ROOM = 4 * 1024 * 1024  # receive buffer: datagrams that arrive during decoding must not be lost


class Daemon:
    """Listens on 127.0.0.1. `keep` receives each export request as OTLP/JSON, `log` a line per invalid datagram."""

    def __init__(self, keep: Callable[[dict[str, Any]], None], log: Callable[[str], None]) -> None:
        self._keep, self._log = keep, log
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with contextlib.suppress(OSError):  # macOS refuses more than its limit
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)
        self._socket.bind(("127.0.0.1", 0))
        self._last = secrets.token_bytes(16)  # the datagram that ends the thread; no sender can guess it
        self._thread = threading.Thread(target=self._work, name="daemon", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """The address, `host:port`: the value of AWS_XRAY_DAEMON_ADDRESS."""
        host, port = self._socket.getsockname()
        return f"{host}:{port}"

    def close(self) -> None:
        """Stops listening, after all datagrams that were sent before are kept."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(self._last, self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _work(self) -> None:
        while (datagram := self._socket.recv(LARGEST)) != self._last:
            try:
                document = decoded(datagram)
            except (ValueError, DecodeError, RecursionError) as error:
                self._log(f"a datagram of {len(datagram)} bytes was dropped: {error}")
                continue
            if document is not None:
                self._keep(document)


def decoded(datagram: bytes) -> dict[str, Any] | None:
    """The export request in a datagram; None for spans that are not sampled. Raises ValueError for anything else."""
    kind, body = datagram[len(HEADER) :][:3], datagram[len(HEADER) + 3 :]
    if not datagram.startswith(HEADER) or kind not in (SAMPLED, UNSAMPLED):
        raise ValueError(f"it must begin with {HEADER!r} and {SAMPLED!r}, got {datagram[:40]!r}")
    if kind == UNSAMPLED:
        return None
    try:
        return from_protobuf(b64decode(body, validate=True))
    except binascii.Error as error:
        raise ValueError(f"the rest after {SAMPLED!r} is not base64: {error}") from error
