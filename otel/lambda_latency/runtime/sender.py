"""Spans to an OTLP/HTTP receiver, in bounded time. What it does not take waits for the next time."""

from __future__ import annotations

import time
from http.client import HTTPException
from time import time as wall_clock
from typing import TYPE_CHECKING

from lambda_latency.runtime.buffer import Buffer
from lambda_latency.runtime.encoding import Encoded, Encoder, parents_first, request
from lambda_latency.runtime.harmless import warn
from lambda_latency.runtime.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from lambda_latency.runtime.settings import Settings

__all__ = ["Circuit", "Sender"]

LARGEST = 512 * 1024  # bytes of one request: a receiver at a small function's share of CPU answers it within the bound


class Sender:
    """The sink that runs in Lambda: the collector's."""

    def __init__(self, settings: Settings) -> None:
        self._transport = Transport(settings.endpoint)
        self._encoder = Encoder()
        self._waiting: Buffer[Encoded] = Buffer(settings.buffered_spans, settings.buffered_kb * 1024)
        self._circuit = Circuit()
        # The first delivery finds a collector that may be starting itself.
        self._seconds = self._first_seconds = settings.first_flush_ms / 1000
        self._later_seconds = settings.flush_ms / 1000
        self._log = Log(self._transport.address)

    def export(self, spans: Sequence[ReadableSpan]) -> bool:
        """Deliver these and what still waits, within the bound; False where something waits for the next time."""
        for span in parents_first(spans):
            encoded = self._encoder.encode(span, LARGEST)
            self._waiting.add(encoded, encoded.size)
        if self._waiting and self._circuit.closed:
            self._deliver()
        self._log.settle(self._waiting.dropped)
        return not self._waiting

    def shutdown(self) -> None:
        """Try once more, whatever the circuit says, for what waits is lost with the process; then let go."""
        if self._waiting:
            self._seconds = self._first_seconds
            self._deliver()
            if self._waiting:
                warn(
                    f"{len(self._waiting)} spans are lost: the process ends before {self._transport.address} takes them"
                )
        self._transport.close()

    def disconnect(self) -> None:
        """Close the connection; the next delivery opens another."""
        self._transport.close()

    def forget(self) -> None:
        """This process is a child: what waits is delivered by its parent, over the parent's connection."""
        self._waiting.renew()
        self._transport.close()

    def _deliver(self) -> None:
        bound, self._seconds = self._seconds, self._later_seconds
        deadline = time.monotonic() + bound
        while batch := self._waiting.oldest(LARGEST):
            left = deadline - time.monotonic()
            if left < bound / 2:
                return  # with less, a receiver that works might be taken for one that does not
            status, why = self._post(request(batch), left)
            if status == 429 or not 200 <= status < 500:
                self._circuit.failed()
                self._log.failing(why)
                return
            self._waiting.forget(len(batch))
            self._circuit.succeeded()
            if status < 300:
                self._log.working()
            else:
                self._waiting.dropped += len(batch)
                self._log.refusing(why)  # what it does not want now it will not want later

    def _post(self, body: bytes, seconds: float) -> tuple[int, str]:
        """The answer's status, 0 for none, and what is to be said about it."""
        try:
            status = self._transport.post(body, seconds)
        except (OSError, HTTPException) as error:
            return 0, f"{type(error).__name__}: {error}"
        return status, f"it answered {status}"


class Log:
    """One line for each change: deliveries begin to fail, spans begin to be dropped, all is well again."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._said = self._state = "working"
        self._why = ""
        self._dropped = 0

    def failing(self, why: str) -> None:
        """It was not delivered, and may be later."""
        self._state, self._why = "failing", why

    def refusing(self, why: str) -> None:
        """It never will be delivered."""
        self._state, self._why = "refusing", why

    def working(self) -> None:
        """It was delivered."""
        self._state = "working"

    def settle(self, dropped: int) -> None:
        """Say what has changed; `dropped` spans were dropped since the start."""
        lost = dropped - self._dropped
        if self._state == "failing" and lost:
            self._state = "full"
        if self._state == self._said != "working" or (self._state, self._said) == ("failing", "full"):
            return
        if self._state == "failing":
            warn(f"no spans are delivered to {self._address} ({self._why}); they wait until it takes them")
        elif self._state == "refusing":
            warn(f"{self._address} refuses spans ({self._why}); they are dropped")
        elif self._state == "full":
            warn(f"no spans are delivered to {self._address} ({self._why}) and too many wait: the oldest are dropped "
                 "(LAMBDA_LATENCY_BUFFERED_SPANS and LAMBDA_LATENCY_BUFFERED_KB are the limits)")  # fmt: skip
        else:
            if self._said != "working":
                warn(f"spans are delivered to {self._address} again; {lost} were dropped")
            elif lost:
                warn(f"{lost} spans were dropped: {self._address} does not take them as fast as they come")
            self._dropped = dropped
        self._said = self._state


FIRST_S, LONGEST_S = 1.0, 30.0


class Circuit:
    """Closed while deliveries succeed; one failure opens it until its back-off is over."""

    def __init__(self) -> None:
        self._back_off = 0.0
        self._opened = 0.0

    @property
    def closed(self) -> bool:
        """Whether a delivery may be tried."""
        # The wall clock, for the monotonic one need not run while Lambda has the environment frozen. One that was set
        # back must not hold the circuit open.
        return not 0 <= wall_clock() - self._opened < self._back_off

    def succeeded(self) -> None:
        """Close it."""
        self._back_off = 0.0

    def failed(self) -> None:
        """Open it, for longer than the last time."""
        self._back_off = min(2 * self._back_off, LONGEST_S) or FIRST_S
        self._opened = wall_clock()
