"""The emulator of API Gateway: starts and samples the trace of each request, records its own span, calls Lambda."""

from __future__ import annotations

import contextvars
import http.client
import json
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from lambda_latency.http import Server
from lambda_latency.local.errors import LocalError
from lambda_latency.local.gateway.contract import Authorize
from lambda_latency.local.gateway.sam import SamTemplate, gateway_app
from lambda_latency.local.gateway.wsgi import WSGI, WsgiHandler
from lambda_latency.local.sandbox.function import Outcome
from lambda_latency.local.xray.segments import SCOPE, TracingHeader, new_span_id, new_trace_id
from lambda_latency.trace import GATEWAY, LAPTOP, Span, SpanKind, Status

# The key under which a fallback names the route of a request, in its environment.
ROUTE = "lambda_latency.route"

Invoke = Callable[[str, bytes, TracingHeader, str], Outcome]
# The fields that are null for a caller without credentials: https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway.html
NOBODY = dict.fromkeys(("accessKey", "cognitoIdentityId", "principalOrgId"))
# The fields that an event of format 2.0 has only if they are not empty.
OPTIONAL = ("body", "cookies", "pathParameters", "queryStringParameters", "stageVariables")


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

    header: TracingHeader  # its parent is the gateway's own span
    request_id: str
    start_ns: int
    source_ip: str
    path: str
    route: str
    matched: bool = False  # samcli has a route for it
    refusal: tuple[int, bytes] | None = None  # the response if its authorizer fails
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
    """Serves the template's routes on 127.0.0.1.

    `invoke` runs a function by name with an event, the tracing header and the route; `record` receives the gateway's
    span of each sampled request; `answered` receives every request after its response. `failed_status` is the status of
    an HTTP API or a function URL if the function fails; `is_http` says that all routes are those of an HTTP API;
    `fallback` serves requests without a route to a function, and may name their route in the environment (`ROUTE`);
    `authorize` returns the response for a caller that may not call a route, else None, from the event and the route.
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
            gateway_headers = [("x-amzn-RequestId", request.request_id), ("X-Amzn-Trace-Id", root)]
            return start_response(status, [*headers, *gateway_headers], exc_info)

        token = _current.set(request)
        try:
            body = self._answer(environ, start)
        finally:
            _current.reset(token)
        return self._watched(body, request, statuses)

    def _answer(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Return the response of samcli, or that of the fallback if samcli has no route."""
        content = environ["wsgi.input"].read()
        started: list[Any] = []
        environ["wsgi.input"] = BytesIO(content)
        answer = self._app(environ, lambda *args: started.append(args))
        request, status = _current.get(), int(started[0][0].split(maxsplit=1)[0])
        if request.refusal is not None:
            status, body = request.refusal
            start(f"{status} {http.client.responses[status].upper()}", [("Content-Type", "application/json")])
            return [body]
        if self._fallback is None or status not in (403, 404) or request.matched:
            is_preflight = self._is_http and environ["REQUEST_METHOD"] == "OPTIONS" and not request.matched
            start(*(("204 NO CONTENT", *started[0][1:]) if is_preflight and status == 200 else started[0]))
            return answer
        environ["wsgi.input"] = BytesIO(content)
        response = self._fallback(environ, start)
        request.route = environ.get(ROUTE, request.route)
        return response

    def _watched(self, body: Iterable[bytes], request: _Request, statuses: list[int]) -> Iterator[bytes]:
        """Yields the body. When the server closes the iterator, the response is complete and is recorded."""
        try:
            yield from body
        finally:
            if callable(close := getattr(body, "close", None)):
                close()
            end_ns = time.time_ns()
            if self._template.traced and request.header.sampled:
                self._record([self._span(request, statuses[-1], end_ns)])
            self._answered(
                Answered(
                    trace_id=request.header.trace_id,
                    sampled=self._template.traced and request.header.sampled,
                    route=request.route,
                    status=statuses[-1],
                    duration_ns=end_ns - request.start_ns,
                    reached_lambda=request.reached_lambda,
                )
            )

    def _header(self, caller: str) -> TracingHeader:
        """A header of a new trace with tracing on; else the caller's header, or an unsampled one if that is invalid."""
        if self._template.traced:
            return TracingHeader(new_trace_id(), new_span_id(), self.sampler())
        return TracingHeader.parse(caller) or TracingHeader.new(sampled=False)

    def _call_lambda(self, function: str, raw: bytes) -> str:
        """Add the fields that samcli lacks to the event, run the function, and return its payload."""
        request = _current.get()
        request.matched = True
        event = json.loads(raw)
        # For a Lambda authorizer, not for the function of a route.
        if "methodArn" in event or "routeArn" in event:
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


@dataclass(frozen=True, slots=True)
class Caller:
    """The values of a request that samcli lacks. `trace` is the value of X-Amzn-Trace-Id; `start_ns` is epoch ns."""

    request_id: str
    source_ip: str
    port: int
    trace: str
    start_ns: int


def complete(event: dict[str, Any], caller: Caller, stage: str) -> str:
    """Completes an event in place; returns its route, such as `GET /orders/{id}`."""
    if event.get("version") == "2.0":
        return _complete_v2(event, caller)
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


def refusal_of(event: Mapping[str, Any], outcome: Outcome) -> tuple[int, bytes] | None:
    """Return the response if a caller's authorizer failed; else None. Its error `Unauthorized` refuses the caller."""
    if outcome.error is None:
        return None
    if json.loads(outcome.payload).get("errorMessage") == "Unauthorized":
        return 401, b'{"message":"Unauthorized"}'
    is_http = "routeArn" in event or "routeKey" in event
    return 500, b'{"message":"Internal Server Error"}' if is_http else b'{"message":null}'


def payload_for(event: dict[str, Any], outcome: Outcome, failed_status: int) -> str:
    """A function's response in the form that samcli reads. The error of a failed function is hidden, as on AWS."""
    if outcome.error is None:
        return outcome.payload.decode()
    if event.get("version") == "2.0":
        body = json.dumps({"message": "Internal Server Error"})
        headers = {"Content-Type": "application/json"}
        return json.dumps({"statusCode": failed_status, "headers": headers, "body": body})
    # API Gateway answers 502 for a failed function; samcli answers 502 for an invalid proxy response.
    return json.dumps({"failed": outcome.error})


def _complete_v2(event: dict[str, Any], caller: Caller) -> str:
    for name in [name for name in OPTIONAL if not event.get(name)]:
        event.pop(name, None)
    if event.get("routeKey") == "$default":
        event.pop("pathParameters", None)  # the parameter of samcli's catch-all route
    context = event["requestContext"]
    lower = {name.lower(): value for name, value in event["headers"].items()}
    via = _forwarded_headers(lower.get("x-forwarded-for"), caller)
    event["headers"] = lower | {name.lower(): value for name, value in via.items()}
    seconds = caller.start_ns // 1_000_000_000
    context |= {
        "requestId": caller.request_id,
        "domainName": lower.get("host", ""),
        "domainPrefix": _first_label(lower.get("host")),
        "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(seconds)),
        "timeEpoch": caller.start_ns // 1_000_000,
    }
    context["http"] |= {"sourceIp": caller.source_ip, "userAgent": lower.get("user-agent", "")}
    method, key = context["http"]["method"], str(event.get("routeKey") or "$default")
    return key if key != "$default" else f"{method} {event['rawPath']}"


def _first_label(host: str | None) -> str:
    return (host or "").partition(".")[0]


def _forwarded_headers(via: str | None, caller: Caller) -> dict[str, str]:
    return {
        "X-Forwarded-For": ", ".join(filter(None, (via, caller.source_ip))),
        "X-Forwarded-Port": str(caller.port),
        "X-Amzn-Trace-Id": caller.trace,
    }
