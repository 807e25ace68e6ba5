"""Durable executions on this machine: AWS's testing package keeps their checkpoints and invokes their functions.

It runs as a server in an environment of its own, which is installed with the first execution.
https://pypi.org/project/aws-durable-execution-sdk-python-testing/
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import shlex
import sys
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias
from urllib.parse import quote, unquote

from lambda_latency.http import request
from lambda_latency.local.app.prepare.packages import Packages
from lambda_latency.local.app.read.parameters import ACCOUNT, REGION
from lambda_latency.local.errors import LocalError
from lambda_latency.local.processes import NO_ACCOUNT, Processes, Service, free_ports
from lambda_latency.local.sandbox.function import Outcome

LOCK = Path(__file__).with_name("executions.txt")
SERVER = "aws_durable_execution_sdk_python_testing.cli"
OLDEST = (3, 11)  # the Python that the package needs
API = "/2025-12-01"
# Requests of the functions and of the user about executions and their callbacks
PATHS = (f"{API}/durable-executions", f"{API}/durable-execution-callbacks")
POLL_S = 0.2
PROGRESS_S = 10  # between two lines about one wait
DEFAULT_TIMEOUT_S, DEFAULT_RETENTION_DAYS = 3600, 14
STARTED, CLOSED = "Started", ("Succeeded", "Failed", "TimedOut", "Cancelled", "Stopped")

Waits: TypeAlias = Literal["real", "skip"]
Config: TypeAlias = Mapping[str, Any]  # the `DurableConfig` of a template


class Executions:
    """The executions of an app. `configs` are the `DurableConfig` of each function by name, None of others.

    `url` is the address at which functions are invoked; `log` receives the output of the server, `tell` notes about
    waits and callbacks. The server starts with the first execution.
    """

    def __init__(
        self,
        configs: Mapping[str, Config | None],
        waits: Waits,
        packages: Packages,
        processes: Processes,
        url: Callable[[], str],
        *,
        log: Callable[[str], None],
        tell: Callable[[str], None],
    ) -> None:
        self._configs, self._waits, self._packages, self._processes = configs, waits, packages, processes
        self._functions_url, self._log, self._tell = url, log, tell
        self._starting = threading.Lock()
        self._service: Service | None = None
        self._closed = threading.Event()
        # The ARN and operation of each call of a function that has not arrived, by the function's name and the payload
        self._calls: defaultdict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
        self.url = ""

    def is_durable(self, name: str) -> bool:
        """Whether a function, by its name, is durable."""
        return self._configs.get(name) is not None

    def run(self, name: str, event: bytes) -> Outcome:
        """Run an execution of a function to its end. Raises `LocalError` if the server does not start."""
        self._start()
        config = self._configs[name] or {}
        started = {
            "AccountId": ACCOUNT,
            "FunctionName": name,
            "FunctionQualifier": "$LATEST",
            "ExecutionName": str(uuid.uuid4()),
            "ExecutionTimeoutSeconds": config.get("ExecutionTimeout") or DEFAULT_TIMEOUT_S,
            "ExecutionRetentionPeriodDays": config.get("RetentionPeriodInDays") or DEFAULT_RETENTION_DAYS,
            "Input": event.decode(),
        }
        arn = self._answered("POST", "/start-durable-execution", started)["ExecutionArn"]
        return self._ended(name, f"{API}/durable-executions/{quote(arn, safe='')}")

    def note_calls(self, path: str, checkpoint: bytes) -> None:
        """Remember the functions that a request of an execution to this path begins to wait for."""
        if not path.endswith("/checkpoint"):
            return
        arn = unquote(path.removeprefix(f"{API}/durable-executions/").removesuffix("/checkpoint"))
        for update in json.loads(checkpoint).get("Updates", []):
            invoked = update.get("ChainedInvokeOptions")
            if invoked and update["Action"] == "START":
                function = invoked["FunctionName"].rpartition("function:")[2].partition(":")[0]
                self._calls[function, update.get("Payload") or "{}"].append((arn, update["Id"]))

    def caller(self, function: str, event: bytes) -> tuple[str, str] | None:
        """Return the ARN of the execution that invokes a function by name with an event, and the id of the span that
        AWS's plugin records of the operation; None if no execution does. Each call is returned once.
        """
        calls = self._calls.get((function, _payload(event)))
        if not calls:
            return None
        arn, operation_id = calls.pop(0)
        return arn, hashlib.blake2b(f"{arn}:{operation_id}".encode()).hexdigest()[:16]

    def close(self) -> None:
        """Stop the server; executions that wait are lost."""
        self._closed.set()
        if self._service is not None:
            self._service.stop(1)

    def _start(self) -> None:
        with self._starting:
            if self._service is not None:
                return
            if sys.version_info < OLDEST:
                todo = f"run lambda-latency with Python {'.'.join(map(str, OLDEST))} or later"
                raise LocalError("durable functions do not run here", todo)
            python = self._packages.emulator(LOCK)
            (port,) = free_ports(1)
            self.url = f"http://127.0.0.1:{port}"
            configs = {name: {"DurableConfig": config} if config else {} for name, config in self._configs.items()}
            skip = "--skip-time" if self._waits == "skip" else "--no-skip-time"
            command = [
                *(str(python), "-m", SERVER, "start-server", "--host", "127.0.0.1", "--port", str(port), skip),
                *("--lambda-endpoint", self._functions_url(), "--local-runner-endpoint", self.url),
                *("--local-runner-region", REGION, "--function-configs", json.dumps(configs)),
            ]
            service = Service("durable", [], self._processes, self._log, command=command, variables=NO_ACCOUNT)
            service.wait_until_listening(port, 60)
            self._service = service

    def _ended(self, name: str, path: str) -> Outcome:
        """Wait for the end of an execution, and tell what it waits for meanwhile."""
        progress = _Progress(name, self._functions_url(), self._tell)
        while not self._closed.wait(POLL_S):
            execution = self._answered("GET", path)
            if execution["Status"] != "RUNNING":
                return _outcome(execution)
            history = self._answered("GET", f"{path}/history?IncludeExecutionData=true&MaxItems=1000")
            progress.show(history.get("Events", []))
        return Outcome.failed("Sandbox.Closed", f"{name}: the execution was ended while it waited")

    def _answered(self, method: str, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        answer = request(method, f"{self.url}{path}", json.dumps(body) if body is not None else None)
        if answer.status >= 300:
            message = answer.body.decode(errors="replace")
            raise LocalError(f"a durable execution cannot be run: {message:.300}", "see emulator.log beside the traces")
        return dict(json.loads(answer.body))


def _outcome(execution: Mapping[str, Any]) -> Outcome:
    if execution["Status"] == "SUCCEEDED":
        return Outcome(str(execution.get("Result") or "null").encode())
    error = execution.get("Error") or {}
    kind = str(error.get("ErrorType") or execution["Status"])
    return Outcome.failed(kind, str(error.get("ErrorMessage") or execution["Status"]))


class _Progress:
    """Tells once how to answer a callback, and from time to time what an execution waits for."""

    def __init__(self, name: str, url: str, tell: Callable[[str], None]) -> None:
        self._name, self._url, self._tell = name, url, tell
        self._due_s: dict[str, float] = {}  # by operation, when its next line is due

    def show(self, events: list[dict[str, Any]]) -> None:
        """Tell about the operations that these events of an execution's history leave open."""
        for event in _open(events):
            operation_id, now_s = event.get("Id", ""), time.monotonic()
            operation = event.get("Name") or operation_id[:8]
            callback_id = (event.get("CallbackStartedDetails") or {}).get("CallbackId")
            if now_s < self._due_s.get(operation_id, 0):
                continue
            if callback_id:
                self._due_s[operation_id] = math.inf
                answered = f"{self._url}{API}/durable-execution-callbacks/{quote(callback_id, safe='')}/succeed"
                command = shlex.join(["curl", "-s", "-X", "POST", "-d", '"ok"', answered])
                self._tell(f"{self._name} waits for the callback {operation}. To answer it: {command}")
            elif event["EventType"] == f"Wait{STARTED}":
                self._due_s[operation_id] = now_s + PROGRESS_S
                seconds = (event.get("WaitStartedDetails") or {}).get("Duration")
                self._tell(f"{self._name} waits for the timer {operation}" + (f" of {seconds} s" if seconds else ""))


def _open(events: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the first event of each operation that has not ended."""
    ended = {event.get("Id") for event in events if str(event.get("EventType", "")).endswith(CLOSED)}
    for event in events:
        if str(event.get("EventType", "")).endswith(STARTED) and event.get("Id") not in ended:
            yield event


def _payload(event: bytes) -> str:
    """Return the input of the execution that an event invokes a function for, or the event itself."""
    with contextlib.suppress(LookupError, TypeError, ValueError):
        return str(json.loads(event)["InitialExecutionState"]["Operations"][0]["ExecutionDetails"]["InputPayload"])
    return event.decode(errors="replace")


def arn_of(event: bytes) -> str:
    """Return the ARN of the execution that an event invokes a function for; empty for any other event."""
    with contextlib.suppress(ValueError):
        members = json.loads(event)
        if isinstance(members, dict) and isinstance(members.get("DurableExecutionArn"), str):
            return str(members["DurableExecutionArn"])
    return ""
