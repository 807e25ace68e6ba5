"""Sends spans to an OTLP/HTTP receiver in bounded time. Spans that it does not accept wait for the next delivery."""

from __future__ import annotations

import time
from functools import partial
from http.client import HTTPException
from time import time as wall_clock
from typing import TYPE_CHECKING

from lambda_latency.runtime.delivery.buffer import Buffer
from lambda_latency.runtime.delivery.encoding import Encoder, batches, parents_first, request
from lambda_latency.runtime.delivery.transport import transport_to
from lambda_latency.runtime.harmless import warn
from lambda_latency.runtime.redact.spans import Redaction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from lambda_latency.runtime.delivery.encoding import Encoded
    from lambda_latency.runtime.delivery.transport import Answer, Transport
    from lambda_latency.runtime.settings import Settings

__all__ = ["LARGEST", "Circuit", "Sender", "outcome"]

LARGEST = 512 * 1024  # bytes of a request: with a small function's share of CPU, a receiver answers it within the bound
LARGEST_SPAN_OF_XRAY = 200_000  # bytes, as documented for its endpoint


class Sender:
    """The sink for a collector, and for X-Ray's OTLP endpoint."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._transport = transport_to(settings)
        self._to_xray = settings.export == "otlp"
        self._largest = LARGEST_SPAN_OF_XRAY if self._to_xray else LARGEST
        self._encoder = Encoder(Redaction(settings.redacted, settings.value_length))
        self._waiting: Buffer[Encoded] = Buffer(settings.buffered_spans, settings.buffered_kb * 1024)
        self._circuit = Circuit()
        # The first delivery has more time, because the collector may still be starting.
        self._seconds = self._first_seconds = settings.first_flush_ms / 1000
        self._later_seconds = settings.flush_ms / 1000
        self._log = Log(self._transport.address)

    def export(self, spans: Sequence[ReadableSpan]) -> bool:
        """Deliver these spans and the waiting ones within the bound; False if some wait afterwards."""
        for encoded in self._encoder.encode(parents_first(spans), self._largest):
            self._waiting.add(encoded, encoded.size)
        if self._waiting and self._circuit.closed:
            self._deliver()
        self._log.settle(self._waiting.dropped)
        return not self._waiting

    def urgent(self, spans: Sequence[ReadableSpan]) -> Callable[[float], bool]:
        """Encode spans; returns the function that delivers them within some seconds, even with an open circuit.

        It uses a new connection, and waits for each answer: a receiver may drop a request whose sender has closed the
        connection. It returns whether all spans were accepted.
        """
        encoded = self._encoder.encode(spans, self._largest)
        bodies = [(request(batch), len(batch)) for batch in batches(encoded, self._largest)]
        return partial(self._deliver_now, bodies)

    def shutdown(self) -> None:
        """Try to deliver the waiting spans, even with an open circuit, because the process ends; then close."""
        if self._waiting:
            self._seconds = self._first_seconds
            self._deliver()
            if self._waiting:
                warn(
                    f"{len(self._waiting)} spans are lost: the process ends before {self._transport.address} takes them"
                )
        self._transport.close()

    def disconnect(self) -> None:
        """Close the connection; the next delivery opens a new one."""
        self._transport.close()

    def forget(self) -> None:
        """Adapt to a fork, in the child: the parent delivers the waiting spans over its own connection."""
        self._waiting.renew()
        self._transport.close()

    def _deliver(self) -> None:
        bound, self._seconds = self._seconds, self._later_seconds
        deadline = time.monotonic() + bound
        while batch := self._waiting.oldest(LARGEST):
            left = deadline - time.monotonic()
            if left < bound / 2:
                return  # with less time, a working receiver could look like a failing one
            refused, why = self._post(self._transport, request(batch), len(batch), left)
            if refused < 0:
                self._circuit.failed()
                self._log.failing(why)
                return
            self._waiting.forget(len(batch))
            self._circuit.succeeded()
            self._waiting.dropped += refused
            if refused:
                self._log.refusing(why)  # a refusal is final
            else:
                self._log.working()

    def _deliver_now(self, bodies: list[tuple[bytes, int]], seconds: float) -> bool:
        until = time.monotonic() + seconds
        transport = transport_to(self._settings)
        try:
            for body, count in bodies:
                refused, why = self._post(transport, body, count, until - time.monotonic())
                if refused:
                    warn(f"a timeout could not be told to {transport.address}: {why}")
                    return False
        finally:
            transport.close()
        return True

    def _post(self, transport: Transport, body: bytes, count: int, seconds: float) -> tuple[int, str]:
        """As `outcome`; -1 if there was no answer."""
        try:
            answer = transport.post(body, seconds)
        except (OSError, HTTPException) as error:
            if self._to_xray:
                from lambda_latency.runtime.delivery.xray_answers import unreachable

                return -1, unreachable(error)
            return -1, f"{type(error).__name__}: {error}"
        return outcome(answer, count, of_xray=self._to_xray)


def outcome(answer: Answer, count: int, *, of_xray: bool) -> tuple[int, str]:
    """How many of `count` spans the receiver refuses for good, and why; -1 if it may accept all of them later."""
    if of_xray:
        from lambda_latency.runtime.delivery.xray_answers import outcome_of_xray

        return outcome_of_xray(answer, count)
    status, why = answer.status, f"it answered {answer.status}"
    if status == 429 or not 200 <= status < 500:
        return -1, why
    return count if status >= 300 else 0, why


class Log:
    """Writes one line at each change: deliveries fail, spans are dropped, deliveries work again."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._said = self._state = "working"
        self._why = ""
        self._dropped = 0

    def failing(self, why: str) -> None:
        """A delivery failed; it will be tried again."""
        self._state, self._why = "failing", why

    def refusing(self, why: str) -> None:
        """A delivery was refused for good."""
        self._state, self._why = "refusing", why

    def working(self) -> None:
        """A delivery succeeded."""
        self._state = "working"

    def settle(self, dropped: int) -> None:
        """Log a change. `dropped`: the number of spans dropped since the start."""
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
    """A circuit breaker: closed while deliveries succeed; a failure opens it until its back-off is over."""

    def __init__(self) -> None:
        self._back_off = 0.0
        self._opened = 0.0

    @property
    def closed(self) -> bool:
        """Whether a delivery may be tried."""
        # By the wall clock: the monotonic one may stop while the environment is frozen. A clock that was set back must
        # not keep the circuit open.
        return not 0 <= wall_clock() - self._opened < self._back_off

    def succeeded(self) -> None:
        """Close the circuit."""
        self._back_off = 0.0

    def failed(self) -> None:
        """Open the circuit, for longer than the last time."""
        self._back_off = min(2 * self._back_off, LONGEST_S) or FIRST_S
        self._opened = wall_clock()
