"""Powertools' own examples of its Tracer, run on both sides as the corpus is, with a server that they call."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lab.bridge.sides import Seen, observe
from lambda_latency.http import Handler, Server

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
    return [file.stem for file in files if "def lambda_handler(" in file.read_text(encoding="utf-8")]


def both(
    repository: Path, name: str, sdk: Path, bridge: Path, layer: Path, address: str, chosen: Mapping[str, str]
) -> tuple[Seen, Seen]:
    """What came of an example with the X-Ray SDK, and with the kit's layer in an environment of another Python."""
    task = (repository / FOLDER).resolve()
    shared = {
        "POWERTOOLS_SERVICE_NAME": "payment",
        "PAYMENT_API": address,
        "BUCKET_NAME": "bucket",
        "REPORT_KEY": "report",
        "AWS_ENDPOINT_URL": address,
        "HTTPS_PROXY": address,  # of calls of public services: it refuses them, on both sides in the same words
        "NO_PROXY": "127.0.0.1",
    }
    sides = ((sdk, None, shared), (bridge, layer, {**shared, **chosen}))
    of_sdk, of_bridge = (
        observe(
            python, name, [name], layer=of_side, variables=variables, task=task, handler="lambda_handler", event=EVENT
        )[name]
        for python, of_side, variables in sides
    )
    return of_sdk, of_bridge


@contextmanager
def served() -> Iterator[str]:
    """The address of a server that answers every request with a receipt, and refuses to be a proxy."""
    server = Server(_ApiAnswers)
    try:
        yield f"http://{server.address}"
    finally:
        server.close()


class _ApiAnswers(Handler):
    def do_GET(self) -> None:
        self.body()
        self.answer(200, ANSWER, {"Content-Type": "application/json"})

    do_POST = do_GET

    def do_CONNECT(self) -> None:
        self.send_error(403)
