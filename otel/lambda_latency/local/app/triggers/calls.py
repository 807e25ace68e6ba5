"""The requests of `demo` for any app: its example events, as requests where possible, and its GET routes."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from lambda_latency.http import request
from lambda_latency.local.app.read.apis import Api
from lambda_latency.local.app.read.declared import Declared
from lambda_latency.local.app.serve.system import System
from lambda_latency.local.app.triggers.examples import examples, likeness
from lambda_latency.local.app.triggers.instances import instance
from lambda_latency.local.gateway.contract import API_KEY, SIGNATURE
from lambda_latency.local.gateway.tokens import token
from lambda_latency.local.xray.segments import TraceHeader

PARAMETER: re.Pattern[str] = re.compile(r"\{([^}+]+)(\+?)\}")
WITH_BODY = ("POST", "PUT", "PATCH")
JSON = ("Content-Type", "application/json")


@dataclass(frozen=True, slots=True)
class Request:
    """A request to a gateway, which is an index into the system's gateways. `path` includes the query."""

    gateway: int
    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Invocation:
    """An invocation of a function, by its key, with an event in JSON."""

    key: str
    event: bytes


def load(system: System) -> list[Request | Invocation]:
    """The calls of an app: each example event once, then each GET route without an example.

    An example becomes a request if a route matches it, else an event of the function with the most similar name. Empty
    if an app has neither.
    """
    found: list[Request | Invocation] = []
    routed = {
        system.app.function_key(prefix, key) for prefix, api in system.app.apis for key in api.template.routes.values()
    }
    others = {
        key: one.events
        for key, one in system.app.functions.items()
        if isinstance(one, Declared) and key not in routed and key not in system.refused
    }
    for file in examples(system.app.root):
        event = _read(system.app.root / file)
        request = _as_request(event, system)
        if request is not None:
            found.append(request)
            continue
        key = max(others, key=lambda one: likeness(one, others[one], file), default="")
        if key and likeness(key, others[key], file):
            found.append(Invocation(key, json.dumps(event).encode()))
    seen = {(one.gateway, route) for one in found if isinstance(one, Request) for route in routes_of(one, system)}
    for place, (_, api) in enumerate(system.app.apis):
        for route in api.shown():
            method, _, path = route.partition(" ")
            if method in ("GET", "ANY") and (place, route) not in seen and path != "$default":
                found.append(request_for(route, place, api))
    return found


def example_requests(system: System) -> list[Request]:
    """The requests of the example events that match a route."""
    found = (_as_request(_read(system.app.root / file), system) for file in examples(system.app.root))
    return [one for one in found if one is not None]


def request_for(route: str, gateway: int, api: Api) -> Request:
    """A request to a route, with the examples of the API's definition; without them, path parameters are `1`."""
    method, _, path = route.partition(" ")
    sample, contract = api.sample(route), api.contract(route)
    path = PARAMETER.sub(lambda match: quote(sample.values.get(match[1], "1")), "/" if path == "$default" else path)
    query = urlencode(dict.fromkeys(contract.names("querystring"), "1"))
    with_body = method in WITH_BODY
    headers = ((JSON,) if with_body else ()) + _guarded(route, api)
    body = sample.body or json.dumps(instance(next(iter(contract.models.values()), {})))
    method = "GET" if method == "ANY" else method
    return Request(gateway, method, f"{path}?{query}" if query else path, headers, body if with_body else None)


def routes_of(request: Request, system: System) -> Iterator[str]:
    """The routes of its API that match a request, those without parameters first."""
    _, api = system.app.apis[request.gateway]
    path = request.path.partition("?")[0]
    return (route for route in api.template.routes if _leads(route, request.method, path))


def perform(call: Request | Invocation, system: System) -> str | None:
    """Send a call. Returns the error of a failed one, a status of 500 or more or the function's error; else None."""
    if isinstance(call, Invocation):
        return system.invoke(call.key, call.event, TraceHeader.new(sampled=True), f"invoke -> {call.key}").error
    try:
        answer = request(call.method, system.gateways[call.gateway].url + call.path, call.body, dict(call.headers))
    except OSError as error:
        return repr(error)
    return str(answer.status) if answer.status >= 500 else None


def _read(path: Path) -> Any:
    """The content of an example; None if it is not JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _as_request(event: Any, system: System) -> Request | None:
    """The request of an API Gateway event of either format; None for other events, and if no route matches."""
    if not isinstance(event, dict):
        return None
    context = event.get("requestContext")
    http_ = context.get("http") if isinstance(context, dict) else None
    if isinstance(http_, dict):
        method, path, query = http_.get("method"), event.get("rawPath"), str(event.get("rawQueryString") or "")
    else:
        given = event.get("queryStringParameters")
        method, path = event.get("httpMethod"), event.get("path")
        query = urlencode(given) if isinstance(given, dict) else ""
    if not isinstance(method, str) or not isinstance(path, str):
        return None
    headers = event.get("headers")
    kind = _content_type(headers) if isinstance(headers, dict) else ()
    body = _body(event) if method not in ("GET", "HEAD") else None
    for place, (_, api) in enumerate(system.app.apis):
        for route in api.template.routes:
            if _leads(route, method, path):
                whole = f"{path}?{query}" if query else path
                return Request(place, method, whole, (*kind, *_guarded(route, api)), body)
    return None


def _body(event: Mapping[str, Any]) -> str | None:
    """The body of an event as text; None without one, and for a binary one."""
    body = event.get("body")
    if not isinstance(body, str) or not event.get("isBase64Encoded"):
        return body if isinstance(body, str) else None
    try:
        return base64.b64decode(body).decode()
    except ValueError:
        return None


def _leads(route: str, method: str, path: str) -> bool:
    known, _, pattern = route.partition(" ")
    if known not in (method, "ANY") or pattern == "$default":
        return False
    parts = (re.escape(part) for part in re.split(r"\{[^}]+\}", pattern))
    values = [".+" if plus else "[^/]+" for _, plus in PARAMETER.findall(pattern)]
    whole = "".join(part + value for part, value in zip(parts, [*values, ""], strict=True))
    return re.fullmatch(whole, path) is not None


def _guarded(route: str, api: Api) -> tuple[tuple[str, str], ...]:
    """The headers that a route needs; a Lambda authorizer decides itself what it accepts."""
    guard, contract = api.guard(route), api.contract(route)
    found = dict.fromkeys(contract.names("header"), "1")
    found |= {header: "token" for header in api.sample(route).headers if header.lower() != API_KEY}
    found |= {API_KEY: min(contract.keys, default="local")} if contract.keyed else {}
    found |= {"Authorization": SIGNATURE} if contract.signed else {}
    found |= {guard.header: token(guard)} if guard is not None else {}
    return tuple(found.items())


def _content_type(headers: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(("Content-Type", str(value)) for name, value in headers.items() if name.lower() == "content-type")
