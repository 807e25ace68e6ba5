"""Forwards requests without a function to the emulator, which runs API Gateway's other integrations."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from lambda_latency.local.app.cloud import Cloud

__all__ = ["Onward"]


class Onward:
    """A WSGI application that forwards to the app's REST API in the emulator. `resources`: physical ids and types.

    Without a REST API it answers 403, as API Gateway does for an unknown route.
    """

    def __init__(self, cloud: Cloud, resources: Mapping[str, tuple[str, str]]) -> None:
        self._address = urlsplit(cloud.url).netloc
        self._apis = [one for one, kind in resources.values() if kind == "AWS::ApiGateway::RestApi"]
        stages = [one for one, kind in resources.values() if kind == "AWS::ApiGateway::Stage"]
        self._stage = stages[0].rpartition("|")[2].rpartition("/")[2] if stages else "Prod"

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not self._apis:
            start_response("403 FORBIDDEN", [("Content-Type", "application/json")])
            return [b'{"message":"Missing Authentication Token"}\n']
        port = self._address.rpartition(":")[2]
        path = f"/{self._stage}{quote(environ['PATH_INFO'])}"
        query = environ.get("QUERY_STRING", "")
        headers = {"Host": f"{self._apis[0]}.execute-api.localhost:{port}"}
        if environ.get("CONTENT_TYPE"):
            headers["Content-Type"] = environ["CONTENT_TYPE"]
        connection = http.client.HTTPConnection(self._address, timeout=60)
        try:
            method = environ["REQUEST_METHOD"]
            connection.request(method, f"{path}?{query}" if query else path, environ["wsgi.input"].read(), headers)
            answer = connection.getresponse()
            payload = answer.read()
        finally:
            connection.close()
        kept = [one for one in answer.getheaders() if one[0].lower() not in ("connection", "transfer-encoding", "date")]
        start_response(f"{answer.status} {answer.reason or 'OK'}", kept)
        return [payload]
