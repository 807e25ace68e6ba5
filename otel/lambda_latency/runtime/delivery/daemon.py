"""Sends spans by UDP to the X-Ray daemon that Lambda runs with every traced function; there is no answer.

The format is that of ADOT's own exporter (`amazon.opentelemetry.distro.otlp_udp_exporter`): a line of JSON, `T1S`, and
an OTLP export request in base64.
"""

from __future__ import annotations

import socket
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from math import inf

from opentelemetry.sdk.trace import ReadableSpan

from lambda_latency.runtime.delivery.encoding import Encoded, Encoder, batches, redaction_of, request
from lambda_latency.runtime.harmless import warn
from lambda_latency.runtime.settings import Settings

PREFIX = b'{"format":"json","version":1}\nT1S'
DATAGRAM = 65_507  # bytes: the largest payload of IPv4
LARGEST = (DATAGRAM - len(PREFIX)) // 4 * 3
# Between large datagrams: the receiver's socket silently drops what does not fit into its buffer
PAUSE_S = 0.001


class DaemonSender:
    """The sink that sends to Lambda's daemon."""

    def __init__(self, settings: Settings) -> None:
        self._address = settings.daemon
        self._encoder = Encoder(redaction_of(settings))
        self._seconds = settings.flush_ms / 1000
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._failing = False

    def export(self, spans: Iterable[ReadableSpan], seconds: float = inf) -> None:
        """Send the spans in as few datagrams as possible."""
        self._send(self._batches(spans, seconds / 2), min(self._seconds, seconds))

    def urgent(self, spans: Iterable[ReadableSpan], seconds: float = inf) -> Callable[[float], str]:
        """Encode spans, redacted in at most `seconds`; returns the function that sends them: the daemon accepts all."""
        return partial(self._send, list(self._batches(spans, seconds)))

    def shutdown(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _batches(self, spans: Iterable[ReadableSpan], seconds: float = inf) -> Iterator[list[Encoded]]:
        return batches(self._encoder.encode(spans, LARGEST, seconds), LARGEST)

    def _send(self, pending: Iterable[list[Encoded]], seconds: float) -> str:
        deadline = time.monotonic() + seconds
        for number, batch in enumerate(pending):
            if number and time.monotonic() < deadline:
                time.sleep(PAUSE_S)
            try:
                self._socket.sendto(PREFIX + b64encode(request(batch)), self._address)
            except OSError as error:
                if not self._failing:
                    host, port = self._address
                    warn(f"no spans are delivered to the daemon at {host}:{port} ({error}); they are dropped")
                self._failing = True
            else:
                self._failing = False
        return ""
