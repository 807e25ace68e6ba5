"""Powertools' own examples of its Tracer, run on both sides as the corpus is, with a server that they call."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from lab.bridge.sides import Seen, observe

LIBRARY = (
    "the call of a library is OpenTelemetry's span: with the user agent, the method in capitals, an exception's class "
    "with its module, and AWS services by their own names"
)
# Examples that may differ, and why. One that does not differ any more is a failure, too.
EXPECTED: Mapping[str, str] = {
    "capture_method_generators": "an exception without a message has an empty one, as OpenTelemetry writes it",
    **dict.fromkeys(("disable_capture_error", "ignore_endpoints", "patch_modules"), LIBRARY),
    "disable_capture_response_streaming_body": LIBRARY,
}
FOLDER = "examples/tracer/src"
EVENT = {"charge_id": "charge-1", "merchant_id": "merchant-1", "payment_id": "payment-1"}
ANSWER = json.dumps({"receipt_id": "receipt-1"}).encode()


def examples_in(repository: Path) -> list[str]:
    """The modules with a handler, in a copy of aws-powertools/powertools-lambda-python."""
    files = sorted((repository / FOLDER).glob("*.py"))
    return [one.stem for one in files if "def lambda_handler(" in one.read_text(encoding="utf-8")]


def both(
    repository: Path, name: str, sdk: Path, other: Path, layer: Path, address: str, chosen: Mapping[str, str]
) -> tuple[Seen, Seen]:
    """What came of an example with the X-Ray SDK, and with the kit's layer in an environment of another Python."""
    task = (repository / FOLDER).resolve()
    given = {
        "POWERTOOLS_SERVICE_NAME": "payment",
        "PAYMENT_API": address,
        "BUCKET_NAME": "bucket",
        "REPORT_KEY": "report",
        "AWS_ENDPOINT_URL": address,
        "HTTPS_PROXY": address,  # of calls of public services: it refuses them, on both sides in the same words
        "NO_PROXY": "127.0.0.1",
    }
    sides = ((sdk, None, given), (other, layer, {**given, **chosen}))
    theirs, ours = (
        observe(python, name, [name], layer=one, variables=variables, task=task, handler="lambda_handler", event=EVENT)[
            name
        ]
        for python, one, variables in sides
    )
    return theirs, ours


@contextmanager
def served() -> Iterator[str]:
    """The address of a server that answers every request with a receipt, and refuses to be a proxy."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    do_POST = do_GET

    def do_CONNECT(self) -> None:
        self.send_error(403)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server calls it
        pass
