"""The calls of `demo` for any app: its example events in `events/`, as requests where possible, and its GET routes."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from lambda_latency.http import request
from lambda_latency.local.app.read.apis import Api, Route
from lambda_latency.local.app.read.declared import Declared
from lambda_latency.local.app.read.definitions import Fields, mapping, mappings
from lambda_latency.local.app.serve.system import System
from lambda_latency.local.spans.segments import TracingHeader

JSON = ("Content-Type", "application/json")
API_KEY = "x-api-key"
# A header by which a request counts as signed, because signatures are not verified here.
SIGNATURE = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/execute-api/aws4_request"
PARAMETER = re.compile(r"\{([^}+]+)(\+?)\}")
IN_A_PATH = "/%:@!$&'()*+,;=~"  # characters that a URL may have there; % begins an encoded one
WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
COMMON = {"function", "lambda", "event", "events", "json", "handler"}
DEEPEST = 8  # levels of a schema that refers to itself
FORMATS = {"date": "2026-01-01", "date-time": "2026-01-01T00:00:00Z", "email": "me@example.com"}


@dataclass(frozen=True, slots=True)
class HttpCall:
    """A request to the API with this key. `path` includes the query."""

    api: str
    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """An invocation of a function, by its key, with an event in JSON."""

    key: str
    event: bytes


def load_calls(system: System) -> list[HttpCall | FunctionCall]:
    """Return the calls of an app: each example event once, then each GET route without an example.

    An example becomes a request if a route matches it, else an event of the function with the most similar name. Empty
    if an app has neither.
    """
    calls: list[HttpCall | FunctionCall] = []
    called: set[tuple[str, str]] = set()
    functions = _without_route(system)
    for file, event in _events(system):
        request = _as_request(event, system)
        if request is not None:
            calls.append(request)
            called |= {(request.api, route) for route in routes_of(request, system)}
            continue
        key = max(functions, key=lambda name: likeness(name, functions[name], file), default="")
        if key and likeness(key, functions[key], file):
            calls.append(FunctionCall(key, json.dumps(event).encode()))
    for api in served(system):
        routes = filter(_reads, api.shown())
        calls += [request_for(route, api, system) for route in routes if (api.key, route) not in called]
    return calls


def served(system: System) -> list[Api]:
    """Return the APIs that were created."""
    return [api for api in system.app.apis if api.key in system.urls]


def _reads(route: str) -> bool:
    method, _, path = route.partition(" ")
    return method in ("GET", "ANY") and path != "$default"


def _without_route(system: System) -> dict[str, Sequence[str]]:
    """Return the functions that run here and that no route calls, with the types of their events."""
    apis = (api for api in system.app.apis if api.kind != "url")
    routed = {route.function for api in apis for route in api.routes.values()}
    return {
        key: function.events
        for key, function in system.app.functions.items()
        if isinstance(function, Declared) and key not in routed and key not in system.refused
    }


def example_requests(system: System) -> list[HttpCall]:
    """Return the requests of the example events that match a route."""
    requests = (_as_request(event, system) for _, event in _events(system))
    return [request for request in requests if request is not None]


def request_for(name: str, api: Api, system: System) -> HttpCall:
    """Return a request to a route, with the examples of the API's definition; without them, path parameters are `1`."""
    method, _, path = name.partition(" ")
    route = api.routes[name]
    path = "/" if path == "$default" else path
    path = PARAMETER.sub(lambda match: quote(route.sample.values.get(match[1], "1")), path)
    query = urlencode(dict.fromkeys(route.query, "1"))
    with_body = method in ("POST", "PUT", "PATCH")
    headers = ((JSON,) if with_body else ()) + _guarded(route, api, system)
    body = route.sample.body or json.dumps(instance(route.model))
    method = "GET" if method == "ANY" else method
    return HttpCall(api.key, method, f"{path}?{query}" if query else path, headers, body if with_body else None)


def routes_of(request: HttpCall, system: System) -> list[str]:
    """Return the routes of its API that match a request, those without parameters first."""
    api = next(api for api in system.app.apis if api.key == request.api)
    return api.matching(request.method, request.path.partition("?")[0])


@dataclass(frozen=True, slots=True)
class CallAnswer:
    """The answer to a call: the HTTP status, or `ok` or the function's error, and the id of its trace."""

    status: str
    body: bytes
    trace_id: str


def send_call(call: HttpCall | FunctionCall, system: System, timeout_s: float = 60) -> CallAnswer:
    """Send a call and return its answer. Raises `OSError` if an API does not answer."""
    if isinstance(call, FunctionCall):
        header = TracingHeader.new(sampled=True)
        outcome = system.invoke(call.key, call.event, header, f"invoke -> {call.key}")
        return CallAnswer(outcome.error or "ok", outcome.payload, header.trace_id)
    answer = request(call.method, system.urls[call.api] + call.path, call.body, dict(call.headers), timeout_s)
    root = answer.headers["X-Amzn-Trace-Id"] or ""
    return CallAnswer(str(answer.status), answer.body, root.removeprefix("Root=1-").replace("-", ""))


def perform(call: HttpCall | FunctionCall, system: System) -> str | None:
    """Send a call. Returns the error of a failed one, a status of 500 or more or the function's error; else None."""
    try:
        status = send_call(call, system).status
    except OSError as error:
        return repr(error)
    is_fine = int(status) < 500 if isinstance(call, HttpCall) else status == "ok"
    return None if is_fine else status


def with_credentials(call: HttpCall, system: System) -> HttpCall:
    """Return a request with the headers that its route needs, such as an API key; its own headers win."""
    route = next(iter(routes_of(call, system)), None)
    if route is None:
        return call
    api = next(api for api in system.app.apis if api.key == call.api)
    names = {name.lower() for name, _ in call.headers}
    added = [header for header in _guarded(api.routes[route], api, system) if header[0].lower() not in names]
    return replace(call, headers=(*call.headers, *added))


def _events(system: System) -> Iterator[tuple[Path, Any]]:
    """Yield the example events, each with its path; None for a file that is not JSON."""
    for file in examples(system.app.root):
        try:
            yield file, json.loads((system.app.root / file).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            yield file, None


def _as_request(event: Any, system: System) -> HttpCall | None:
    """Return the request of an API Gateway event of either format; None for other events, and if no route matches."""
    if not isinstance(event, dict):
        return None
    method, path, query = _request_line(event)
    if not isinstance(method, str) or not isinstance(path, str):
        return None
    path = quote(path, safe=IN_A_PATH)
    headers = mapping(event.get("headers"))
    kinds = [("Content-Type", str(value)) for name, value in headers.items() if name.lower() == "content-type"]
    body = _body(event) if method not in ("GET", "HEAD") else None
    for api in served(system):
        name = next(iter(api.matching(method, path)), None) if api.kind != "url" else None
        if name is not None:
            needed = _guarded(api.routes[name], api, system)
            return HttpCall(api.key, method, f"{path}?{query}" if query else path, (*kinds, *needed), body)
    return None


def _request_line(event: Fields) -> tuple[Any, Any, str]:
    """Return the method, the path and the query of an API Gateway event of either format."""
    http_ = mapping(event.get("requestContext")).get("http")
    if isinstance(http_, dict):
        return http_.get("method"), event.get("rawPath"), str(event.get("rawQueryString") or "")
    return event.get("httpMethod"), event.get("path"), urlencode(mapping(event.get("queryStringParameters")))


def _body(event: Fields) -> str | None:
    """Return the body of an event as text; None without one, and for a binary one."""
    body = event.get("body")
    if not isinstance(body, str):
        return None
    if not event.get("isBase64Encoded"):
        return body
    try:
        return base64.b64decode(body).decode()
    except ValueError:
        return None


def _guarded(route: Route, api: Api, system: System) -> tuple[tuple[str, str], ...]:
    """Return the headers that a route needs; a Lambda authorizer decides itself what it accepts."""
    names = [name for name in route.headers if name.lower() != API_KEY]
    headers = dict.fromkeys(names, "token")
    if route.is_keyed:
        headers[API_KEY] = system.api_key(api)
    if route.is_signed:
        headers["Authorization"] = SIGNATURE
    if route.authorizer:
        headers[route.headers[0]] = system.token(api, route)
    return tuple(headers.items())


def examples(root: Path) -> list[Path]:
    """Return the paths of the example events, relative to the app's folder, in their order."""
    return sorted(path.relative_to(root) for path in root.glob("events/**/*.json"))


def example_for(key: str, events: Sequence[str], among: Sequence[Path]) -> Path | None:
    """The example that is most similar to a function's key and to its events' types: the first if none is, or None."""
    return max(among, key=lambda path: likeness(key, events, path), default=None)


def likeness(key: str, events: Sequence[str], example: Path) -> int:
    """Return the number of words of an example's path that a function's key or the types of its events have, too."""
    return len((_words_in(key) | {event.lower() for event in events}) & _words_in(str(example)))


def _words_in(text: str) -> set[str]:
    return {word.lower() for word in WORD.findall(text)} - COMMON


def instance(schema: Any, root: Fields | None = None, level: int = 0) -> Any:
    """Return a value with the required properties only. It need not match patterns, which are not solved here."""
    root = schema if root is None else root
    schema = _referred(schema, root)
    for key in ("example", "default", "const"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][0]
    for key in ("oneOf", "anyOf"):
        if schema.get(key):
            return instance(schema[key][0], root, level + 1)
    kind = schema.get("type")
    return _of_kind(kind[0] if isinstance(kind, list) else kind, schema, root, level)


def _of_kind(kind: Any, schema: Fields, root: Fields, level: int) -> Any:
    if kind == "array":
        return [instance(schema.get("items"), root, level + 1)] * int(schema.get("minItems") or 0)
    if kind in ("integer", "number"):
        minimum = schema.get("minimum", 0)
        return minimum + 1 if schema.get("exclusiveMinimum") is True else minimum
    if kind == "string":
        text = FORMATS.get(str(schema.get("format")), "text")
        return text.ljust(int(schema.get("minLength") or 0), "x")[: int(schema.get("maxLength") or 1000)]
    return True if kind == "boolean" else _object(schema, root, level)


def _object(schema: Fields, root: Fields, level: int) -> dict[str, Any]:
    parts = [*(_referred(part, root) for part in mappings(schema.get("allOf"))), schema]
    properties = {name: part for whole in parts for name, part in mapping(whole.get("properties")).items()}
    names = [name for part in parts for name in part.get("required") or ()]
    return {name: instance(properties.get(name), root, level + 1) for name in names if level < DEEPEST}


def _referred(schema: Any, root: Fields) -> Fields:
    """Return the schema, or the one in the same document that it refers to."""
    for _ in range(DEEPEST):
        if not isinstance(schema, Mapping) or not str(schema.get("$ref", "")).startswith("#/"):
            break
        target: Any = root
        for part in str(schema["$ref"])[2:].split("/"):
            target = target.get(part) if isinstance(target, Mapping) else None
        schema = target
    return schema if isinstance(schema, Mapping) else {}
