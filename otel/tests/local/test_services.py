"""Services: how they come up, how they fail to, and how they are stopped."""

import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from lambda_latency.local.app.serve import session as serve
from lambda_latency.local.app.serve.session import Requests
from lambda_latency.local.errors import LocalError
from lambda_latency.local.front import Answered
from lambda_latency.local.processes import Processes, Service
from lambda_latency.local.spans.segments import new_span_id, new_trace_id
from lambda_latency.trace import FUNCTION, Span, SpanKind, Trace
from tests.local.calls import eventually

Start = Callable[..., Service]


@pytest.fixture
def start(processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Start some code as a service; what it prints goes into the list that is given."""

    def begin(code: str, log: list[str] | None = None, *arguments: str) -> Service:
        module = tmp_path / "some_service.py"
        if not module.exists() or module.read_text() != code:  # else one that has just been started would find it empty
            module.write_text(code)
        monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
        return Service("some_service", arguments, processes, (log if log is not None else []).append)

    return begin


SERVE = """
import signal, sys, threading
from lambda_latency.local.processes import say_ready
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
print("hello", *sys.argv[1:], flush=True)
print("not well", file=sys.stderr, flush=True)
say_ready(4711)
stop.wait()
print("good bye", flush=True)
"""


def test_a_service_says_its_port_and_its_last(start: Start) -> None:
    """Its arguments reach it, its lines are told in order, errors among them, and it may speak until it ends."""
    log: list[str] = []
    service = start(SERVE, log, "--a", "b c")
    port = service.wait_until_ready()
    ready_log = list(log)
    service.stop()
    assert (port, ready_log, log) == (4711, ["hello --a b c", "not well"], ["hello --a b c", "not well", "good bye"])


def test_services_start_side_by_side(start: Start) -> None:
    """Starting one waits for nothing: the second is started before the first is ready."""
    services = [start(SERVE), start(SERVE)]
    assert [service.wait_until_ready() for service in services] == [4711, 4711]
    for service in services:
        service.stop()


def test_a_service_that_dies_at_its_start_is_told(start: Start) -> None:
    """The message has its last five lines: there its traceback ends."""
    service = start("print(*range(1, 9), sep='\\n')\nraise SystemExit('no more beans')")
    with pytest.raises(LocalError) as raised:
        service.wait_until_ready()
    service.stop()
    assert (str(raised.value), raised.value.exit_status) == (
        "some_service did not start\n  5\n  6\n  7\n  8\n  no more beans",
        1,
    )


def test_a_service_that_dies_in_silence_is_told(start: Start) -> None:
    """Where it has printed nothing, the message says so."""
    service = start("raise SystemExit(3)")
    with pytest.raises(LocalError) as raised:
        service.wait_until_ready()
    service.stop()
    assert str(raised.value) == "some_service did not start\n  it printed nothing"


def test_a_service_that_never_gets_ready_is_told(start: Start) -> None:
    """The wait has a limit, and what it printed until then is in the message."""
    log: list[str] = []
    service = start("import signal\nprint('thinking', flush=True)\nsignal.pause()", log)
    eventually(lambda: log)
    with pytest.raises(LocalError) as raised:
        service.wait_until_ready(limit_s=0.05)
    service.stop()
    assert str(raised.value) == "some_service did not start\n  thinking"


def test_a_service_that_ignores_sigterm_is_killed(start: Start) -> None:
    """After the limit it is ended all the same."""
    service = start(
        "import signal\nfrom lambda_latency.local.processes import say_ready\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nsay_ready(1)\nwhile True: signal.pause()"
    )
    service.wait_until_ready()
    service.stop(limit_s=0.1)
    assert service._child.returncode == -signal.SIGKILL


def test_a_service_that_has_ended_can_be_stopped(start: Start) -> None:
    """Stopping what has crashed meanwhile is no error."""
    service = start("from lambda_latency.local.processes import say_ready\nsay_ready(1)\nraise SystemExit(7)")
    service.wait_until_ready()
    eventually(lambda: service._child.poll() is not None)
    service.stop()
    assert service._child.returncode == 7


def test_the_persons_settings_do_not_lead_a_service_astray(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS profiles, a proxy and OpenTelemetry's variables of whoever runs the command stay out of it."""
    monkeypatch.setenv("AWS_PROFILE", "company")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:3128")
    monkeypatch.setenv("no_proxy", "intranet")
    monkeypatch.setenv("MINE", "kept")
    log: list[str] = []
    service = start(
        "import os, urllib.request\n"
        "print(sorted(name for name in os.environ if name.startswith(('AWS_', 'OTEL_', 'MINE'))))\n"
        "print(bool(urllib.request.proxy_bypass('127.0.0.1')), flush=True)\n",
        log,
    )
    eventually(lambda: len(log) == 2)
    service.stop()
    assert log == ["['MINE']", "True"]


TRACE = new_trace_id()


def answered(route: str) -> Answered:
    """One that has a function behind it."""
    return Answered(TRACE, True, route, "ok", 1, True)


def function(name: str, start_ns: int) -> Span:
    """The segment of an invocation."""
    return Span(
        trace_id=TRACE,
        span_id=new_span_id(),
        name=name,
        kind=SpanKind.SERVER,
        start_ns=start_ns,
        end_ns=9,
        attributes={"aws.xray.origin": FUNCTION},
    )


def test_events_of_one_trace_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """As those of a bus to which a traced function has written: the first one takes the spans of all."""
    monkeypatch.setattr(serve, "SPANS_WAIT_S", 300)
    shown: list[tuple[str, list[str]]] = []

    def show(request: Answered, trace: Trace | None) -> None:
        shown.append((request.route, [span.name for span in trace.spans] if trace is not None else []))

    with contextlib.closing(Requests(show)) as requests:
        requests.spans([function("first", 1), function("second", 2)])
        for route in ("one", "two"):
            requests.answered(answered(route))
        eventually(lambda: len(shown) == 2)
    assert shown == [("one", ["first", "second"]), ("two", [])]


def test_the_end_waits_for_no_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has been answered is told of all the same."""
    monkeypatch.setattr(serve, "SPANS_WAIT_S", 300)
    shown: list[str] = []
    with contextlib.closing(Requests(lambda request, _: shown.append(request.route))) as requests:
        requests.answered(answered("one"))
    assert shown == ["one"]
