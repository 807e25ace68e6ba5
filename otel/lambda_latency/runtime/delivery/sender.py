"""Sends spans to an OTLP/HTTP receiver in bounded time. Spans that it does not accept wait for the next delivery."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from http.client import HTTPException
from math import inf
from os import urandom
from time import gmtime, strftime
from time import time as wall_clock

from opentelemetry.sdk.trace import ReadableSpan

from lambda_latency.runtime.delivery.encoding import Encoded, Encoder, batches, redaction_of, request
from lambda_latency.runtime.delivery.transport import Transport, transport_to
from lambda_latency.runtime.harmless import warn
from lambda_latency.runtime.recorder import Buffer
from lambda_latency.runtime.settings import Settings

# Bytes of a request: with a small function's share of CPU, a receiver answers it within the bound
LARGEST = 512 * 1024
LARGEST_SPAN_OF_XRAY = 200_000  # bytes, as documented for its endpoint
# A delivery with less time before a deadline is not begun
LEAST_S = 0.02
LATER, LATE, TOO_LARGE = -1, -2, -3
"""What a request comes to if no span is accepted or refused: an error that may pass, no answer in time, status 413."""

FIRST_S, LONGEST_S = 1.0, 30.0
# The longest pause that a receiver may ask for: many environments do not live longer without a request
LONGEST_PAUSE_S = 300.0
# The share by which a pause is longer at most, so that many environments do not come back at once
JITTER = 0.25


class Sender:
    """The sink for a collector, and for X-Ray's OTLP endpoint."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._transport = transport_to(settings)
        self._to_xray = settings.export == "otlp"
        self._largest = LARGEST_SPAN_OF_XRAY if self._to_xray else LARGEST
        # Bytes of a request; less for a receiver that calls this too large
        self._batch = LARGEST
        self._encoder = Encoder(redaction_of(settings))
        self._waiting: Buffer[Encoded] = Buffer(settings.buffered_spans, settings.buffered_kb * 1024)
        self._circuit = Circuit()
        # The first delivery has more time, because the collector may still be starting.
        self._seconds = self._first_seconds = settings.first_flush_ms / 1000
        self._later_seconds = settings.flush_ms / 1000
        self._log = Log(self._transport.address)

    def export(self, spans: Iterable[ReadableSpan], seconds: float = inf) -> bool:
        """Encode and deliver these spans and the waiting ones in the bound or fewer `seconds`; False if some wait."""
        until = time.monotonic() + seconds
        encoded: list[tuple[Encoded, int]] = []
        try:
            for span in self._encoder.encode(spans, self._largest, seconds / 2):
                encoded.append((span, span.size))  # noqa: PERF401 - what precedes an error stays
        finally:
            self._waiting.extend(encoded)
        if self._waiting and self._circuit.closed:
            self._deliver(until)
        self._log.settle(self._waiting.dropped)
        return not self._waiting

    def urgent(self, spans: Iterable[ReadableSpan], seconds: float = inf) -> Callable[[float], str]:
        """Encode spans, redacted in at most `seconds`; returns the function that delivers them within some seconds.

        It delivers even with an open circuit. It uses a new connection, and waits for each answer: a receiver may drop
        a request whose sender has closed the connection. It returns why some were not accepted that the receiver may
        accept later; empty if there are none.
        """
        encoded = self._encoder.encode(spans, self._largest, seconds)
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
        start = time.monotonic()
        bound = min(self._seconds, until - start)
        is_cut = bound < self._seconds
        if is_cut and bound < LEAST_S:
            return
        if not is_cut:
            self._seconds = self._later_seconds
        while batch := self._waiting.oldest(self._batch):
            left_s = start + bound - time.monotonic()
            if left_s < bound / 2:
                # With less time, a working receiver could look like a failing one
                return
            refused, why, pause_s = self._post(self._transport, request(batch), len(batch), left_s)
            if refused == TOO_LARGE:
                self._batch = sum([encoded.size for encoded in batch]) // 2
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
                    self._circuit.failed(pause_s)
                self._log.failing(why, self._circuit.end if pause_s else 0.0)
                return

    def _deliver_now(self, bodies: list[tuple[bytes, list[Encoded]]], seconds: float) -> str:
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
                    return f"{transport.address}: {why}"
                else:
                    self._settled(refused, len(batch), why)
        finally:
            transport.close()
        self._log.settle(self._waiting.dropped)
        return ""

    def _settled(self, refused: int, count: int, why: str) -> None:
        """The receiver has accepted `count` spans but those that it refuses for good."""
        self._waiting.dropped += refused
        if refused:
            self._log.refusing(refused, count, why)
        else:
            self._log.working(why)

    def _post(self, transport: Transport, body: bytes, count: int, seconds: float) -> tuple[int, str, float]:
        """Return how many of `count` spans are refused for good (negative: an error), why, and the pause in seconds.

        A receiver's message may repeat a key of the request, so it is redacted as spans are.
        """
        refused, why, pause_s = self._exchange(transport, body, count, seconds)
        chosen = self._settings.redacted
        return refused, chosen.clean(why) if chosen and why else why, pause_s

    def _exchange(self, transport: Transport, body: bytes, count: int, seconds: float) -> tuple[int, str, float]:
        try:
            answer = transport.post(body, seconds)
        except (OSError, HTTPException) as error:
            return LATE if isinstance(error, TimeoutError) else LATER, self._failure(error), 0.0
        if answer.status == 200 and not answer.body and not answer.header(b"content-type").startswith(b"text/"):
            return 0, "", 0.0
        if answer.status == 413 and count > 1:
            return TOO_LARGE, "", 0.0
        from lambda_latency.runtime.delivery.answers import outcome, outcome_of_xray, retry_after

        if self._to_xray:
            return *outcome_of_xray(answer, count), retry_after(answer)
        headers = self._settings.headers
        return *outcome(answer, count, headers.names if headers else ()), retry_after(answer)

    def _failure(self, error: Exception) -> str:
        """Return why a request has no answer."""
        if self._to_xray:
            from lambda_latency.runtime.delivery.answers import unreachable

            return unreachable(error)
        if self._settings.headers and isinstance(error, HTTPException):
            return type(error).__name__  # its text has the bytes that are no answer: a key may be among them
        return f"{type(error).__name__}: {error}"


class Circuit:
    """A circuit breaker: a failed delivery opens it, and no request is sent until a back-off is over."""

    def __init__(self) -> None:
        self._back_off, self._pause, self._opened, self._was_cut = 0.0, 0.0, 0.0, False

    @property
    def closed(self) -> bool:
        """Whether a delivery may be tried."""
        # By the wall clock: the monotonic one may stop while the environment is frozen. A clock that was set back must
        # not keep the circuit open.
        return not 0 <= wall_clock() - self._opened < self._pause

    @property
    def end(self) -> float:
        """When the circuit closes, in seconds since 1970."""
        return self._opened + self._pause

    def succeeded(self) -> None:
        """Close the circuit."""
        self._back_off = self._pause = 0.0
        self._was_cut = False

    def failed(self, pause_s: float = 0.0) -> None:
        """Open the circuit, for longer than the last time, and for as long as the receiver has requested."""
        self._back_off = min(2 * self._back_off, LONGEST_S) or FIRST_S
        least = max(self._back_off, min(pause_s, LONGEST_PAUSE_S))
        # From the kernel: the function may have seeded `random`.
        self._pause = least * (1 + JITTER * urandom(1)[0] / 255)
        self._opened = wall_clock()
        self._was_cut = False

    def cut_short(self) -> bool:
        """A shortened delivery had no answer. The second one in a row opens the circuit; returns whether it does."""
        if self._was_cut:
            self.failed()
            return True
        self._was_cut = True
        return False


class Log:
    """Writes one line at each change: deliveries fail, spans are dropped, deliveries work again."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._said = self._state = "working"
        self._why, self._until, self._dropped = "", "it takes them", 0
        self._refused = 0  # refused spans that the log knows of
        self._remarked = False

    def failing(self, why: str, pause_end: float) -> None:
        """A delivery failed; it will be tried again. The receiver has asked for a pause if `pause_end` is not 0."""
        self._state, self._why = "failing", why
        self._until = "it takes them"
        if pause_end:
            self._until = strftime("the next try at %H:%M:%S UTC", gmtime(pause_end))

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
        if self._state == self._said == "working" and not lost:
            return
        if self._state == "failing" and lost:
            self._state = "full"
        if self._state == self._said == "refusing" and lost >= 10 * self._refused:
            self._refused = lost
            warn(f"{self._address} still refuses spans ({self._why}): {lost} so far")
        if self._state == self._said != "working" or (self._state, self._said) == ("failing", "full"):
            return
        if self._state == "failing":
            warn(f"no spans are delivered to {self._address} ({self._why}); they wait until {self._until}")
        elif self._state == "refusing":
            self._refused = lost
            warn(f"{self._address} refuses spans ({self._why}); they are dropped")
        elif self._state == "full":
            warn(
                f"no spans are delivered to {self._address} ({self._why}) and too many wait: the oldest are dropped "
                "(LAMBDA_LATENCY_BUFFERED_SPANS and LAMBDA_LATENCY_BUFFERED_KB are the limits)"
            )
        else:
            if self._said != "working":
                warn(f"spans are delivered to {self._address} again; {lost} were dropped")
            elif lost:
                warn(f"{lost} spans were dropped: {self._address} does not take them as fast as they come")
            self._dropped = dropped
        self._said = self._state
