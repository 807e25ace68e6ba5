"""The emulator of API Gateway: starts and samples the trace of each request, records its own span, calls Lambda."""

from __future__ import annotations

import contextvars
import http.client
import json
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from lambda_latency.http import Server
from lambda_latency.local.errors import LocalError
from lambda_latency.local.gateway.contract import Authorize
from lambda_latency.local.gateway.events import (
    Caller,
    complete,
    is_for_authorizer,
    payload_for,
    refusal_of,
)
from lambda_latency.local.gateway.sam import Template, gateway_app
from lambda_latency.local.gateway.wsgi import WSGI, WsgiHandler
from lambda_latency.local.sandbox.function import Outcome
from lambda_latency.local.xray.segments import SCOPE, TraceHeader, new_span_id, new_trace_id
from lambda_latency.trace import GATEWAY, LAPTOP, Span, SpanKind, Status

ROUTE = "lambda_latency.route"  # the key under which a fallback names the route of a request, in its environment

Invoke = Callable[[str, bytes, TraceHeader, str], Outcome]


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


@dataclass(slots=True)
class _Request:
    """The state of a request while samcli handles it."""

    header: TraceHeader  # its parent is the gateway's own span
    request_id: str
    start_ns: int
    source_ip: str
    path: str
    route: str
    matched: bool = False  # samcli has a route for it
    refusal: tuple[int, bytes] | None = None  # the response if its authorizer fails
    reached_lambda: bool = False


_current: contextvars.ContextVar[_Request] = contextvars.ContextVar("request")


class Sampler:
    """Samples by an X-Ray rule: a reservoir of `per_second` requests, and `rate` (0 to 1) of the others.

    X-Ray's default rule is 1 and 0.05.
    """

    def __init__(
        self, per_second: int = 1, rate: float = 0.05, seed: int = 1, clock: Callable[[], float] = time.time
    ) -> None:
        self._per_second, self._rate = per_second, rate
        self._random = random.Random(seed)  # noqa: S311 - a draw, not a secret
        self._clock = clock
        self._second, self._taken = 0, 0
        self._lock = threading.Lock()

    def __call__(self) -> bool:
        """Whether the next request is traced."""
        with self._lock:
            second = int(self._clock())
            if second != self._second:
                self._second, self._taken = second, 0
            if self._taken < self._per_second:
                self._taken += 1
                return True
            return self._random.random() < self._rate


class Gateway:
    """Serves the template's routes on 127.0.0.1.

    `invoke` runs a function by name with an event, the tracing header and the route; `record` receives the gateway's
    span of each sampled request; `answered` receives every request after its response. `failed_status` is the status of
    an HTTP API or a function URL if the function fails; `is_http` says that all routes are those of an HTTP API;
    `fallback` serves requests without a route to a function, and
    may name their route in the environment (`ROUTE`);
    `authorize` returns the response for a caller that may not call a route, else None, from the event and the route.
    """

    def __init__(
        self,
        template: Template,
        invoke: Invoke,
        sampler: Callable[[], bool],
        *,
        record: Callable[[list[Span]], None],
        answered: Callable[[Answered], None],
        port: int = 0,
        failed_status: int = 500,
        is_http: bool = False,
        fallback: WSGI | None = None,
        authorize: Authorize | None = None,
    ) -> None:
        self._template, self._is_http = template, is_http
        self._failed_status, self._fallback, self._authorize = failed_status, fallback, authorize
        self._invoke, self.sampler = invoke, sampler
        self._record, self._answered = record, answered
        self._app: WSGI = gateway_app(template, self._call_lambda)
        self._server = _listen(type("Gateway", (WsgiHandler,), {"app": self._handle}), port)

    @property
    def url(self) -> str:
        return f"http://{self._server.address}"

    def close(self) -> None:
        """Stop listening."""
        self._server.close()

    def _handle(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        request = _Request(
            header=self._header(environ.get("HTTP_X_AMZN_TRACE_ID", "")),
            request_id=str(uuid.uuid4()),
            start_ns=time.time_ns(),
            source_ip=environ.get("REMOTE_ADDR", ""),
            path=path,
            route=f"{method} {path}",
        )
        environ["HTTP_X_AMZN_TRACE_ID"] = str(request.header)
        statuses: list[int] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            statuses.append(int(status.split(maxsplit=1)[0]))
            root = str(request.header).split(";")[0]
            own = [("x-amzn-RequestId", request.request_id), ("X-Amzn-Trace-Id", root)]
            return start_response(status, [*headers, *own], exc_info)

        token = _current.set(request)
        try:
            body = self._answer(environ, start)
        finally:
            _current.reset(token)
        return self._watched(body, request, statuses)

    def _answer(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """The response of samcli, or that of the fallback if samcli has no route."""
        content = environ["wsgi.input"].read()
        begun: list[Any] = []
        environ["wsgi.input"] = BytesIO(content)
        answer = self._app(environ, lambda *args: begun.append(args))
        request, status = _current.get(), int(begun[0][0].split(maxsplit=1)[0])
        if request.refusal is not None:
            return self._refused(*request.refusal, start)
        if self._fallback is None or status not in (403, 404) or request.matched:
            is_preflight = self._is_http and environ["REQUEST_METHOD"] == "OPTIONS" and not request.matched
            start(*(("204 NO CONTENT", *begun[0][1:]) if is_preflight and status == 200 else begun[0]))
            return answer
        environ["wsgi.input"] = BytesIO(content)
        response = self._fallback(environ, start)
        request.route = environ.get(ROUTE, request.route)
        return response

    def _refused(self, status: int, body: bytes, start: Callable[..., Any]) -> Iterable[bytes]:
        start(f"{status} {http.client.responses[status].upper()}", [("Content-Type", "application/json")])
        return [body]

    def _watched(self, body: Iterable[bytes], request: _Request, statuses: list[int]) -> Iterator[bytes]:
        """Yields the body. When the server closes the iterator, the response is complete and is recorded."""
        try:
            yield from body
        finally:
            if callable(close := getattr(body, "close", None)):
                close()
            now = time.time_ns()
            if self._template.traced and request.header.sampled:
                self._record([self._span(request, statuses[-1], now)])
            self._answered(
                Answered(
                    trace_id=request.header.trace_id,
                    sampled=self._template.traced and request.header.sampled,
                    route=request.route,
                    status=statuses[-1],
                    duration_ns=now - request.start_ns,
                    reached_lambda=request.reached_lambda,
                )
            )

    def _header(self, given: str) -> TraceHeader:
        """A header of a new trace with tracing on; else the caller's header, or an unsampled one if that is invalid."""
        if self._template.traced:
            return TraceHeader(new_trace_id(), new_span_id(), self.sampler())
        return TraceHeader.parse(given) or TraceHeader.new(sampled=False)

    def _call_lambda(self, function: str, raw: bytes) -> str:
        """Add the fields that samcli lacks to the event, run the function, and return its payload."""
        request = _current.get()
        request.matched = True
        event = json.loads(raw)
        if is_for_authorizer(event):
            outcome = self._invoke(function, raw, request.header, request.route)
            request.refusal = refusal_of(event, outcome)
            return outcome.payload.decode()
        caller = Caller(request.request_id, request.source_ip, self._server.port, str(request.header), request.start_ns)
        request.route = complete(event, caller, self._template.stage)
        refused = self._authorize(event, request.route) if self._authorize is not None else None
        if refused is not None:
            return refused
        request.reached_lambda = True
        outcome = self._invoke(function, json.dumps(event).encode(), request.header, request.route)
        return payload_for(event, outcome, self._failed_status)

    def _span(self, request: _Request, status: int, end_ns: int) -> Span:
        method, _, route = request.route.partition(" ")
        return Span(
            trace_id=request.header.trace_id,
            span_id=request.header.parent_id,
            name=f"{self._template.api_name}/{self._template.stage}",
            kind=SpanKind.SERVER,
            start_ns=request.start_ns,
            end_ns=end_ns,
            status=Status.ERROR if status >= 500 else Status.UNSET,
            attributes={
                "aws.xray.origin": GATEWAY,
                "http.request.method": method,
                "http.route": route,
                "url.path": request.path,
                "http.response.status_code": status,
                "http.status_code": status,
                "aws.request_id": request.request_id,
            },
            resource={"service.name": self._template.api_name, "cloud.provider": "aws", LAPTOP: True},
            scope=SCOPE,
        )


def check_port(port: int) -> None:
    """Raises `LocalError` if the port cannot be used, before the slow parts start."""
    _listen(WsgiHandler, port).close()


def _listen(handler: type[WsgiHandler], port: int) -> Server:
    try:
        return Server(handler, port)
    except OSError as error:
        raise LocalError(
            f"port {port} of 127.0.0.1 cannot be used: {error.strerror}",
            "stop the program that listens there, or choose another port with --port (0: any free port)",
        ) from error
