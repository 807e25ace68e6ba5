"""The Runtime API and the Extensions API as AWS publishes them, spoken by the test in place of a runtime."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from lambda_latency.local.processes import Processes
from lambda_latency.local.sandbox.environment import ExecutionEnvironment
from lambda_latency.local.sandbox.function import Function, Outcome, Run
from lambda_latency.local.sandbox.runtime_api import RuntimeInvocation
from tests.local.calls import Reply
from tests.sandbox.state import is_stopped, until

FUNCTION = Function("orders", "orders.handler", timeout_s=20)
INVOCATION = RuntimeInvocation(
    request_id="8476a536-e9f4-11e8-9739-2dfe598c3fcd",
    event=b'{"order": 1}',
    function_arn=FUNCTION.arn,
    deadline_ms=4_102_444_800_000,
    trace_header="Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1",
    client_context=None,
)


class Runtime:
    """An environment whose process only sleeps; the test makes the calls that a runtime or an extension would make."""

    def __init__(self, processes: Processes) -> None:
        self.settled: list[Run] = []
        self.lines: list[str] = []
        self.environment = ExecutionEnvironment(
            FUNCTION,
            ["/bin/sleep", "600"],
            {},
            Path("/"),
            processes,
            settled=lambda _, run: self.settled.append(run),
            ended=lambda _: None,
            log=self.lines.append,
        )

    def call(self, method: str, path: str, body: str | Iterator[bytes] = "", **headers: str) -> Reply:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        chunked = not isinstance(body, str)
        connection = http.client.HTTPConnection(self.environment._api.address, timeout=20)
        try:
            connection.request(method, path, body, named, encode_chunked=chunked)
            response = connection.getresponse()
            return Reply(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def next(self) -> Future:
        return Future(lambda: self.call("GET", "/2018-06-01/runtime/invocation/next"))

    def invoke(self) -> Future:
        return Future(lambda: self.environment.invoke(INVOCATION))

    def answer(
        self, what: str, body: str | Iterator[bytes], request_id: str = INVOCATION.request_id, **headers: str
    ) -> Reply:
        return self.call("POST", f"/2018-06-01/runtime/invocation/{request_id}/{what}", body, **headers)

    def register(self, body: str = '{"events": ["INVOKE"]}', name: str = "worker") -> Reply:
        return self.call("POST", "/2020-01-01/extension/register", body, Lambda_Extension_Name=name)

    def next_event(self, identifier: str) -> Future:
        path = "/2020-01-01/extension/event/next"
        return Future(lambda: self.call("GET", path, Lambda_Extension_Identifier=identifier))


class Future:
    """A call that waits, under way on a thread of its own."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._result: list[Any] = []
        self._thread = threading.Thread(target=self._run, args=(call,), daemon=True)
        self._thread.start()

    def _run(self, call: Callable[[], Any]) -> None:
        # A call that still waits when the test ends is cut off together with the environment.
        with contextlib.suppress(http.client.HTTPException, ConnectionError):
            self._result.append(call())

    @property
    def waits(self) -> bool:
        return not self._result

    def result(self) -> Any:
        self._thread.join(20)
        return self._result[0]


@pytest.fixture
def runtime(processes: Processes) -> Iterator[Runtime]:
    """An environment at the beginning of its init."""
    runtime = Runtime(processes)
    yield runtime
    runtime.environment.kill()


def initialized(runtime: Runtime) -> Future:
    """The runtime's first call for an invocation; returns when init is over."""
    waiting = runtime.next()
    assert runtime.environment.wait_for_init(20) is None
    return waiting


def test_the_next_invocation_comes_with_its_event_and_all_its_headers(runtime: Runtime) -> None:
    """GET /runtime/invocation/next"""
    waiting = initialized(runtime)
    runtime.invoke()
    answer = waiting.result()
    assert (answer.status, answer.body) == (200, b'{"order": 1}')
    assert {name: value for name, value in answer.headers.items() if name.startswith("Lambda-")} == {
        "Lambda-Runtime-Aws-Request-Id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
        "Lambda-Runtime-Deadline-Ms": "4102444800000",
        "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:orders",
        "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1",
    }


def test_a_long_description_of_an_error_for_x_ray_is_accepted(runtime: Runtime) -> None:
    """A RecursionError has a thousand frames, and the runtime client sends each of them in one header."""
    waiting = initialized(runtime)
    invoking = runtime.invoke()
    waiting.result()
    cause = json.dumps({"exceptions": [{"stack": [{"label": "down", "line": 7}] * 5000}]})
    answer = runtime.answer("error", '{"errorType": "RecursionError"}', Lambda_Runtime_Function_XRay_Error_Cause=cause)
    assert (answer.status, answer.json) == (202, {"status": "OK"})
    assert invoking.result().outcome == Outcome(b'{"errorType": "RecursionError"}', "Unhandled")


def test_a_response_is_accepted_and_reaches_the_caller(runtime: Runtime) -> None:
    """POST /runtime/invocation/AwsRequestId/response"""
    waiting = initialized(runtime)
    invoking = runtime.invoke()
    waiting.result()
    answer = runtime.answer("response", '{"ok": true}')
    assert (answer.status, answer.json) == (202, {"status": "OK"})
    assert invoking.result().outcome == Outcome(b'{"ok": true}')


def test_a_response_in_chunks_is_put_together(runtime: Runtime) -> None:
    """A runtime may stream its response with Transfer-Encoding: chunked."""
    waiting = initialized(runtime)
    invoking = runtime.invoke()
    waiting.result()
    chunks = iter([b'{"ok"', b": true}"])
    assert runtime.answer("response", chunks, Transfer_Encoding="chunked").status == 202
    assert invoking.result().outcome == Outcome(b'{"ok": true}')


def test_an_error_is_accepted_and_fails_the_invocation(runtime: Runtime) -> None:
    """POST /runtime/invocation/AwsRequestId/error"""
    waiting = initialized(runtime)
    invoking = runtime.invoke()
    waiting.result()
    assert runtime.answer("error", '{"errorType": "ValueError"}').status == 202
    assert invoking.result().outcome == Outcome(b'{"errorType": "ValueError"}', "Unhandled")


def test_a_response_above_six_megabytes_fails_the_invocation(runtime: Runtime) -> None:
    """413, and the caller sees Function.ResponseSizeTooLarge."""
    waiting = initialized(runtime)
    invoking = runtime.invoke()
    waiting.result()
    answer = runtime.answer("response", "x" * (6 * 1024 * 1024 + 1))
    assert (answer.status, answer.json["errorType"]) == (413, "RequestEntityTooLarge")
    outcome = invoking.result().outcome
    assert outcome.error == "Function.ResponseSizeTooLarge"


@pytest.mark.parametrize("what", ["response", "error"])
def test_an_unknown_request_id_is_refused(runtime: Runtime, what: str) -> None:
    """400 InvalidRequestID, and the invocation goes on."""
    waiting = initialized(runtime)
    invoking = runtime.invoke()
    waiting.result()
    answer = runtime.answer(what, "{}", request_id="another")
    assert (answer.status, answer.json) == (
        400,
        {"errorMessage": "Invalid request ID", "errorType": "InvalidRequestID"},
    )
    assert invoking.waits


def test_an_invocation_is_answered_once(runtime: Runtime) -> None:
    """A second response is refused and changes nothing."""
    waiting = initialized(runtime)
    invoking = runtime.invoke()
    waiting.result()
    runtime.answer("response", '"first"')
    assert runtime.answer("response", '"second"').status == 400
    assert invoking.result().outcome == Outcome(b'"first"')


def test_an_init_error_is_reported_when_the_runtime_leaves(runtime: Runtime) -> None:
    """POST /runtime/init/error, then the process ends."""
    answer = runtime.call("POST", "/2018-06-01/runtime/init/error", '{"errorType": "Runtime.ImportModuleError"}')
    assert answer.status == 202
    runtime.environment.kill()
    error = Outcome(b'{"errorType": "Runtime.ImportModuleError"}', "Runtime.InitError")
    assert runtime.environment.wait_for_init(20) == error


@pytest.mark.parametrize(("method", "path"), [("POST", "init/error"), ("GET", "restore/next")])
def test_a_transition_that_the_state_does_not_allow_is_refused(runtime: Runtime, method: str, path: str) -> None:
    """An init error after the init, and a restore without a snapshot."""
    initialized(runtime)
    answer = runtime.call(method, f"/2018-06-01/runtime/{path}", "{}")
    assert (answer.status, answer.json["errorType"]) == (403, "InvalidStateTransition")


@pytest.mark.parametrize(("method", "path"), [("GET", "/2018-06-01/runtime/nothing"), ("POST", "/")])
def test_an_unknown_resource_is_not_found(runtime: Runtime, method: str, path: str) -> None:
    """404 with the name of what was asked for."""
    answer = runtime.call(method, path)
    assert (answer.status, answer.json) == (
        404,
        {"errorMessage": f"no such resource: {method} {path}", "errorType": "NotFound"},
    )


def test_an_extension_is_registered_with_an_identifier(runtime: Runtime) -> None:
    """POST /extension/register"""
    answer = runtime.register()
    assert (answer.status, answer.json) == (
        200,
        {"functionName": "orders", "functionVersion": "$LATEST", "handler": "orders.handler"},
    )
    assert len(answer.headers["Lambda-Extension-Identifier"]) == 36


@pytest.mark.parametrize(
    ("body", "name", "error"),
    [
        ('{"events": ["INVOKE"]}', "", "Extension.InvalidExtensionName"),
        ("events", "worker", "InvalidRequestFormat"),
        ("[]", "worker", "InvalidRequestFormat"),
        ('{"events": 1}', "worker", "InvalidRequestFormat"),
        ('{"events": ["SHUTDOWN"]}', "worker", "Extension.InvalidEventType"),
        ('{"events": ["LUNCH"]}', "worker", "Extension.InvalidEventType"),
    ],
)
def test_a_wrong_registration_is_refused(runtime: Runtime, body: str, name: str, error: str) -> None:
    """403 with the type of the mistake. An internal extension gets no SHUTDOWN."""
    answer = runtime.register(body, name)
    assert (answer.status, answer.json["errorType"]) == (403, error)


def test_a_name_is_registered_once_and_ten_at_most(runtime: Runtime) -> None:
    """Two extensions of one name are a mistake, and the eleventh is refused."""
    statuses = [runtime.register(name=str(number)).status for number in range(11)]
    assert statuses == [200] * 10 + [403]
    answer = runtime.register(name="0")
    assert (answer.status, answer.json["errorType"]) == (403, "Extension.InvalidExtensionState")


def test_registration_closes_with_init(runtime: Runtime) -> None:
    """An extension that comes too late is refused."""
    initialized(runtime)
    answer = runtime.register()
    assert (answer.status, answer.json["errorType"]) == (403, "Extension.RegistrationClosed")


def test_an_extension_gets_each_invocation(runtime: Runtime) -> None:
    """GET /extension/event/next"""
    identifier = runtime.register().headers["Lambda-Extension-Identifier"]
    event = runtime.next_event(identifier)
    initialized(runtime)
    runtime.invoke()
    answer = event.result()
    assert (answer.status, answer.json) == (
        200,
        {
            "eventType": "INVOKE",
            "deadlineMs": 4102444800000,
            "requestId": INVOCATION.request_id,
            "invokedFunctionArn": FUNCTION.arn,
            "tracing": {"type": "X-Amzn-Trace-Id", "value": INVOCATION.trace_header},
        },
    )
    assert len(answer.headers["Lambda-Extension-Event-Identifier"]) == 36


def test_an_extension_that_wants_no_events_gets_none(runtime: Runtime) -> None:
    """It may register without events, and then holds nothing up."""
    identifier = runtime.register('{"events": []}').headers["Lambda-Extension-Identifier"]
    event = runtime.next_event(identifier)
    waiting = initialized(runtime)
    invoking = runtime.invoke()
    waiting.result()
    runtime.answer("response", "1")
    runtime.next()
    assert invoking.result().outcome == Outcome(b"1")
    assert until(lambda: len(runtime.settled) == 1)
    assert event.waits


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({}, "Extension.MissingExtensionIdentifier"),
        ({"Lambda_Extension_Identifier": "unknown"}, "Extension.UnknownExtensionIdentifier"),
    ],
)
def test_an_unknown_extension_gets_no_events(runtime: Runtime, headers: dict[str, str], error: str) -> None:
    """403 for a missing and for a wrong identifier."""
    answer = runtime.call("GET", "/2020-01-01/extension/event/next", **headers)
    assert (answer.status, answer.json["errorType"]) == (403, error)


def test_an_extension_that_reports_an_error_must_name_it(runtime: Runtime) -> None:
    """POST /extension/exit/error without Lambda-Extension-Function-Error-Type"""
    identifier = runtime.register().headers["Lambda-Extension-Identifier"]
    answer = runtime.call("POST", "/2020-01-01/extension/exit/error", Lambda_Extension_Identifier=identifier)
    assert (answer.status, answer.json["errorType"]) == (403, "Extension.MissingHeader")


def test_an_extension_that_fails_at_init_ends_the_environment(runtime: Runtime) -> None:
    """POST /extension/init/error"""
    identifier = runtime.register().headers["Lambda-Extension-Identifier"]
    answer = runtime.call(
        "POST",
        "/2020-01-01/extension/init/error",
        Lambda_Extension_Identifier=identifier,
        Lambda_Extension_Function_Error_Type="Extension.NoConfig",
    )
    assert answer.status == 202
    failure = runtime.environment.wait_for_init(20)
    assert failure == Outcome.failed("Extension.InitError", "Error: extension worker failed: Extension.NoConfig")
    assert runtime.lines == ["extension worker reported Extension.NoConfig at init"]


def test_init_lasts_until_the_extension_asks_for_its_first_event(runtime: Runtime) -> None:
    """The runtime alone does not end init."""
    identifier = runtime.register().headers["Lambda-Extension-Identifier"]
    runtime.next()
    assert until(lambda: runtime.environment._runtime_waits)
    assert runtime.environment.phase == "init"
    runtime.next_event(identifier)
    assert runtime.environment.wait_for_init(20) is None


def test_an_environment_is_frozen_only_when_the_extension_is_ready(runtime: Runtime) -> None:
    """Response out, runtime waiting: still not frozen while the extension works."""
    identifier = runtime.register().headers["Lambda-Extension-Identifier"]
    event = runtime.next_event(identifier)
    waiting = initialized(runtime)
    assert until(lambda: is_stopped(runtime.environment.pid))
    invoking = runtime.invoke()
    waiting.result()
    event.result()
    runtime.answer("response", "1")
    runtime.next()
    assert invoking.result().outcome == Outcome(b"1")
    assert until(lambda: runtime.environment._runtime_waits)
    assert (is_stopped(runtime.environment.pid), runtime.settled) == (False, [])
    runtime.next_event(identifier)
    assert until(lambda: is_stopped(runtime.environment.pid))
    assert [run.invocation for run in runtime.settled] == [INVOCATION]


def test_an_extension_that_exits_with_an_error_fails_the_invocation(runtime: Runtime) -> None:
    """POST /extension/exit/error"""
    identifier = runtime.register().headers["Lambda-Extension-Identifier"]
    runtime.next_event(identifier)
    waiting = initialized(runtime)
    invoking = runtime.invoke()
    waiting.result()
    runtime.call(
        "POST",
        "/2020-01-01/extension/exit/error",
        Lambda_Extension_Identifier=identifier,
        Lambda_Extension_Function_Error_Type="Extension.Crash",
    )
    assert invoking.result().outcome.error == "Runtime.ExitError"


def test_an_extension_that_fails_has_its_answer_before_the_environment_ends(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of the environment ends the extension's process, too."""
    answered, ends = threading.Event(), Queue[bool]()
    monkeypatch.setattr(runtime.environment, "end", lambda: ends.put(answered.wait(10)))
    headers = {"Lambda_Extension_Identifier": runtime.register().headers["Lambda-Extension-Identifier"]}
    headers["Lambda_Extension_Function_Error_Type"] = "Extension.Crash"
    answer = runtime.call("POST", "/2020-01-01/extension/exit/error", **headers)
    answered.set()
    assert (answer.status, answer.json, ends.get(timeout=10)) == (202, {"status": "OK"}, True)


def test_times_are_those_of_the_invocation(runtime: Runtime) -> None:
    """Start, response and end, in this order, in epoch nanoseconds."""
    waiting = initialized(runtime)
    before = time.time_ns()
    invoking = runtime.invoke()
    waiting.result()
    runtime.answer("response", "1")
    run = invoking.result()
    runtime.next()
    assert until(lambda: run.ended_ns > 0)
    assert before < run.started_ns < run.responded_ns < run.ended_ns < time.time_ns()


def test_an_extension_gets_its_event_after_the_runtime(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller waits for the runtime; what is written to the extension takes no time from that."""
    handed: list[RuntimeInvocation] = []
    monkeypatch.setattr(runtime.environment, "handed", handed.append)
    identifier = runtime.register().headers["Lambda-Extension-Identifier"]
    event = runtime.next_event(identifier)
    waiting = initialized(runtime)
    runtime.invoke()
    assert waiting.result().body == INVOCATION.event
    assert until(lambda: handed == [INVOCATION])
    assert event.waits
    ExecutionEnvironment.handed(runtime.environment, INVOCATION)
    assert event.result().json["requestId"] == INVOCATION.request_id
