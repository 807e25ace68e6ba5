"""The front of one API on this machine: it starts and samples the trace of each request, lets the emulator's gateway
answer it, and records the gateway's span.
"""

from __future__ import annotations

import random
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol
from urllib.parse import urlsplit

from lambda_latency.http import Handler, Server
from lambda_latency.local.errors import LocalError
from lambda_latency.local.spans.segments import SCOPE, TracingHeader, new_span_id, new_trace_id
from lambda_latency.trace import GATEWAY, LAPTOP, Span, SpanKind, Status

# The headers between a front and the emulator, which `ministack_gateway` describes.
TARGET, ROUTE, REACHED = "x-lambda-latency-target", "x-lambda-latency-route", "x-lambda-latency-reached"
# The reason of an integration's failure, of `ministack_apis`.
WHY = "x-lambda-latency-why"
NOTES = (ROUTE, REACHED, WHY)
REQUEST_IDS = ("x-amzn-requestid", "apigw-requestid", "x-amz-request-id")
# The headers of a request and of an answer that belong to one connection, or that the front sets.
OF_REQUEST = ("connection", "keep-alive", "transfer-encoding", "content-length", "expect", "x-amzn-trace-id", TARGET)
OF_ANSWER = ("connection", "keep-alive", "transfer-encoding", "date", "server", "x-amzn-trace-id", *REQUEST_IDS)
TIMEOUT_S = 930  # the longest invocation, and its packages
Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Target:
    """An API in the emulator: `kind` is rest, http, url or alb, `api` its id; `name` and `stage` name its spans.

    Without `is_traced`, its caller decides whether a request is traced, and the gateway records no span.
    """

    kind: str
    api: str
    name: str
    stage: str
    is_traced: bool = True


class CallRecorder(Protocol):
    """Records the calls of a running app with their answers."""

    def add_request(
        self, method: str, path: str, headers: Iterable[tuple[str, str]], body: bytes, status: int, answer: bytes
    ) -> None:
        """Record a request; the path has its query."""

    def add_invocation(self, function: str, event: bytes, status: str, answer: bytes) -> None:
        """Record the invocation of a function by its key."""


class Front:
    """Serves an API on 127.0.0.1; `url` is the address of the emulator.

    `record` receives the gateway's span of each sampled request, `answered` every request after its response, `tell`
    the reasons of failed integrations, and `recorder` each request with its answer.
    """

    def __init__(
        self,
        url: str,
        target: Target,
        sampler: Callable[[], bool],
        *,
        record: Callable[[list[Span]], None],
        answered: Callable[[Answered], None],
        tell: Callable[[str], None],
        recorder: CallRecorder | None = None,
        port: int = 0,
    ) -> None:
        attributes = {
            "emulator": urlsplit(url).netloc,
            "target": target,
            "sampler": staticmethod(sampler),
            "record": staticmethod(record),
            "answered": staticmethod(answered),
            "tell": staticmethod(tell),
            "recorder": recorder,
        }
        self._server: Server = listen(type("Front", (_FrontHandler,), attributes), port)

    @property
    def url(self) -> str:
        return f"http://{self._server.address}"

    def close(self) -> None:
        """Stop listening."""
        self._server.close()


class _FrontHandler(Handler):
    emulator: str
    target: Target
    sampler: Callable[[], bool]
    record: Callable[[list[Span]], None]
    answered: Callable[[Answered], None]
    tell: Callable[[str], None]
    recorder: CallRecorder | None

    def setup(self) -> None:
        super().setup()
        self._emulator: _Connection | None = None

    def finish(self) -> None:
        super().finish()
        if self._emulator is not None:
            self._emulator.close()

    def do_GET(self) -> None:
        start_ns, kind = time.time_ns(), type(self)
        header = self._header()
        request_id, content = str(uuid.uuid4()), self.body()
        # As sent: the standard library drops a slash of `//orders`.
        address = self.requestline.split(" ")[1]
        path = address.partition("?")[0]
        try:
            status, headers, body = self._forwarded(address, content, header, request_id)
        except OSError as error:
            kind.tell(f"{self.command} {path} fails here: the emulator does not answer: {error!r}")
            status, headers, body = 503, [("Content-Type", "application/json")], b'{"message":"Service Unavailable"}'
        notes = {name.lower(): value for name, value in headers if name.lower() in NOTES}
        if WHY in notes:
            kind.tell(f"{self.command} {path} fails here: {notes[WHY]}")
        root = str(header).split(";")[0]
        added = [("x-amzn-RequestId", request_id), ("X-Amzn-Trace-Id", root), ("Date", self.date_time_string())]
        self.answer(status, body, [*passed_on(headers, self.command), *added])
        end_ns, route = time.time_ns(), notes.get(ROUTE) or f"{self.command} {path}"
        handled = Handled(header, route, path, status, request_id, start_ns, end_ns)
        is_recorded = header.sampled and self.target.is_traced
        if is_recorded:
            kind.record([gateway_span(self.target.name, self.target.stage, handled)])
        kind.answered(handled.answered(is_recorded=is_recorded, reached_lambda=REACHED in notes))
        if kind.recorder is not None:
            kind.recorder.add_request(self.command, address, self.headers.items(), content, status, body)

    do_HEAD = do_OPTIONS = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def _header(self) -> TracingHeader:
        if self.target.is_traced:
            return TracingHeader(new_trace_id(), new_span_id(), type(self).sampler())
        caller = TracingHeader.parse(self.headers.get("X-Amzn-Trace-Id", ""))
        return caller or TracingHeader.new(sampled=False)

    def _forwarded(
        self, address: str, content: bytes, header: TracingHeader, request_id: str
    ) -> tuple[int, Headers, bytes]:
        sent = [pair for pair in self.headers.items() if pair[0].lower() not in (*OF_REQUEST, "x-forwarded-for")]
        via = [*self.headers.get_all("X-Forwarded-For", ()), self.client_address[0]]
        target = self.target
        sent += [
            (TARGET, f"{target.kind}/{target.api}/{target.stage}"),
            ("x-amzn-requestid", request_id),
            ("X-Amzn-Trace-Id", str(header)),
            ("X-Forwarded-For", ", ".join(via)),
            ("X-Forwarded-Port", str(self.server.server_port)),  # type: ignore[attr-defined]
            ("Content-Length", str(len(content))),
        ]
        if self._emulator is None:
            self._emulator = _Connection(self.emulator)
        try:
            return self._emulator.request(self.command, address, sent, content)
        except OSError:
            self._emulator.close()
            self._emulator = None
            raise


def passed_on(headers: Headers, method: str) -> Headers:
    """Return the headers of the emulator's answer that the caller gets."""
    # The length of an answer to HEAD is that of the answer to GET.
    dropped = (*OF_ANSWER, *NOTES, *(() if method == "HEAD" else ("content-length",)))
    return [pair for pair in headers if pair[0].lower() not in dropped]


class _Connection:
    """A connection to the emulator that stays open: a request costs a tenth of one of `http.client`."""

    def __init__(self, address: str) -> None:
        host, _, port = address.partition(":")
        self._socket = socket.create_connection((host, int(port)), TIMEOUT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answers: BinaryIO = self._socket.makefile("rb")

    def request(self, method: str, address: str, headers: Headers, body: bytes) -> tuple[int, Headers, bytes]:
        """Return the status, the headers and the body of the answer. Raises `OSError` without a complete one."""
        lines = [f"{method} {address} HTTP/1.1", *(f"{name}: {value}" for name, value in headers), "", ""]
        self._socket.sendall("\r\n".join(lines).encode("latin-1") + body)
        words = self._answers.readline().split(b" ", 2)
        if len(words) < 2:
            raise ConnectionError("the connection was closed")
        answered = list(self._fields())
        lengths = [value for name, value in answered if name.lower() == "content-length"]
        is_empty = method == "HEAD" or not lengths or words[1] == b"304"
        return int(words[1]), answered, b"" if is_empty else self._answers.read(int(lengths[0]))

    def close(self) -> None:
        """Close the connection."""
        self._answers.close()
        self._socket.close()

    def _fields(self) -> Iterator[tuple[str, str]]:
        while (line := self._answers.readline().rstrip(b"\r\n")) != b"":
            name, _, value = line.decode("latin-1").partition(":")
            yield name, value.strip()


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
