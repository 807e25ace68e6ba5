"""The life cycle of execution environments, with AWS's own runtime client in real processes."""

import json
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from lambda_latency.http import Handler, Server
from lambda_latency.local.errors import LocalError
from lambda_latency.local.faults import FaultRule
from lambda_latency.local.sandbox.function import Function, Outcome
from lambda_latency.local.spans.segments import TracingHeader
from tests.sandbox.conftest import SAMPLED, TASK, UNSAMPLED, Box, MakeBox
from tests.sandbox.state import is_gone, is_stopped, until

LOOK = Function("Look", "app.look", timeout_s=20, memory_mb=256)
ACT = Function("Act", "app.act", timeout_s=20)


def invoke(box: Box, name: str, event: Any = None, **kwargs: Any) -> Outcome:
    """Invoke with an event; not sampled unless told so."""
    header = kwargs.pop("header", UNSAMPLED)
    return box.sandbox.invoke(name, json.dumps(event or {}).encode(), header, **kwargs)


def result(box: Box, name: str, event: Any = None, **kwargs: Any) -> Any:
    """What an invocation that succeeds returns."""
    outcome = invoke(box, name, event, **kwargs)
    assert outcome.error is None, outcome
    return json.loads(outcome.payload)


def frozen(box: Box) -> bool:
    """Wait for the freeze. Before it, an environment takes no other request, which would start one of its own."""
    return box.sandbox.wait_until_idle(20)


def test_a_warm_invocation_runs_in_the_environment_of_the_one_before(make_box: MakeBox) -> None:
    """One process, three requests."""
    box = make_box(ACT)
    pids = set()
    for _ in range(3):
        pids.add(result(box, "Act")["pid"])
        assert frozen(box)
    assert len(pids) == 1
    assert [one.invocations for one in box.sandbox.environments()] == [3]


def test_a_handler_finds_lambdas_circumstances(make_box: MakeBox) -> None:
    """Context, variables and module path are those of Lambda; no OpenTelemetry is imported without a wrapper."""
    box = make_box(LOOK)
    names = ["_HANDLER", "_X_AMZN_TRACE_ID", "LAMBDA_TASK_ROOT", "HOME"]
    names += ["AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME"]
    seen = result(box, "Look", {"names": names}, header=SAMPLED)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    remaining = seen["context"].pop("remaining_ms")
    request_id = seen["context"].pop("request_id")
    parent = seen["environ"]["_X_AMZN_TRACE_ID"].split("Parent=")[1][:16]
    assert seen["context"] == {
        "arn": "arn:aws:lambda:us-east-1:123456789012:function:Look",
        "name": "Look",
        "version": "$LATEST",
        "memory": "256",
    }
    assert 15_000 < remaining <= 20_000
    assert len(request_id) == 36
    assert seen["environ"] == {
        "_HANDLER": "app.look",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{version}",
        "AWS_LAMBDA_FUNCTION_NAME": "Look",
        "LAMBDA_TASK_ROOT": str(TASK),
        "_X_AMZN_TRACE_ID": f"Root=1-6b0649ac-fc163708c35b96fce41acb89;Parent={parent};Sampled=1",
        "HOME": None,
    }
    assert parent != SAMPLED.parent_id  # the function's own segment
    assert seen["path"][0] == str(TASK)
    assert seen["opentelemetry"] == []


def test_an_environment_is_frozen_between_invocations(make_box: MakeBox) -> None:
    """A background thread makes no step while no request is there."""
    box = make_box(Function("Tick", "app.tick", timeout_s=20))
    result(box, "Tick")
    environment = box.sandbox.environments()[0]
    assert until(lambda: is_stopped(environment.pid))
    before = result(box, "Tick")["ticks"]
    assert until(lambda: is_stopped(environment.pid))
    cpu = Path(f"/proc/{environment.pid}/schedstat")
    used = cpu.read_text()
    threading.Event().wait(0.1)  # a hundred steps of the thread, were it not frozen
    assert cpu.read_text() == used
    after = result(box, "Tick")["ticks"]
    assert after < before + 100


def test_requests_at_once_run_in_environments_of_their_own(make_box: MakeBox) -> None:
    """Four requests that wait for each other come back, from four processes."""
    box = make_box(ACT)
    meeting = threading.Barrier(4)

    class Meeting(Handler):
        def do_GET(self) -> None:
            meeting.wait(30)
            self.answer(200)

    server = Server(Meeting)
    event = {"do": "meet", "url": f"http://{server.address}"}
    with ThreadPoolExecutor(4) as threads:
        pids = {one["pid"] for one in threads.map(lambda _: result(box, "Act", event), range(4))}
    server.close()
    assert len(pids) == 4


def test_more_requests_than_environments_wait_for_a_free_one(make_box: MakeBox) -> None:
    """With room for two environments, twenty requests at once are served by two."""
    box = make_box(ACT, max_environments=2)
    with ThreadPoolExecutor(20) as threads:
        pids = {one["pid"] for one in threads.map(lambda _: result(box, "Act"), range(20))}
    assert len(pids) <= 2
    assert sum(one.invocations for one in box.sandbox.environments()) == 20


def test_a_request_that_waits_for_a_start_has_a_cold_start(make_box: MakeBox) -> None:
    """Three at once where one environment starts at a time: Lambda would start one for each, and queue none."""
    box = make_box(ACT, starts_at_once=1)
    headers = [
        TracingHeader(f"6b0649acfc163708c35b96fce41acb8{number}", "0b9a684f4976364c", True) for number in range(3)
    ]
    with ThreadPoolExecutor(3) as threads:
        assert all(threads.map(lambda header: result(box, "Act", header=header), headers))
    assert until(lambda: len({span.trace_id for span in box.spans}) == 3)
    for header in headers:
        own = {span.name: span for span in box.spans if span.trace_id == header.trace_id and not span.origin}
        (service,) = [one for one in box.spans if one.trace_id == header.trace_id and one.origin == "AWS::Lambda"]
        init, work = own["Initialization"], own["Invocation"]
        assert init.start_ns == service.start_ns
        assert init.end_ns is not None
        assert work.start_ns - init.end_ns < (init.end_ns - init.start_ns) / 2


def test_a_request_that_waits_for_a_free_environment_has_no_cold_start(make_box: MakeBox) -> None:
    """Although another environment is starting for it: it gets the one that is there."""
    box = make_box(ACT, starts_at_once=1)
    result(box, "Act", header=UNSAMPLED)
    assert frozen(box)
    with ThreadPoolExecutor(2) as threads:
        assert all(threads.map(lambda _: result(box, "Act", header=SAMPLED), range(12)))
    assert until(lambda: [span.name for span in box.spans].count("Invocation") == 12)
    assert [span.name for span in box.spans].count("Initialization") <= 1


def test_an_invocation_is_killed_at_its_deadline(make_box: MakeBox) -> None:
    """The caller hears of a timeout, the process is gone, the next request gets a new one."""
    box = make_box(Function("Act", "app.act", timeout_s=1))
    pid = result(box, "Act")["pid"]
    outcome = invoke(box, "Act", {"do": "sleep"})
    assert outcome.error == "Sandbox.Timedout"
    assert json.loads(outcome.payload)["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    assert is_gone(pid)
    assert result(box, "Act")["pid"] != pid


def test_what_a_function_started_ends_with_its_environment(make_box: MakeBox) -> None:
    """A child process of the function does not survive it."""
    box = make_box(Function("Act", "app.act", timeout_s=1))
    child = result(box, "Act", {"do": "spawn"})["child"]
    assert not is_gone(child)
    invoke(box, "Act", {"do": "sleep"})
    assert until(lambda: is_gone(child))


def test_an_exception_fails_the_invocation_and_keeps_the_environment(make_box: MakeBox) -> None:
    """As in Lambda: the error's type and message, and the same process afterwards."""
    box = make_box(ACT)
    pid = result(box, "Act")["pid"]
    assert frozen(box)
    outcome = invoke(box, "Act", {"do": "raise"})
    assert frozen(box)
    error = json.loads(outcome.payload)
    assert (outcome.error, error["errorType"], error["errorMessage"]) == ("Unhandled", "ValueError", "on purpose")
    assert result(box, "Act")["pid"] == pid
    assert box.wait_for_line("Act: [ERROR] ValueError: on purpose")


def test_a_process_that_exits_fails_the_invocation(make_box: MakeBox) -> None:
    """Runtime.ExitError with the exit status; the next request gets a new process."""
    box = make_box(ACT)
    outcome = invoke(box, "Act", {"do": "exit"})
    assert outcome.error == "Runtime.ExitError"
    assert json.loads(outcome.payload)["errorMessage"].endswith("Error: Runtime exited with error: exit status 3")
    assert result(box, "Act")["pid"]


def test_an_environment_that_dies_while_idle_is_replaced(make_box: MakeBox) -> None:
    """The request never notices."""
    box = make_box(ACT)
    pid = result(box, "Act")["pid"]
    os.kill(pid, signal.SIGKILL)
    assert until(lambda: box.sandbox.environments() == [])
    assert result(box, "Act")["pid"] != pid


def test_a_response_that_is_too_large_fails_the_invocation(make_box: MakeBox) -> None:
    """Six megabytes are the most."""
    box = make_box(ACT)
    assert invoke(box, "Act", {"do": "large"}).error == "Function.ResponseSizeTooLarge"


@pytest.mark.parametrize(
    ("handler", "kind", "message"),
    [
        (
            "missing.handler",
            "Runtime.ImportModuleError",
            "Unable to import module 'missing': No module named 'missing'",
        ),
        ("app.missing", "Runtime.HandlerNotFound", "Handler 'missing' missing on module 'app'"),
        ("broken.handler", "RuntimeError", "broken on purpose"),
        (
            "nodot",
            "Runtime.MalformedHandlerName",
            "Bad handler 'nodot': not enough values to unpack (expected 2, got 1)",
        ),
    ],
)
def test_a_function_that_does_not_initialize_says_why(make_box: MakeBox, handler: str, kind: str, message: str) -> None:
    """The runtime client's own error reaches the caller, and each request tries again."""
    box = make_box(Function("Broken", handler))
    for _ in range(2):
        outcome = invoke(box, "Broken")
        error = json.loads(outcome.payload)
        assert (outcome.error, error["errorType"], error["errorMessage"]) == ("Runtime.InitError", kind, message)
    assert box.sandbox.environments() == []


def test_a_function_whose_process_cannot_start_fails(make_box: MakeBox, tmp_path: Path) -> None:
    """Its requests do not wait for ever."""
    file = tmp_path / "app.py"
    file.write_text("")
    box = make_box(Function("Nowhere", "app.handler", code=file))
    outcome = box.sandbox.invoke("Nowhere", b"{}", SAMPLED)
    assert outcome.error == "Sandbox.Failed"
    assert (
        json.loads(outcome.payload)["errorMessage"] == f"its process cannot start: [Errno 20] Not a directory: {file!r}"
    )


def test_an_init_over_the_limit_is_tried_once_more(make_box: MakeBox, tmp_path: Path) -> None:
    """The second try has the function's timeout."""
    slow = Function("Slow", "slow.handler", timeout_s=20, environment={"SEEN": str(tmp_path / "seen")})
    box = make_box(slow, init_limit_s=1)
    assert result(box, "Slow") == "ready"
    assert box.lines == ["Slow: init took over 1 s; starting again"]


def test_environments_can_be_prepared(make_box: MakeBox) -> None:
    """As provisioned concurrency does: they are there before the first request."""
    box = make_box(ACT, LOOK)
    started: list[None] = []
    box.sandbox.prepare(2, lambda: started.append(None))
    assert (len(started), len(box.sandbox.environments("Act")), len(box.sandbox.environments("Look"))) == (4, 2, 2)
    assert {one.invocations for one in box.sandbox.environments()} == {0}


def test_preparing_a_function_that_does_not_initialize_fails(make_box: MakeBox) -> None:
    """One line that says what and where."""
    box = make_box(Function("Broken", "app.missing"))
    with pytest.raises(LocalError) as failure:
        box.sandbox.prepare(1)
    assert str(failure.value) == (
        "Broken does not initialize: Runtime.HandlerNotFound: Handler 'missing' missing on module 'app'\n"
        "  correct app.missing, or what it imports"
    )


def test_idle_environments_end(make_box: MakeBox) -> None:
    """After the idle limit the process is gone; the next request is a cold start."""
    box = make_box(ACT, idle_limit_s=0.2)
    pid = result(box, "Act")["pid"]
    assert until(lambda: is_gone(pid))
    assert result(box, "Act")["pid"] != pid


def test_renewed_environments_run_changed_code(make_box: MakeBox) -> None:
    """Idle ones end at once."""
    box = make_box(ACT)
    pid = result(box, "Act")["pid"]
    assert until(lambda: is_stopped(pid))
    box.sandbox.renew()
    assert until(lambda: is_gone(pid))
    assert result(box, "Act")["pid"] != pid


def test_an_environment_renewed_while_busy_ends_after_its_invocation(make_box: MakeBox) -> None:
    """The request under way is not disturbed."""
    box = make_box(ACT)
    arrived, leave = threading.Event(), threading.Event()

    class Gate(Handler):
        def do_GET(self) -> None:
            arrived.set()
            leave.wait(30)
            self.answer(200)

    server = Server(Gate)
    with ThreadPoolExecutor(1) as threads:
        under_way = threads.submit(result, box, "Act", {"do": "meet", "url": f"http://{server.address}"})
        arrived.wait(30)
        box.sandbox.renew()
        leave.set()
        pid = under_way.result()["pid"]
    server.close()
    assert until(lambda: is_gone(pid))


def test_a_replaced_functions_busy_environment_serves_no_later_request(make_box: MakeBox, tmp_path: Path) -> None:
    """Its response is out, and its extension still works, when the function is replaced."""
    one = Function("Extended", "extended.handler", timeout_s=20, environment={"OUT": str(tmp_path / "out")})
    box = make_box(one)
    result(box, "Extended", {"work_s": 0.5})
    (before,) = box.sandbox.environments()
    box.sandbox.add(one)
    assert box.sandbox.environments() == [before]  # closing the sandbox would end it
    assert frozen(box)
    assert until(lambda: is_gone(before.pid))
    result(box, "Extended")
    (after,) = box.sandbox.environments()
    assert (before.invocations, after.pid != before.pid) == (1, True)


def test_an_environment_that_was_starting_when_the_code_changed_serves_nobody(
    make_box: MakeBox, tmp_path: Path
) -> None:
    """It may have loaded what was there before."""
    seen, code = tmp_path / "seen", tmp_path / "code"
    code.mkdir()
    source = (
        "import os, pathlib, time\n"
        "WORD = {word!r}\n"
        "seen = pathlib.Path(os.environ['SEEN'])\n"
        "with seen.open('a') as file:\n    file.write(WORD)\n"
        "while WORD == 'old' and 'go' not in seen.read_text():\n    time.sleep(0.01)\n"
        "def handler(event, context):\n    return WORD\n"
    )
    (code / "starting.py").write_text(source.format(word="old"))
    box = make_box(Function("Starting", "starting.handler", timeout_s=20, environment={"SEEN": str(seen)}, code=code))
    with ThreadPoolExecutor(1) as threads:
        under_way = threads.submit(result, box, "Starting")
        assert until(lambda: seen.exists() and seen.read_text() == "old")
        (code / "starting.py").write_text(source.format(word="newer"))
        box.sandbox.renew()
        with seen.open("a") as file:
            file.write("go")
        assert under_way.result() == "newer"
    assert len(box.sandbox.environments()) == 1


def test_closing_ends_every_environment(make_box: MakeBox) -> None:
    """No process is left."""
    box = make_box(ACT, LOOK)
    box.sandbox.prepare(2)
    pids = [one.pid for one in box.sandbox.environments()]
    box.sandbox.close()
    assert [pid for pid in pids if not is_gone(pid)] == []


def test_an_extension_works_after_the_response_and_before_the_freeze(make_box: MakeBox, tmp_path: Path) -> None:
    """What it does for a request is done although the environment is frozen at once."""
    out = tmp_path / "out"
    box = make_box(Function("Extended", "extended.handler", timeout_s=20, environment={"OUT": str(out)}))
    requests = [result(box, "Extended", {"work_s": 0.05}) for _ in range(5)]
    assert frozen(box)
    assert sorted(out.read_text().split()) == sorted(requests)


def test_an_extension_that_outlasts_the_deadline_ends_the_environment(make_box: MakeBox, tmp_path: Path) -> None:
    """The response was out in time, so the caller has it; the next request gets a new process."""
    box = make_box(Function("Extended", "extended.handler", timeout_s=1, environment={"OUT": str(tmp_path / "out")}))
    assert invoke(box, "Extended", {"work_s": 60}).error is None
    pid = box.sandbox.environments()[0].pid
    assert frozen(box)
    assert is_gone(pid)


def test_an_environment_with_an_extension_is_told_before_it_ends(make_box: MakeBox, tmp_path: Path) -> None:
    """SIGTERM and half a second, as Lambda gives it. Below 3.12 the runtime client waits where no handler can run."""
    out = tmp_path / "out"
    box = make_box(Function("Extended", "extended.handler", timeout_s=20, environment={"OUT": str(out)}))
    request = result(box, "Extended")
    assert frozen(box)
    box.sandbox.prepare(6)  # frozen as well: while threads woke, one in two did not see the signal
    box.sandbox.close()
    told = ["terminated"] * 7 if sys.version_info >= (3, 12) else []
    assert out.read_text().split() == [request, *told]


def test_a_function_starts_under_its_exec_wrapper(make_box: MakeBox) -> None:
    """The wrapper lies in the bundle and gets the runtime's command."""
    wrapped = {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrapper", "CONFIG": "/var/task/x.yaml", "OTHER": "/var/tasks"}
    box = make_box(Function("Look", "app.look", timeout_s=20, environment=wrapped))
    seen = result(box, "Look", {"names": ["WRAPPED", "CONFIG", "OTHER"]})["environ"]
    assert seen.pop("WRAPPED").startswith(f"{sys.executable} ")
    assert seen == {"CONFIG": f"{TASK}/x.yaml", "OTHER": "/var/tasks"}


def test_a_missing_exec_wrapper_is_known_at_once(make_box: MakeBox) -> None:
    """Each init would fail; the message names variable, value and file."""
    with pytest.raises(LocalError) as failure:
        make_box(Function("Look", "app.look", environment={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/nothing"}))
    what, todo = str(failure.value).splitlines()
    assert what.startswith("Look: AWS_LAMBDA_EXEC_WRAPPER is /opt/nothing, and /")
    assert what.endswith("/nothing is not an executable file")
    assert todo == "  correct the variable in the template, or make the file executable"


@pytest.mark.parametrize("kind", ["delay", "cpu"])
def test_a_function_fault_holds_the_handler(make_box: MakeBox, kind: str) -> None:
    """The fault's milliseconds pass inside the invocation; one without a fault takes no notice."""
    box = make_box(ACT, faults=True)
    result(box, "Act")
    result(box, "Act", header=SAMPLED, fault=FaultRule("function", kind, 1, ms=200))
    assert frozen(box)
    invocation = next(span for span in box.spans if span.name == "Invocation")
    assert invocation.end_ns is not None
    assert invocation.end_ns - invocation.start_ns >= 200_000_000


@pytest.mark.parametrize("kind", ["regex", "lock"])
def test_a_function_fault_in_a_line_of_its_own_code(make_box: MakeBox, kind: str) -> None:
    """Its regular expression computes, and finds what it always finds; or its lock is held. Only that request."""
    box = make_box(ACT, faults=True)
    usual, faulty, after = (
        result(box, "Act", {"do": "check"}, fault=fault)
        for fault in (None, FaultRule("function", kind, 1, ms=200), None)
    )
    took = [one.pop("took") for one in (usual, faulty, after)]
    assert took[1] > 5 * min(took[0], took[2])  # a regular expression is as long as it took a while ago: its ms vary
    assert after == usual == {"found": ["tea", None], "locked": False, "pattern": "(?P<name>[a-z]+)"}
    assert faulty["found"] == ["tea", None]
    assert (faulty["locked"], faulty["pattern"] == usual["pattern"]) == (kind == "lock", kind == "lock")


def test_a_function_fault_reaches_the_deadline(make_box: MakeBox) -> None:
    """Kind timeout."""
    box = make_box(Function("Act", "app.act", timeout_s=1), faults=True)
    assert invoke(box, "Act", fault=FaultRule("function", "timeout", 1)).error == "Sandbox.Timedout"


def test_what_a_function_prints_is_logged_with_its_name(make_box: MakeBox) -> None:
    """Line by line."""
    box = make_box(ACT)
    result(box, "Act", {"do": "print"})
    assert box.wait_for_line("Act: hello from the function")


def test_sampled_invocations_are_recorded_as_lambda_does(make_box: MakeBox) -> None:
    """A cold and a warm request: segments, phases and parents; an unsampled request leaves nothing."""
    box = make_box(ACT)
    result(box, "Act", header=SAMPLED)
    assert frozen(box)
    cold = list(box.spans)
    box.spans.clear()
    result(box, "Act", header=UNSAMPLED)
    assert frozen(box)
    result(box, "Act", header=SAMPLED)
    assert frozen(box)
    warm = list(box.spans)
    for spans, phases in ((cold, ["Initialization", "Invocation", "Overhead"]), (warm, ["Invocation", "Overhead"])):
        service, function, *rest = spans
        assert [(span.name, span.origin, span.parent_id) for span in (service, function)] == [
            ("Act", "AWS::Lambda", SAMPLED.parent_id),
            ("Act", "AWS::Lambda::Function", service.span_id),
        ]
        assert [(span.name, span.parent_id) for span in rest] == [(name, function.span_id) for name in phases]
        assert {span.trace_id for span in spans} == {SAMPLED.trace_id}
        assert function.attributes["faas.coldstart"] is (spans is cold)
