"""Forwards requests without a function to the emulator, which runs API Gateway's other integrations."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from lambda_latency.http import request
from lambda_latency.local.app.read.definitions import REST
from lambda_latency.local.cloud.emulator import Cloud
from lambda_latency.local.cloud.service_routes import Direct
from lambda_latency.local.gateway.api_gateway import ROUTE
from lambda_latency.local.gateway.contract import Authorize

WHY = "x-lambda-latency-why"  # a response's header with the reason of a failure
HOP = ("connection", "transfer-encoding", "date", WHY)


class Forwarder:
    """A WSGI application that forwards to the app's API in the emulator which has the route.

    `resources`: physical ids and types of one template's resources; `routes` call a service without a function. Other
    requests are forwarded to the first REST API; without one it answers as an HTTP API does for an unknown route.
    `authorize` returns the response for a caller that may not call a route, else None; `tell` receives the reasons of
    failures.
    """

    def __init__(
        self,
        cloud: Cloud,
        resources: Mapping[str, tuple[str, str]],
        routes: Sequence[Direct],
        authorize: Authorize,
        tell: Callable[[str], None],
    ) -> None:
        self._url, self._client = cloud.url, cloud.client
        self._stages: dict[str, str] = {}
        self._resources, self._routes = resources, routes
        self._authorize, self._tell = authorize, tell
        self._rest = next((physical for physical, kind in resources.values() if kind == REST), "")

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        headers = dict(_headers(environ))
        direct = self._route(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        if direct is None:
            return self._forwarded(self._rest, self._stage(self._rest), environ, headers, start_response)
        if direct.route != "$default":
            environ[ROUTE] = direct.route
        body = environ["wsgi.input"].read()
        environ["wsgi.input"] = BytesIO(body)
        query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
        event = {
            "headers": headers,
            "requestContext": {},
            "queryStringParameters": query,
            "body": body.decode(errors="replace"),
        }
        refusal = self._authorize(event, direct.route)
        if refusal is not None:
            answer = json.loads(refusal)
            status = answer["statusCode"]
            start_response(f"{status} {http.client.responses[status]}", list(answer["headers"].items()))
            return [answer["body"].encode()]
        api = self._resources.get(direct.api, ("", ""))[0]
        stage = "" if direct.is_http else self._stage(api)
        return self._forwarded(api, stage, environ, headers, start_response)

    def _route(self, method: str, path: str) -> Direct | None:
        """Return the route of a request; a route with fewer parameters is before others."""
        matching = [route for route in self._routes if route.matches(method, path)]
        return min(matching, key=lambda route: (route.route == "$default", route.route.count("{")), default=None)

    def _stage(self, api: str) -> str:
        """Return the first stage of a REST API; empty without an API."""
        if api and api not in self._stages:
            stages = self._client("apigateway").get_stages(restApiId=api)["item"]
            self._stages[api] = stages[0]["stageName"] if stages else "Prod"
        return self._stages.get(api, "")

    def _forwarded(
        self,
        api: str,
        stage: str,
        environ: dict[str, Any],
        headers: dict[str, str],
        start_response: Callable[..., Any],
    ) -> Iterable[bytes]:
        """Return the emulator's response. `stage` is the first part of a REST API's paths; empty for an HTTP API."""
        if not api:
            start_response("404 NOT FOUND", [("Content-Type", "application/json")])
            return [b'{"message":"Not Found"}']
        url = self._url + (f"/{stage}" if stage else "") + quote(environ["PATH_INFO"])
        query = environ.get("QUERY_STRING", "")
        headers = {**headers, "Host": f"{api}.execute-api.localhost:{urlsplit(self._url).port}"}
        method, body = environ["REQUEST_METHOD"], environ["wsgi.input"].read()
        answer = request(method, f"{url}?{query}" if query else url, body, headers)
        if why := answer.headers[WHY]:
            self._tell(f"{method} {environ['PATH_INFO']} fails here: {why}")
        start_response(
            f"{answer.status} {http.client.responses.get(answer.status, 'OK')}",
            [header for header in answer.headers.items() if header[0].lower() not in HOP],
        )
        return [answer.body]


def _headers(environ: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Yield the headers of a request, without those of the connection."""
    for key, value in environ.items():
        name = key.removeprefix("HTTP_").replace("_", "-").lower()
        if (key.startswith("HTTP_") and name not in ("host", *HOP)) or (key == "CONTENT_TYPE" and value):
            yield name, value
