"""The samples of a slow request: where they say its time went, and that nothing of them stays behind."""

import asyncio
import gc
import itertools
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.trace import get_current_span

from lambda_latency.runtime.bootstrap import traced
from lambda_latency.runtime.deadline import interpreter
from lambda_latency.runtime.deadline.own_lines import OwnLines, installed
from lambda_latency.runtime.deadline.profile import Profile, profiles
from lambda_latency.runtime.deadline.running import Running
from lambda_latency.runtime.settings import Settings
from lambda_latency.runtime.setup import Runtime
from tests.runtime.lambdas import Sink
from tests.sandbox.state import until

HEADER = "Root=1-674385f0-{:024x};Parent=0123456789abcdef;Sampled=1"
LOCK = threading.Lock()


class Context:
    """Lambda's context object, with some seconds to the deadline."""

    aws_request_id = "5b7e2c60-0000-4000-8000-000000000001"

    def __init__(self, seconds: float = 60) -> None:
        self.until = time.time() + seconds

    def get_remaining_time_in_millis(self) -> int:
        """Whole milliseconds, as Lambda tells it."""
        return int((self.until - time.time()) * 1000)


class Site:
    """A runtime in this process, whose task root is the folder of this file."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LAMBDA_TASK_ROOT", str(Path(__file__).parent))
        self._set = monkeypatch.setenv
        self.sink = Sink()
        self.spans: list[Any] = []  # of the handlers
        self.runtimes: list[Runtime] = []

    def run(
        self, work: Callable[[], object], *, seconds: float = 60, trace: int = 1, **variables: str
    ) -> dict[str, Any]:
        """Run a handler; returns the attributes of its span that samples wrote."""
        self._set("_X_AMZN_TRACE_ID", HEADER.format(trace))
        settings = {"LAMBDA_LATENCY_PROFILE_AFTER_MS": "20", **variables}
        runtime = Runtime(Settings.read(settings), self.sink).start()
        self.runtimes.append(runtime)

        def handler(_event: object, _context: object) -> None:
            self.spans.append(get_current_span())
            work()

        try:
            traced(handler, runtime)({}, Context(seconds))
        finally:
            runtime.after_response()
        *_, span = self.spans
        return profile_of(span)


def profile_of(span: ReadableSpan) -> dict[str, Any]:
    """The attributes of the samples, without their prefix."""
    prefix = "lambda.profile."
    return {key.removeprefix(prefix): value for key, value in (span.attributes or {}).items() if key.startswith(prefix)}


def functions(attributes: dict[str, Any]) -> Counter[str]:
    """Milliseconds by function."""
    sums = Counter[str]()
    for run in attributes["runs"].split(";"):
        number, wall, *_ = run.split(",")
        sums[attributes["places"][int(number)].partition(" > ")[0].rpartition(" ")[2]] += int(wall)
    return sums


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A runtime that samples after 20 ms; afterwards, nothing of it is left."""
    interval, callbacks = sys.getswitchinterval(), list(gc.callbacks)
    site = Site(monkeypatch)
    yield site
    for runtime in reversed(site.runtimes):  # each has replaced what the one before had
        runtime.stop()
    assert (sys.getswitchinterval(), gc.callbacks) == (interval, callbacks)


def compute(seconds: float = 0.4) -> None:
    """Computes."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        sum(range(200))


def rest(seconds: float = 0.4) -> None:
    """Waits."""
    time.sleep(seconds)


def locked() -> None:
    """Waits for a lock."""
    LOCK.acquire()
    threading.Timer(0.4, LOCK.release).start()
    with LOCK:
        return


def test_the_line_that_computes_has_the_time_and_its_source(site: Site) -> None:
    """With the CPU that it used."""
    attributes = site.run(compute)
    assert functions(attributes).most_common(1)[0][0] == "compute"
    assert attributes["places"][0].startswith("test_profile.py:")
    assert "range(200)" in "".join(attributes["lines"]) or "perf_counter" in "".join(attributes["lines"])
    assert attributes["cpu_ms"] > 50
    assert 20 <= attributes["after_ms"] < 400


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only Linux tells what a thread waits for")
@pytest.mark.parametrize(("work", "kind"), [(rest, "sleep"), (locked, "lock")])
def test_what_a_line_waits_for_is_told(site: Site, work: Callable[[], None], kind: str) -> None:
    """By the system call."""
    attributes = site.run(work)
    assert functions(attributes).most_common(1)[0][0] == work.__name__
    assert attributes["waits"][0] == kind
    assert attributes["cpu_ms"] < 200


def test_source_lines_are_left_out_by_their_setting(site: Site) -> None:
    """Places stay."""
    attributes = site.run(compute, LAMBDA_LATENCY_SOURCE_LINES="false")
    assert ("lines" in attributes, bool(attributes["places"])) == (False, True)


def test_a_fast_request_has_no_samples(site: Site) -> None:
    """Nor an attribute that says so."""
    assert site.run(lambda: None) == {}


def test_samples_are_switched_off_by_zero(site: Site) -> None:
    """Even of a request that would be sampled from its begin; what takes them is not even imported."""
    assert site.run(lambda: rest(0.2), trace=0, LAMBDA_LATENCY_PROFILE_AFTER_MS="0") == {}
    assert site.runtimes[0]._watch._profile_of is None


def test_a_sample_that_fails_is_the_last_one(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The request goes on, the log has one line, and the interval is back while the request still runs."""

    def fails(*_: object) -> None:
        raise ValueError("no frame")

    def works() -> None:
        assert until(lambda: bool(caplog.records))
        assert until(lambda: sys.getswitchinterval() == interval_s)
        rest(0.1)

    interval_s = sys.getswitchinterval()
    monkeypatch.setattr(OwnLines, "locate", fails)
    assert site.run(works)["samples"] == 0
    assert [record.getMessage() for record in caplog.records] == [
        "lambda-latency: watching a request failed (ValueError: no frame); the request goes on"
    ]


def test_one_in_64_requests_is_sampled_from_its_begin(site: Site) -> None:
    """By its trace id."""
    site.run(lambda: rest(0.1), trace=64)  # the first imports the module
    attributes = site.run(lambda: rest(0.1), trace=128, LAMBDA_LATENCY_PROFILE_AFTER_MS="60000")
    assert attributes["after_ms"] < 50
    assert functions(attributes)["rest"] > 50


def in_pool() -> None:
    """Waits for a thread of a pool."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(compute).result()


def in_thread() -> None:
    """Waits for a thread."""
    thread = threading.Thread(target=rest)
    thread.start()
    thread.join()


@pytest.mark.parametrize(("work", "place"), [(in_pool, "compute"), (in_thread, "rest")])
def test_a_thread_that_the_handler_waits_for_has_the_time(site: Site, work: Callable[[], None], place: str) -> None:
    """Its line, not that of `result()` or `join()`."""
    assert functions(site.run(work)).most_common(1)[0][0] == place


async def slow_task() -> None:
    """A task that waits."""
    await asyncio.sleep(0.4)


async def gathered() -> None:
    """Waits for two tasks."""
    await asyncio.gather(slow_task(), asyncio.sleep(0.01))


async def limited() -> None:
    """Waits for a task with a limit."""
    await asyncio.wait_for(asyncio.create_task(slow_task()), 5)


@pytest.mark.parametrize("work", [gathered, limited])
def test_the_task_that_a_loop_waits_for_has_the_time(site: Site, work: Callable[[], Any]) -> None:
    """Not the line that runs the loop."""
    attributes = site.run(lambda: asyncio.run(work()))
    assert functions(attributes).most_common(1)[0][0] == "slow_task"
    assert attributes["places"][0].endswith("slow_task > asyncio.tasks.sleep")


def test_an_exception_leaves_the_samples_and_the_interval(site: Site) -> None:
    """The request fails as it would without samples."""

    def fails() -> None:
        compute(0.2)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        site.run(fails)
    *_, span = site.spans
    assert functions(profile_of(span))["compute"] > 20


def test_the_deadline_tells_where_the_whole_request_went(site: Site) -> None:
    """Its marks have the samples too; the handler that makes it after all has those until then."""
    attributes = site.run(lambda: rest(1.3), seconds=1)
    [marked] = [span for span in site.sink.at_deadline if (span.attributes or {}).get("lambda.timeout")]
    assert functions(profile_of(marked))["rest"] > 500
    assert "code.stacktrace" in (marked.attributes or {})
    assert functions(attributes) == functions(profile_of(marked))


def test_samples_are_bounded(site: Site) -> None:
    """However many lines there are, and however long they take: samples become rarer, and the runs fit into a value."""
    namespace: dict[str, Any] = {"sleep": time.sleep}
    lines = "\n".join("    sleep(0.012)" for _ in range(80))
    source = f"def many():\n{lines}\n"
    exec(compile(source, str(Path(__file__).parent / "many.py"), "exec"), namespace)  # noqa: S102 - code of the test
    attributes = site.run(namespace["many"])
    assert (len(attributes["places"]) <= 48, attributes["samples"] <= 75) == (True, True)
    assert len(attributes["runs"]) < 4096


@pytest.mark.parametrize(
    ("cost_s", "cpu_s", "rarer_s"), [(0.00005, 0.01, 0.01), (0.0002, 0.01, 0.02), (0.0002, 0.005, 0.03)]
)
def test_samples_are_rarer_where_they_take_more_than_a_hundredth_of_what_the_handler_uses(
    monkeypatch: pytest.MonkeyPatch, cost_s: float, cpu_s: float, rarer_s: float
) -> None:
    """In 10 ms of the clock, of which it has `cpu_s` on a processor."""
    span: Any = TracerProvider().get_tracer("test").start_span("handler")
    profile = profiles(lines=False)(Running(span, threading.get_ident(), time.time() + 60), None, 1000.0)
    used, sampling = itertools.count(1.0, cpu_s), itertools.count(1.0, 4 * cost_s)
    monkeypatch.setattr(Profile, "_cpu", lambda _: next(used))
    monkeypatch.setattr(time, "thread_time", lambda: next(sampling))
    for look in range(1, 9):
        profile.sample(1000 + look / 100)
    monkeypatch.undo()
    every_s = profile.every_s
    profile.stop()
    assert every_s == pytest.approx(rarer_s)


def test_a_fork_keeps_nothing(site: Site) -> None:
    """The child has the usual interval and no callback of the collector."""
    read, write = os.pipe()

    def forks() -> None:
        until(lambda: sys.getswitchinterval() < 0.001)
        if os.fork() == 0:
            os.write(write, f"{sys.getswitchinterval():.4f} {len(gc.callbacks)}".encode())
            os._exit(0)
        os.wait()

    expected = f"{sys.getswitchinterval():.4f} {len(gc.callbacks)}"
    site.run(forks)
    assert os.read(read, 100).decode() == expected
    os.close(read)
    os.close(write)


def test_packages_beside_the_own_code_are_libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `sam build` puts them there; the handler's own package is not one."""
    for name, file, text in (
        ("requests-2.32.0", "top_level.txt", "requests\n"),
        ("urllib3-2.2.0", "RECORD", "urllib3/__init__.py,sha256=x,1\nurllib3-2.2.0.dist-info/RECORD,,\nsix.py,,\n"),
        ("orders-1.0", "top_level.txt", "orders\n"),
    ):
        folder = tmp_path / f"{name}.dist-info"
        folder.mkdir()
        (folder / file).write_text(text, "utf-8")
    assert installed(f"{tmp_path}/") == {"requests", "urllib3", "urllib3-2.2.0.dist-info", "six.py", "orders"}
    monkeypatch.setenv("LAMBDA_TASK_ROOT", str(tmp_path))
    monkeypatch.setenv("_HANDLER", "orders/api.handler")
    own_lines = OwnLines()
    files = ("orders/api.py", "requests/api.py", "six.py", "own.py", "lib/site-packages/x.py")
    assert [own_lines._paths[f"{tmp_path}/{file}"] for file in files] == ["orders/api.py", "", "", "own.py", ""]


def test_the_last_wish_for_an_interval_counts_and_the_usual_one_returns() -> None:
    """In whatever order wishes end."""
    interval_s = sys.getswitchinterval()
    interpreter.ask("first", interpreter.SAMPLING)
    with interpreter.hurried():
        assert sys.getswitchinterval() == pytest.approx(0.000101)
        interpreter.release("first")
        assert sys.getswitchinterval() == pytest.approx(0.000101)
    assert sys.getswitchinterval() == interval_s


def test_an_interval_of_the_function_stays() -> None:
    """It is set while samples are taken."""
    interval_s = sys.getswitchinterval()
    try:
        interpreter.ask("one", interpreter.SAMPLING)
        sys.setswitchinterval(0.007)
        interpreter.release("one")
        assert sys.getswitchinterval() == pytest.approx(0.007)
    finally:
        sys.setswitchinterval(interval_s)
