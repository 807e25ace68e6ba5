"""Durable executions on this machine: what is lines while they wait, and where their calls go.

AWS's testing package is played here, because tests install nothing: `server` answers as its version 1.4.0 does.
"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from lambda_latency.http import request
from lambda_latency.local.app.prepare.packages import Packages
from lambda_latency.local.cloud.executions import Executions, arn_of
from lambda_latency.local.cloud.proxy import AwsProxy
from lambda_latency.local.processes import Processes
from lambda_latency.local.sandbox.function import Outcome

ARN = "3f/1"
WAIT = {"EventType": "WaitStarted", "Id": "w", "Name": "settle", "WaitStartedDetails": {"Duration": 2}}
CALLBACK = {
    "EventType": "CallbackStarted",
    "Id": "c",
    "Name": "approval",
    "CallbackStartedDetails": {"CallbackId": "a=b"},
}


class ExecutionServer:
    """Plays the package's server: an execution that waits for a timer, then for a callback, and then ends so."""

    def __init__(self, end: dict[str, Any]) -> None:
        self.requests: list[tuple[str, str]] = []
        self._histories = iter([[WAIT], [WAIT, {"EventType": "WaitSucceeded", "Id": "w"}, CALLBACK]])
        self._states = iter([{"Status": "RUNNING"}, {"Status": "RUNNING"}, end])
        played = self

        class ExecutionHandler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                answer = json.dumps(played.answer(self.path, body)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST

            def log_message(self, *_: object) -> None:
                """Nothing is printed."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), ExecutionHandler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def answer(self, path: str, body: str) -> object:
        self.requests.append((path, body))
        if path == "/start-durable-execution":
            return {"ExecutionArn": ARN}
        return {"Events": next(self._histories)} if "/history" in path else next(self._states)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Executions, list[str], list[ExecutionServer]]]:
    """The executions of one durable function, the lines that are lines, and the server that answers."""
    lines: list[str] = []
    servers: list[ExecutionServer] = []
    with Processes() as processes:
        configs = {"Order": {"ExecutionTimeout": 60}, "Price": None}
        executions = Executions(
            configs, "skip", Packages(Path(), {}), processes, lambda: "http://here", log=lines.append, tell=lines.append
        )
        monkeypatch.setattr(executions, "_start", lambda: None)
        yield executions, lines, servers
        executions.close()
        for server in servers:
            server.http.shutdown()
            server.http.server_close()


def serve(executions: Executions, servers: list[ExecutionServer], end: dict[str, Any]) -> ExecutionServer:
    """Start a server whose execution ends so."""
    servers.append(ExecutionServer(end))
    executions.url = f"http://127.0.0.1:{servers[0].http.server_address[1]}"
    return servers[0]


def test_an_execution_is_run_to_its_end_and_says_what_it_waits_for(
    started: tuple[Executions, list[str], list[ExecutionServer]],
) -> None:
    """A callback is lines with the command that answers it."""
    executions, lines, servers = started
    server = serve(executions, servers, {"Status": "SUCCEEDED", "Result": '{"ok": true}'})
    assert executions.run("Order", b'{"sku": "tea"}') == Outcome(b'{"ok": true}')
    path, body = server.requests[0]
    sent = json.loads(body)
    assert (path, sent["FunctionName"], sent["Input"]) == ("/start-durable-execution", "Order", '{"sku": "tea"}')
    assert (sent["ExecutionTimeoutSeconds"], sent["ExecutionRetentionPeriodDays"]) == (60, 14)
    assert server.requests[1][0] == "/2025-12-01/durable-executions/3f%2F1"
    command = "curl -s -X POST -d '\"ok\"' http://here/2025-12-01/durable-execution-callbacks/a%3Db/succeed"
    waits = [f"Order waits for the callback approval. To answer it: {command}"]
    assert lines == ["Order waits for the timer settle of 2 s", *waits]


def test_a_failed_execution_has_its_error(started: tuple[Executions, list[str], list[ExecutionServer]]) -> None:
    """As a function that raises."""
    executions, _, servers = started
    error = {"ErrorType": "ValueError", "ErrorMessage": "no tea"}
    serve(executions, servers, {"Status": "FAILED", "Error": error})
    assert executions.run("Order", b"{}") == Outcome.failed("ValueError", "no tea")


def test_an_execution_ends_when_the_system_does(started: tuple[Executions, list[str], list[ExecutionServer]]) -> None:
    """Ctrl-C in a wait."""
    executions, _, servers = started
    serve(executions, servers, {"Status": "RUNNING"})
    executions.close()
    assert executions.run("Order", b"{}").error == "Sandbox.Closed"


def test_only_functions_with_a_config_are_durable(started: tuple[Executions, list[str], list[ExecutionServer]]) -> None:
    """Others are invoked as they are."""
    executions = started[0]
    assert list(map(executions.is_durable, ("Order", "Price", "Unknown"))) == [True, False, False]


@pytest.mark.parametrize(
    ("event", "arn"),
    [(b'{"DurableExecutionArn": "a"}', "a"), (b'{"DurableExecutionArn": 1}', ""), (b"[]", ""), (b"{", "")],
)
def test_an_invocation_of_an_execution_is_known_by_its_event(event: bytes, arn: str) -> None:
    """Any other event starts an execution."""
    assert arn_of(event) == arn


def test_calls_about_executions_reach_their_server(
    started: tuple[Executions, list[str], list[ExecutionServer]],
) -> None:
    """The function's checkpoints, and the answers of callbacks."""
    executions, lines, servers = started
    server = serve(executions, servers, {"Status": "SUCCEEDED"})
    proxy = AwsProxy("http://127.0.0.1:9", lambda *_: None, lines.append, executions=executions)
    try:
        answer = request("POST", f"{proxy.url}/2025-12-01/durable-executions/a/checkpoint", b'{"Updates": []}')
    finally:
        proxy.close()
    assert (answer.status, server.requests) == (
        200,
        [("/2025-12-01/durable-executions/a/checkpoint", '{"Updates": []}')],
    )


def test_what_an_execution_invokes_has_its_caller(started: tuple[Executions, list[str], list[ExecutionServer]]) -> None:
    """The checkpoint that begins an operation names function and payload; the caller is known for one invocation."""
    executions, lines, servers = started
    serve(executions, servers, {"Status": "SUCCEEDED"})
    proxy = AwsProxy("http://127.0.0.1:9", lambda *_: None, lines.append, executions=executions)
    calls = {"Price": '{"sku": "tea"}', "arn:aws:lambda:us-east-1:1:function:Ship:live": "{}"}
    updates = [
        {"Id": name[:5], "Type": "CHAINED_INVOKE", "Action": "START", "Payload": payload}
        | {"ChainedInvokeOptions": {"FunctionName": name}}
        for name, payload in calls.items()
    ]
    try:
        for path in ("durable-executions/3f%2F1/checkpoint", "durable-execution-callbacks/a/succeed"):
            body = json.dumps({"Updates": [*updates, {"Id": "s", "Type": "STEP"}]})
            request("POST", f"{proxy.url}/2025-12-01/{path}", body)
    finally:
        proxy.close()
    child = {"DurableExecutionArn": "3f/2", "InitialExecutionState": {"Operations": [
        {"ExecutionDetails": {"InputPayload": "{}"}}]}}  # fmt: skip
    events = [("Price", b"{}"), ("Price", b'{"sku": "tea"}'), ("Ship", json.dumps(child).encode())]
    assert [executions.caller(name, event) for name, event in [*events, events[1]]] == [
        None, (ARN, "055fc00ddfe04c95"), (ARN, "b48ad850b8cadaae"), None,
    ]  # fmt: skip
