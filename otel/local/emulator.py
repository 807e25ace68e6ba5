"""AWS on a laptop: moto's server in a process of its own, the template's tables and the fault plan before it."""

from __future__ import annotations

import argparse
import io
import json
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from otel.local.faults import Faults, Plan, Rule
from otel.local.http import reset, wait_for_hangup
from otel.local.services import say_ready

__all__ = ["main"]

WSGI = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
CREDENTIAL = re.compile(r"Credential=([^/]+)/")


class QuickHandler(WSGIRequestHandler):
    """Keeps connections open and sends small answers at once."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_request(self, *_: Any) -> None:
        """Nothing: what happened is in the spans."""

    def connection_dropped(self, *_: Any) -> None:
        """Leave it: werkzeug's own would wait for the next request on what was reset."""
        self.close_connection = True


class FaultyTable:
    """Makes DynamoDB calls slow or refused, by the function whose credentials sign them."""

    def __init__(self, app: WSGI, faults: Faults, routes: dict[str, list[str]]) -> None:
        self._app, self._faults, self._routes = app, faults, routes

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB_"):
            signed_by = CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
            function = signed_by.group(1) if signed_by else ""
            fault = self._faults.next(tuple(self._routes[function])) if function in self._routes else None
            if fault is not None:
                # The body is read first: an answer that comes before it would break the connection for the next call.
                body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
                environ["wsgi.input"] = io.BytesIO(body)
                if (answer := _suffer(fault, environ["werkzeug.socket"])) is not None:
                    return answer(start_response)
        return self._app(environ, start_response)


def _suffer(fault: Rule, connection: socket.socket) -> Callable[[Callable[..., Any]], Iterable[bytes]] | None:
    if fault.kind == "delay":
        time.sleep(fault.ms / 1000)
        return None
    if fault.kind == "throttle":
        return _error(400, "ProvisionedThroughputExceededException", "The level of configured throughput was exceeded.")
    if fault.kind == "status":
        return _error(fault.status, "InternalServerError", "The request could not be processed.")
    if fault.kind == "hang":
        wait_for_hangup(connection)
    reset(connection)
    raise ConnectionAbortedError("on purpose")


def _error(status: int, kind: str, message: str) -> Callable[[Callable[..., Any]], Iterable[bytes]]:
    body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{kind}", "message": message}).encode()

    def answer(start_response: Callable[..., Any]) -> Iterable[bytes]:
        headers = [("Content-Type", "application/x-amz-json-1.0"), ("Content-Length", str(len(body)))]
        start_response(f"{status} {kind}", headers)
        return [body]

    return answer


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", required=True, help="the tables to create: a JSON list of CreateTable's arguments")
    parser.add_argument("--faults", required=True, help="a fault plan in JSON")
    parser.add_argument("--routes", required=True, help="the routes of each function, as a JSON object")
    options = parser.parse_args()
    moto: WSGI = DomainDispatcherApplication(create_backend_app)
    app = FaultyTable(moto, Plan.from_json(options.faults).at("table"), json.loads(options.routes))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=QuickHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = boto3.client(
        "dynamodb",
        endpoint_url=f"http://127.0.0.1:{server.port}",
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 - opens nothing
    )
    for table in json.loads(options.tables):
        client.create_table(**table)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    say_ready(server.port)
    stop.wait()


if __name__ == "__main__":
    main()
