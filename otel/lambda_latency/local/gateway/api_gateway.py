"""What all fronts of APIs share: the record and the span of a request, the sampling of a stage, and the port."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from lambda_latency.http import Handler, Server
from lambda_latency.local.errors import LocalError
from lambda_latency.local.xray.segments import SCOPE, TracingHeader
from lambda_latency.trace import GATEWAY, LAPTOP, Span, SpanKind, Status


@dataclass(frozen=True, slots=True)
class Answered:
    """A request as the caller saw it. `route` is `POST /orders`; method and path if no route matched.

    For an event without a caller, `route` names its source, and `status` is "ok" or the error.
    """

    trace_id: str
    sampled: bool
    route: str
    status: int | str
    duration_ns: int
    reached_lambda: bool


@dataclass(frozen=True, slots=True)
class Handled:
    """A request with its answer; `header` has the gateway's own span as its parent, `path` has no query."""

    header: TracingHeader
    route: str
    path: str
    status: int
    request_id: str
    start_ns: int
    end_ns: int

    def answered(self, *, is_recorded: bool, reached_lambda: bool) -> Answered:
        """Return the request as the caller saw it. `is_recorded` says whether the gateway has recorded its span."""
        duration_ns = self.end_ns - self.start_ns
        return Answered(self.header.trace_id, is_recorded, self.route, self.status, duration_ns, reached_lambda)


def gateway_span(name: str, stage: str, handled: Handled) -> Span:
    """Return the span of a request at the stage of an API with this name."""
    method, _, route = handled.route.partition(" ")
    return Span(
        trace_id=handled.header.trace_id,
        span_id=handled.header.parent_id,
        name=f"{name}/{stage}",
        kind=SpanKind.SERVER,
        start_ns=handled.start_ns,
        end_ns=handled.end_ns,
        status=Status.ERROR if handled.status >= 500 else Status.UNSET,
        attributes={
            "aws.xray.origin": GATEWAY,
            "http.request.method": method,
            "http.route": route,
            "url.path": handled.path,
            "http.response.status_code": handled.status,
            "http.status_code": handled.status,
            "aws.request_id": handled.request_id,
        },
        resource={"service.name": name, "cloud.provider": "aws", LAPTOP: True},
        scope=SCOPE,
    )


class StageSampler:
    """Samples a reservoir of `per_second` requests, and `rate` (0 to 1) of the others: by default X-Ray's own rule."""

    def __init__(
        self, per_second: int = 1, rate: float = 0.05, seed: int = 1, clock: Callable[[], float] = time.time
    ) -> None:
        self._per_second, self._rate = per_second, rate
        self._random = random.Random(seed)  # noqa: S311 - a draw, not a secret
        self._clock = clock
        self._second, self._taken = 0, 0
        self._lock = threading.Lock()

    def __call__(self) -> bool:
        """Return whether the next request is traced."""
        with self._lock:
            second = int(self._clock())
            if second != self._second:
                self._second, self._taken = second, 0
            if self._taken < self._per_second:
                self._taken += 1
                return True
            return self._random.random() < self._rate


def check_port(port: int) -> None:
    """Raises `LocalError` if the port cannot be used, before the slow parts start."""
    listen(Handler, port).close()


def listen(handler: type[Handler], port: int) -> Server:
    """Return a server on a port. Raises `LocalError` if the port cannot be used."""
    try:
        return Server(handler, port)
    except OSError as error:
        raise LocalError(
            f"port {port} of 127.0.0.1 cannot be used: {error.strerror}",
            "stop the program that listens there, or choose another port with --port (0: any free port)",
        ) from error
