"""Fakes of what the functions call: DynamoDB's responses, and a payments API on this machine."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders


class Payments(BaseHTTPRequestHandler):
    """A payments API that accepts every charge."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.end_headers()
        self.wfile.write(b'{"charge_id": "ch_1", "status": "succeeded"}')

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture(scope="session")
def payments_url() -> Iterator[str]:
    """The address of the payments API."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Payments) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="session")
def orders(payments_url: str) -> Iterator[ModuleType]:
    """The module of the handlers, which reads its settings at import."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        patch.setenv("ORDERS_TABLE", "orders")
        patch.setenv("PAYMENTS_URL", payments_url)
        patch.setenv("PAYMENTS_TIMEOUT_MS", "3000")
        patch.setenv("NO_PROXY", "127.0.0.1")
        from functions import orders

        yield orders


@pytest.fixture
def dynamodb(orders: ModuleType) -> Iterator[dict[str, Any]]:
    """DynamoDB's responses by operation, such as `dynamodb["GetItem"] = {"Item": ...}`. No request is sent."""
    responses: dict[str, Any] = {}

    def respond(model: Any, **_: object) -> tuple[AWSResponse, dict[str, Any]]:
        return AWSResponse("", 200, HTTPHeaders(), None), {**responses[model.name], "ResponseMetadata": {}}

    orders.CLIENT.meta.events.register("before-call.dynamodb", respond)
    yield responses
    orders.CLIENT.meta.events.unregister("before-call.dynamodb", respond)
