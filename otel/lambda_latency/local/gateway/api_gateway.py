"""The emulator of API Gateway: starts and samples the trace of each request, records its own span, calls Lambda."""

from __future__ import annotations

import contextvars
import json
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from lambda_latency.http import Handler, Server
from lambda_latency.local.errors import LocalError
from lambda_latency.local.gateway.sam import SamTemplate, gateway_app
from lambda_latency.local.gateway.wsgi import WSGI, WsgiHandler
from lambda_latency.local.sandbox.function import Outcome
from lambda_latency.local.xray.segments import SCOPE, TracingHeader, new_span_id, new_trace_id
from lambda_latency.trace import GATEWAY, LAPTOP, Span, SpanKind, Status

Invoke = Callable[[str, bytes, TracingHeader, str], Outcome]
# The fields that are null for a caller without credentials: https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway.html
NOBODY = dict.fromkeys(("accessKey", "cognitoIdentityId", "principalOrgId"))


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

    def answered(self, *, reached_lambda: bool) -> Answered:
        """Return the request as the caller saw it."""
        duration_ns = self.end_ns - self.start_ns
        header = self.header
        return Answered(header.trace_id, header.sampled, self.route, self.status, duration_ns, reached_lambda)


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


@dataclass(slots=True)
class _Request:
    """The state of a request while samcli handles it."""

    header: TracingHeader  # its parent is the gateway's own span
    request_id: str
    start_ns: int
    source_ip: str
    path: str
    route: str
    reached_lambda: bool = False


_current: contextvars.ContextVar[_Request] = contextvars.ContextVar("request")


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


class Gateway:
    """Serves the packaged example's routes on 127.0.0.1.

    `invoke` runs a function by name with an event, the tracing header and the route; `record` receives the gateway's
    span of each sampled request; `answered` receives every request after its response.
    """

    def __init__(
        self,
        template: SamTemplate,
        invoke: Invoke,
        sampler: Callable[[], bool],
        *,
        record: Callable[[list[Span]], None],
        answered: Callable[[Answered], None],
        port: int = 0,
    ) -> None:
        self._template = template
        self._invoke, self.sampler = invoke, sampler
        self._record, self._answered = record, answered
        self._app: WSGI = gateway_app(template, self._call_lambda)
        self._server = listen(type("Gateway", (WsgiHandler,), {"app": self._handle}), port)

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
            gateway_headers = [("x-amzn-RequestId", request.request_id), ("X-Amzn-Trace-Id", root)]
            return start_response(status, [*headers, *gateway_headers], exc_info)

        token = _current.set(request)
        try:
            body = self._app(environ, start)
        finally:
            _current.reset(token)
        return self._watched(body, request, statuses)

    def _watched(self, body: Iterable[bytes], request: _Request, statuses: list[int]) -> Iterator[bytes]:
        """Yields the body. When the server closes the iterator, the response is complete and is recorded."""
        try:
            yield from body
        finally:
            if callable(close := getattr(body, "close", None)):
                close()
            handled = Handled(
                header=request.header,
                route=request.route,
                path=request.path,
                status=statuses[-1],
                request_id=request.request_id,
                start_ns=request.start_ns,
                end_ns=time.time_ns(),
            )
            if self._template.traced and request.header.sampled:
                self._record([gateway_span(self._template.api_name, self._template.stage, handled)])
            answered = handled.answered(reached_lambda=request.reached_lambda)
            self._answered(replace(answered, sampled=self._template.traced and answered.sampled))

    def _header(self, caller: str) -> TracingHeader:
        """A header of a new trace with tracing on; else the caller's header, or an unsampled one if that is invalid."""
        if self._template.traced:
            return TracingHeader(new_trace_id(), new_span_id(), self.sampler())
        return TracingHeader.parse(caller) or TracingHeader.new(sampled=False)

    def _call_lambda(self, function: str, raw: bytes) -> str:
        """Add the fields that samcli lacks to the event, run the function, and return its payload."""
        request = _current.get()
        event = json.loads(raw)
        caller = Caller(request.request_id, request.source_ip, self._server.port, str(request.header))
        request.route = complete(event, caller, self._template.stage)
        request.reached_lambda = True
        outcome = self._invoke(function, json.dumps(event).encode(), request.header, request.route)
        # API Gateway answers 502 for a failed function; samcli answers 502 for an invalid proxy response.
        return outcome.payload.decode() if outcome.error is None else json.dumps({"failed": outcome.error})


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


@dataclass(frozen=True, slots=True)
class Caller:
    """The values of a request that samcli lacks. `trace` is the value of X-Amzn-Trace-Id."""

    request_id: str
    source_ip: str
    port: int
    trace: str


def complete(event: dict[str, Any], caller: Caller, stage: str) -> str:
    """Completes an event in place; returns its route, such as `GET /orders/{id}`."""
    context = event["requestContext"]
    path = event["path"] if stage in ("", "$default") else f"/{stage}{event['path']}"
    context |= {
        "requestId": caller.request_id,
        "extendedRequestId": caller.request_id,
        "path": path,
        "stage": context["stage"] or stage,
        "domainPrefix": _first_label(context.get("domainName")),
    }
    identity = {**NOBODY, **context["identity"], "userAgent": event["headers"].get("User-Agent")}
    context["identity"] = identity
    for name, value in _forwarded_headers(event["headers"].get("X-Forwarded-For"), caller).items():
        event["headers"][name] = value
        event["multiValueHeaders"][name] = [value]
    return f"{event['httpMethod']} {event['resource']}"


def _first_label(host: str | None) -> str:
    return (host or "").partition(".")[0]


def _forwarded_headers(via: str | None, caller: Caller) -> dict[str, str]:
    return {
        "X-Forwarded-For": ", ".join(filter(None, (via, caller.source_ip))),
        "X-Forwarded-Port": str(caller.port),
        "X-Amzn-Trace-Id": caller.trace,
    }
