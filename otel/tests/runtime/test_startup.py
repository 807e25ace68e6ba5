"""The first invocation carries the init before it: as long as Lambda measures it, with its slowest imports."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lab.faults.box import Box
from lab.faults.collector import Collector
from lab.timeouts import EVENT, Site, read
from lambda_latency.runtime.startup import ImportTimes
from lambda_latency.trace import Trace
from tests.runtime.conftest import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_latency.trace import Span

ROOT = Path(__file__).parents[3]
FINE = json.dumps({**EVENT, "do": "nothing"}).encode()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """What the function calls."""
    site = Site()
    yield site
    site.close()


def started(site: Site, **more: str) -> tuple[list[Span], Box]:
    """The spans of the first two invocations of an environment, and the environment."""
    collector = Collector()
    box = site.box(collector, timeout_s=20, **more)
    try:
        for _ in range(2):
            box.invoke(FINE)
            box.settle()
    finally:
        box.close()
        collector.close()
    return read(collector), box


def test_init_is_what_the_sandbox_has_measured(site: Site) -> None:
    """Within 5 ms at both ends; on a busy machine it is enough that one of a few starts was not interrupted."""
    off = []
    for _ in range(8):
        spans, box = started(site)
        [init] = [span for span in spans if span.name == "init"]
        handlers = [span for span in spans if span.name == "GET /items"]
        assert (init.parent_id, init.scope.name) == (handlers[0].span_id, "lambda_latency.runtime")
        assert init.end_ns is not None
        environment = box.environment
        off.append((abs(init.start_ns - environment.started_ns), abs(init.end_ns - environment.ready_ns)))
        if max(off[-1]) < 5_000_000:
            return
    pytest.fail(f"init is off by {[(start / 1e6, end / 1e6) for start, end in off]} ms")


@pytest.mark.parametrize(
    ("type_", "told"), [("on-demand", "cold"), ("provisioned-concurrency", "provisioned"), ("snap-start", "restored")]
)
def test_it_says_how_the_environment_came_to_be(monkeypatch: pytest.MonkeyPatch, type_: str, told: str) -> None:
    """Cold, provisioned or restored."""
    from lambda_latency.runtime.startup import Startup

    startup = Startup({"AWS_LAMBDA_INITIALIZATION_TYPE": type_})
    startup.loaded()
    assert startup.attributes["lambda.init.type"] == told


def test_its_slowest_imports_are_those_that_python_names(tmp_path: Path) -> None:
    """`python -X importtime` over the same imports, the same ones first."""
    for name, work in (("slow", 400_000), ("slower", 800_000), ("outer", 0)):
        (tmp_path / f"{name}.py").write_text(
            f"import {'slow, slower' if name == 'outer' else 'sys'}\ntotal = 0\nfor n in range({work}): total += n\n"
        )
    (tmp_path / "handlers.py").write_text(
        "import outer, json.tool\nfor n in range(10**6): n += 1\n\ndef go(event, context):\n    return 1\n"
    )
    code = (
        "import lambda_latency.runtime.bootstrap as b\n"
        "from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter\n"
        "from lambda_latency.runtime.redact.redacted_copies import RedactedSpans\n"
        "memory = InMemorySpanExporter()\nb.sink = lambda settings: RedactedSpans(memory, settings)\n"
        "handler = b.handler\nhandler(None, None)\n"
        "[init] = [span for span in memory.get_finished_spans() if span.name == 'init']\n"
        "print(*init.attributes['lambda.init.imports'], sep='\\n')"
    )
    variables = {
        **VARIABLES,
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT / 'otel'}{os.pathsep}{ROOT}",
        "LAMBDA_LATENCY_HANDLER": "handlers.go",
    }
    command = [sys.executable, "-X", "importtime", "-c", code]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    ours = [line.split()[0] for line in done.stdout.splitlines() if line.endswith(" ms")]
    python = {
        name: int(us) / 1000
        for us, name in re.findall(r"^import time: +(\d+) \| +\d+ \| +(\S+)$", done.stderr, re.MULTILINE)
    }
    assert len(ours) == 10
    assert set(ours[:3]) == {"slow", "slower", "handlers"}
    told = {line.split()[0]: float(line.split()[1]) for line in done.stdout.splitlines() if line.endswith(" ms")}
    assert "handlers" not in python  # what is imported by name, and not by a statement, Python's own list leaves out
    for name, ms in told.items() - {("handlers", told["handlers"])}:
        assert python[name] == pytest.approx(ms, abs=2, rel=0.2)


def test_an_import_that_fails_has_the_stack_that_it_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No frame of ours, whatever is raised."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "fails_at_import.py").write_text("raise ValueError('no')\n")

    def stack() -> list[str]:
        try:
            import fails_at_import  # type: ignore[import-not-found] # noqa: F401
        except ValueError as error:
            found, at = [], error.__traceback__
            while at is not None:
                found.append(Path(at.tb_frame.f_code.co_filename).name)
                at = at.tb_next
            return found
        return []

    before = stack()
    times = ImportTimes()
    times.start()
    try:
        during = stack()
    finally:
        times.stop()
    assert during == before == ["test_startup.py", "fails_at_import.py"]
    importlib: Any = sys.modules["_frozen_importlib"]
    assert importlib._find_and_load.__qualname__ == "_find_and_load"


def test_a_trace_with_the_init_counts_it_once(site: Site) -> None:
    """It begins before the handler's span and is a cold start; the second request has none."""
    spans, _ = started(site)
    assert [span.name for span in spans].count("init") == 1
    assert Trace(spans).cold_start
