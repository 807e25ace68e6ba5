"""Lambda's Runtime API and Extensions API over HTTP, for one execution environment.

Published behaviour: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html and
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html. The bodies and error types that these pages
leave open are those of AWS's runtime interface emulator. The environment implements the calls.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from io import BufferedIOBase
from typing import Any, Protocol, cast

from lambda_latency.http import Handler, Server

MAX_PAYLOAD = 6 * 1024 * 1024  # bytes of a synchronous response
# Bytes of a header's line: more than the runtime client sends
LONGEST_LINE = 2**20

RUNTIME = "/2018-06-01/runtime"
EXTENSION = "/2020-01-01/extension"
ANSWER = re.compile(rf"{RUNTIME}/invocation/([^/]+)/(response|error)")


@dataclass(frozen=True, slots=True)
class RuntimeInvocation:
    """The runtime's event with its headers."""

    request_id: str
    event: bytes
    function_arn: str
    deadline_ms: int  # epoch milliseconds
    trace_header: str  # without tracing, Lambda sends a header with Sampled=0
    client_context: str | None


@dataclass(frozen=True, slots=True)
class ExtensionEvent:
    """An extension's event: INVOKE or SHUTDOWN, as a JSON object."""

    identifier: str
    body: dict[str, Any]


class Refusal(Exception):  # noqa: N818 - it is a response, not a failure of the API
    """The API's answer to an invalid call."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind


class RuntimeHost(Protocol):
    """The environment that implements the API. Methods may raise `Refusal`; `next_*` return None at shutdown."""

    def next_invocation(self) -> RuntimeInvocation | None: ...
    def handed(self, invocation: RuntimeInvocation) -> None: ...
    def respond(self, request_id: str, payload: bytes) -> None: ...
    def fail(self, request_id: str, payload: bytes) -> None: ...
    def init_failed(self, payload: bytes) -> None: ...
    def register(self, name: str, events: list[str]) -> tuple[str, dict[str, str]]: ...
    def next_event(self, extension_id: str) -> ExtensionEvent | None: ...
    def extension_failed(self, extension_id: str, phase: str, error_type: str) -> None: ...
    def end(self) -> None: ...


def serve_runtime_api(host: RuntimeHost) -> Server:
    """Serves the two APIs for `host` on a free port of 127.0.0.1."""
    return Server(type("RuntimeApi", (_RuntimeApi,), {"host": host}))


class _ShortLines:
    """A request's stream that truncates lines to the length that `http.server` accepts.

    The runtime client sends the description of an error for X-Ray in one header, with every frame of a RecursionError.
    Lambda accepts such a header; no code here reads it.
    """

    def __init__(self, stream: BufferedIOBase) -> None:
        self._stream = stream

    def readline(self, size: int = -1) -> bytes:
        line = self._stream.readline(LONGEST_LINE)
        return line if size < 0 or len(line) < size else line[: size - 3] + b"\r\n"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _RuntimeApi(Handler):
    host: RuntimeHost

    def setup(self) -> None:
        super().setup()
        self.rfile = cast("BufferedIOBase", _ShortLines(self.rfile))

    def do_GET(self) -> None:
        self._answered(self._get)

    def do_POST(self) -> None:
        self._answered(self._post)

    def _answered(self, call: Any) -> None:
        try:
            call(self.body())
        except Refusal as refusal:
            self._json(refusal.status, {"errorMessage": str(refusal), "errorType": refusal.kind})

    def _get(self, _: bytes) -> None:
        if self.path == f"{RUNTIME}/invocation/next":
            self._next_invocation()
        elif self.path == f"{EXTENSION}/event/next":
            self._next_event()
        elif self.path == f"{RUNTIME}/restore/next":
            raise Refusal(403, "InvalidStateTransition", "this environment was not made from a snapshot")
        else:
            raise Refusal(404, "NotFound", f"no such resource: GET {self.path}")

    def _post(self, body: bytes) -> None:
        if match := ANSWER.fullmatch(self.path):
            request_id, kind_of_answer = match.groups()
            (self.host.respond if kind_of_answer == "response" else self.host.fail)(request_id, body)
            self._json(202, {"status": "OK"})
        elif self.path == f"{RUNTIME}/init/error":
            self.host.init_failed(body)
            self._json(202, {"status": "OK"})
        elif self.path == f"{EXTENSION}/register":
            self._register(body)
        elif self.path in (f"{EXTENSION}/init/error", f"{EXTENSION}/exit/error"):
            kind = self.headers.get("Lambda-Extension-Function-Error-Type")
            if not kind:
                raise Refusal(403, "Extension.MissingHeader", "Lambda-Extension-Function-Error-Type not found")
            self.host.extension_failed(self._extension_id(), self.path.split("/")[-2], kind)
            self._json(202, {"status": "OK"})
            self.host.end()  # after the answer, which would race with the end of the extension's process
        else:
            raise Refusal(404, "NotFound", f"no such resource: POST {self.path}")

    def _next_invocation(self) -> None:
        invocation = self.host.next_invocation()
        if invocation is None:
            self.close_connection = True
            return
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
            "Lambda-Runtime-Trace-Id": invocation.trace_header,
        }
        if invocation.client_context is not None:
            headers["Lambda-Runtime-Client-Context"] = invocation.client_context
        self.answer(200, invocation.event, headers)
        self.host.handed(invocation)

    def _register(self, body: bytes) -> None:
        name = self.headers.get("Lambda-Extension-Name")
        if not name:
            raise Refusal(403, "Extension.InvalidExtensionName", "Empty extension name")
        try:
            events = [str(event) for event in json.loads(body)["events"]]
        except (ValueError, TypeError, KeyError) as error:
            raise Refusal(403, "InvalidRequestFormat", f'the body must be {{"events": [...]}}: {error!r}') from error
        identifier, function = self.host.register(name, events)
        self._json(200, function, {"Lambda-Extension-Identifier": identifier})

    def _next_event(self) -> None:
        event = self.host.next_event(self._extension_id())
        if event is None:
            self.close_connection = True
            return
        self._json(200, event.body, {"Lambda-Extension-Event-Identifier": event.identifier})

    def _extension_id(self) -> str:
        identifier = self.headers.get("Lambda-Extension-Identifier")
        if not identifier:
            raise Refusal(403, "Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header")
        return identifier

    def _json(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        self.answer(status, json.dumps(body).encode(), {"Content-Type": "application/json", **(headers or {})})
