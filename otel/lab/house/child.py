"""Runs in a process of the measured checkout: its imports, or the modules that a report, an event or a request enters.

Prints the answer as JSON. A module is entered when code of it runs that is not the module's own body: a function, or
the body of a class; the latter runs at import only, and is told apart.
"""

import contextlib
import http.client
import inspect
import io
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

KIT = "lambda_latency"
WARM_UP = 2
QUIET_S = 1  # no further module is entered for so long: the trip is over, background work included
EVENT = {
    "resource": "/items/{id}", "path": "/items/42", "httpMethod": "GET", "pathParameters": {"id": "42"},
    "headers": {"Host": "h"}, "requestContext": {"stage": "prod"}, "body": None,
}  # fmt: skip
HANDLER = """\
import requests

def handler(event, context):
    requests.get({url!r}, timeout=5)
    return {{"statusCode": 200, "body": "{{}}"}}
"""


class Entered:
    """The modules of the kit that all threads enter while `counting` is true."""

    def __init__(self, folder: Path) -> None:
        self.counting = False
        self.functions: set[str] = set()
        self.classes: set[str] = set()
        self._folder = f"{folder}{os.sep}"

    def watch(self) -> None:
        """Begin, in this thread and in those that start from now on."""
        threading.setprofile(self._called)
        sys.setprofile(self._called)

    def stop(self) -> None:
        """End, in this thread."""
        threading.setprofile(None)
        sys.setprofile(None)

    def wait(self) -> None:
        """Return when no further module has been entered for a while."""
        count = -1
        while count < len(self.functions):
            count = len(self.functions)
            time.sleep(QUIET_S)

    def _called(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if not self.counting or event != "call" or code.co_name == "<module>":
            return
        if code.co_filename.startswith(self._folder):
            entered = self.functions if code.co_flags & inspect.CO_OPTIMIZED else self.classes
            entered.add(code.co_filename.removeprefix(self._folder))


class _EmptyAnswers(BaseHTTPRequestHandler):
    """The API that the handler calls, and the collector, whose answer to accepted protobuf is empty."""

    def do_GET(self) -> None:
        self._answer(b"{}")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer(b"")

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class _Context:
    aws_request_id = "5b7e2c60-0000-4000-8000-000000000001"
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:orders"

    def get_remaining_time_in_millis(self) -> int:
        return 5000


def imports() -> list[tuple[str, list[str]]]:
    """Each module with those that it imports, as import-linter's graph has them; imports for types count."""
    import grimp

    graph = grimp.build_graph(KIT, exclude_type_checking_imports=False, cache_dir=None)
    return [(module, sorted(graph.find_modules_directly_imported_by(module))) for module in sorted(graph.modules)]


def report(entered: Entered, traces: str) -> None:
    """The command `report`, its start included."""
    entered.counting = True
    from lambda_latency.cli import main as command

    with contextlib.redirect_stdout(io.StringIO()):
        status = command(["report", traces])
    if status not in (0, 4):
        raise SystemExit(f"lambda-latency report {traces} ended with {status}")


def event(entered: Entered) -> None:
    """A sampled event of a function that calls an API, after others, with the delivery of its spans."""
    server = HTTPServer(("127.0.0.1", 0), _EmptyAnswers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    folder = tempfile.mkdtemp()
    Path(folder, "measured_app.py").write_text(HANDLER.format(url=url))
    sys.path.insert(0, folder)
    os.environ.update(
        AWS_LAMBDA_FUNCTION_NAME="orders", AWS_REGION="eu-west-1", AWS_LAMBDA_LOG_STREAM_NAME="stream",
        LAMBDA_LATENCY_HANDLER="measured_app.handler", OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{url}/v1/traces",
        _X_AMZN_TRACE_ID="Root=1-674385f0-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=1",
    )  # fmt: skip
    from lambda_latency.runtime.bootstrap import handler

    _warm(entered, lambda: handler(EVENT, _Context()))


def request(entered: Entered) -> None:
    """A request to the example through the local system, until its spans are stored."""
    from lambda_latency.local import System, SystemOptions, read_app

    with tempfile.TemporaryDirectory() as out:
        system = System(read_app(Path("template.yaml").resolve(), {}), SystemOptions(Path(out)))
        try:
            address = urlsplit(system.url).netloc
            _warm(entered, lambda: _get(address))
        finally:
            system.close()


def _get(address: str) -> None:
    connection = http.client.HTTPConnection(address)
    connection.request("GET", "/orders?customer=me")
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status != 200:
        raise SystemExit(f"GET /orders answered {answer.status}: {body!r}")


def _warm(entered: Entered, once: Callable[[], object]) -> None:
    for _ in range(WARM_UP):
        once()
        entered.wait()
    entered.counting = True
    once()
    entered.wait()
    entered.counting = False  # before anything is closed


TRIPS: Mapping[str, Callable[..., None]] = {"report": report, "event": event, "request": request}


def main(name: str, *arguments: str) -> None:
    """`imports`, or the run of this name in the current folder."""
    import lambda_latency

    answer: Any
    if name == "imports":
        answer = imports()
    else:
        entered = Entered(Path(str(lambda_latency.__file__)).parent)
        entered.watch()
        TRIPS[name](entered, *arguments)
        entered.stop()
        answer = {"functions": sorted(entered.functions), "classes": sorted(entered.classes)}
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    main(*sys.argv[2:])
    os._exit(0)  # threads of the measured code do not delay the end
