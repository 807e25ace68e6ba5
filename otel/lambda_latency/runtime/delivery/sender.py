"""Sends spans to an OTLP/HTTP receiver in bounded time. Spans that it does not accept wait for the next delivery."""

from __future__ import annotations

import time
from functools import partial
from http.client import HTTPException
from math import inf
from typing import TYPE_CHECKING

from lambda_latency.runtime.delivery.circuit import Circuit
from lambda_latency.runtime.delivery.encoding import Encoder, batches, request
from lambda_latency.runtime.delivery.transport import transport_to
from lambda_latency.runtime.harmless import warn
from lambda_latency.runtime.recorder import Buffer
from lambda_latency.runtime.redact import Redaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from lambda_latency.runtime.delivery.encoding import Encoded
    from lambda_latency.runtime.delivery.transport import Transport
    from lambda_latency.runtime.settings import Settings

LARGEST = 512 * 1024  # bytes of a request: with a small function's share of CPU, a receiver answers it within the bound
LARGEST_SPAN_OF_XRAY = 200_000  # bytes, as documented for its endpoint
LEAST_S = 0.02  # a delivery with less time before a deadline is not begun
LATER, LATE, TOO_LARGE = -1, -2, -3
"""What a request comes to if no span is accepted or refused: an error that may pass, no answer in time, status 413."""


class Sender:
    """The sink for a collector, and for X-Ray's OTLP endpoint."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._transport = transport_to(settings)
        self._to_xray = settings.export == "otlp"
        self._largest = LARGEST_SPAN_OF_XRAY if self._to_xray else LARGEST
        self._batch = LARGEST  # bytes of a request; less for a receiver that calls this too large
        self._encoder = Encoder(Redaction.of(settings))
        self._waiting: Buffer[Encoded] = Buffer(settings.buffered_spans, settings.buffered_kb * 1024)
        self._circuit = Circuit()
        # The first delivery has more time, because the collector may still be starting.
        self._seconds = self._first_seconds = settings.first_flush_ms / 1000
        self._later_seconds = settings.flush_ms / 1000
        self._log = Log(self._transport.address)

    def export(self, spans: Iterable[ReadableSpan], seconds: float = inf) -> bool:
        """Deliver these spans and the waiting ones within the bound or `seconds`, if those are fewer; False if some
        wait afterwards. The seconds include the encoding.
        """
        until = time.monotonic() + seconds
        for encoded in self._encoder.encode(spans, self._largest, seconds / 2):
            self._waiting.add(encoded, encoded.size)
        if self._waiting and self._circuit.closed:
            self._deliver(until)
        self._log.settle(self._waiting.dropped)
        return not self._waiting

    def urgent(self, spans: Sequence[ReadableSpan]) -> Callable[[float], bool]:
        """Encode spans; returns the function that delivers them within some seconds, even with an open circuit.

        It uses a new connection, and waits for each answer: a receiver may drop a request whose sender has closed the
        connection. It returns False if the receiver may accept some of the spans later.
        """
        encoded = self._encoder.encode(spans, self._largest)
        bodies = [(request(batch), batch) for batch in batches(encoded, min(self._largest, self._batch))]
        return partial(self._deliver_now, bodies)

    def shutdown(self) -> None:
        """Try to deliver the waiting spans, even with an open circuit, because the process ends; then close."""
        if self._waiting:
            self._seconds = self._first_seconds
            self._deliver(inf)
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

    def _deliver(self, until: float) -> None:
        now = time.monotonic()
        bound = min(self._seconds, until - now)
        is_cut = bound < self._seconds
        if is_cut and bound < LEAST_S:
            return
        if not is_cut:
            self._seconds = self._later_seconds
        while batch := self._waiting.oldest(self._batch):
            left = now + bound - time.monotonic()
            if left < bound / 2:
                return  # with less time, a working receiver could look like a failing one
            refused, why, asked_s = self._post(self._transport, request(batch), len(batch), left)
            if refused == TOO_LARGE:
                self._batch = sum([one.size for one in batch]) // 2
            elif refused >= 0:
                self._seconds = self._later_seconds
                self._circuit.succeeded()
                self._waiting.forget(len(batch))
                self._settled(refused, len(batch), why)
            else:
                if refused == LATE and is_cut:
                    if not self._circuit.cut_short():
                        return
                else:
                    self._circuit.failed(asked_s)
                self._log.failing(why)
                return

    def _deliver_now(self, bodies: list[tuple[bytes, list[Encoded]]], seconds: float) -> bool:
        until = time.monotonic() + seconds
        transport = transport_to(self._settings)
        waiting = bodies[::-1]
        try:
            while waiting:
                body, batch = waiting.pop()
                refused, why, _ = self._post(transport, body, len(batch), until - time.monotonic())
                if refused == TOO_LARGE:
                    half = len(batch) // 2
                    waiting += [(request(part), part) for part in (batch[half:], batch[:half])]
                elif refused < 0:
                    warn(f"a timeout could not be told to {transport.address}: {why}")
                    return False
                else:
                    self._settled(refused, len(batch), why)
        finally:
            transport.close()
        self._log.settle(self._waiting.dropped)
        return True

    def _settled(self, refused: int, count: int, why: str) -> None:
        """The receiver has accepted `count` spans but those that it refuses for good."""
        self._waiting.dropped += refused
        if refused:
            self._log.refusing(refused, count, why)
        else:
            self._log.working(why)

    def _post(self, transport: Transport, body: bytes, count: int, seconds: float) -> tuple[int, str, float]:
        """How many of `count` spans the receiver refuses for good, or a negative number; why; the pause in seconds that
        it asks for.
        """
        try:
            answer = transport.post(body, seconds)
        except (OSError, HTTPException) as error:
            result = LATE if isinstance(error, TimeoutError) else LATER
            if self._to_xray:
                from lambda_latency.runtime.delivery.answers import unreachable

                return result, unreachable(error), 0.0
            return result, f"{type(error).__name__}: {error}", 0.0
        if answer.status == 200 and not answer.body:
            return 0, "", 0.0
        if answer.status == 413 and count > 1:
            return TOO_LARGE, "", 0.0
        from lambda_latency.runtime.delivery.answers import outcome, outcome_of_xray, retry_after

        return *(outcome_of_xray if self._to_xray else outcome)(answer, count), retry_after(answer)


class Log:
    """Writes one line at each change: deliveries fail, spans are dropped, deliveries work again."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._said = self._state = "working"
        self._why, self._dropped = "", 0
        self._told = 0  # refused spans that the log knows of
        self._remarked = False

    def failing(self, why: str) -> None:
        """A delivery failed; it will be tried again."""
        self._state, self._why = "failing", why

    def refusing(self, refused: int, count: int, why: str) -> None:
        """Some spans of a delivery, or all, were refused for good."""
        self._state, self._why = "refusing", f"{refused} of {count}: {why}"

    def working(self, remark: str) -> None:
        """A delivery succeeded. The first remark of the receiver about one is logged."""
        self._state = "working"
        if remark and not self._remarked:
            self._remarked = True
            warn(f"{self._address} takes spans and says: {remark}")

    def settle(self, dropped: int) -> None:
        """Log a change. `dropped`: the number of spans dropped since the start."""
        lost = dropped - self._dropped
        if self._state == "failing" and lost:
            self._state = "full"
        if self._state == self._said == "refusing" and lost >= 10 * self._told:
            self._told = lost
            warn(f"{self._address} still refuses spans ({self._why}): {lost} so far")
        if self._state == self._said != "working" or (self._state, self._said) == ("failing", "full"):
            return
        if self._state == "failing":
            warn(f"no spans are delivered to {self._address} ({self._why}); they wait until it takes them")
        elif self._state == "refusing":
            self._told = lost
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
