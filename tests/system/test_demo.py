"""`lambda-latency demo` as a person runs it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from otel.trace import Trace, read_traces
from otel.trace.platform import GATEWAY
from tests.sandbox.state import until
from tests.system.conftest import ROOT
from tests.system.processes import Footprint

REQUESTS = 40


def demo(out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    command = [sys.executable, "-m", "otel", "demo", "--requests", str(REQUESTS), "--out", str(out), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


def is_joined(trace: Trace) -> bool:
    """One root, which is the gateway's, and no orphan or other loose span."""
    return [span.origin for span in trace.tops] == [GATEWAY] and trace.problems == ()


@pytest.mark.parametrize("setup", ["kit", "layer"])
def test_every_request_is_one_joined_trace(tmp_path: Path, setup: str) -> None:
    """Whoever starts OpenTelemetry in the functions."""
    ended = demo(tmp_path, "--parameter", f"Instrumentation={setup}")
    assert (ended.returncode, ended.stderr) == (0, "")
    reading = read_traces(tmp_path / "traces.jsonl")
    assert (len(reading.traces), reading.problems) == (REQUESTS, ())
    assert [trace.trace_id for trace in reading.traces if not is_joined(trace)] == []
    assert {trace.route for trace in reading.traces} == {
        "POST /orders",
        "GET /orders",
        "GET /orders/{id}",
        "POST /orders/{id}/cancel",
    }
    assert sum(trace.timed_out for trace in reading.traces) == 1
    charged = [trace for trace in reading.traces if any(span.name == "POST /charges" for span in trace.spans)]
    assert len(charged) > 5
    for trace in charged:
        payment = next(span for span in trace.spans if span.name == "POST /charges")
        call = trace.parent(payment)
        assert call is not None
        assert (call.name, call.attributes["http.method"]) == ("POST", "POST")
        assert trace.parent(call) == trace.handler


def test_it_says_where_the_time_went(tmp_path: Path) -> None:
    """Percentiles, the table with the slow provider first, the slowest request, what to do next."""
    ended = demo(tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    text = ended.stdout.replace("\u202f", " ")
    assert text.startswith("p50 ")
    facts = " ".join(text.splitlines()[:2])
    assert ("timeouts 1" in facts, "seen 100 %" in facts) == (True, True)
    first = text.split("Where the time goes")[1].splitlines()[1]
    assert first.startswith("payments.example.com")
    assert "The slowest: GET /orders/{id}, 6,0" in text
    assert "What to do next" in text
    assert f"Traces: {tmp_path}/traces.jsonl." in " ".join(text.split())


def test_without_tracing_the_same_load_is_served(tmp_path: Path) -> None:
    """And it says that nothing was recorded."""
    ended = demo(tmp_path, "--parameter", "Tracing=Off")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith(f"Tracing is off: {REQUESTS} requests were served (p50 ")
    assert ended.stdout.endswith("as the callers saw them), and no span was recorded.\n")
    assert (tmp_path / "traces.jsonl").read_text() == ""


@pytest.mark.parametrize("stage", ["starting", "sending"])
def test_ctrl_c_ends_it_and_leaves_nothing(tmp_path: Path, stage: str) -> None:
    """Status 130, no traceback, no process, no port."""
    command = [sys.executable, "-m", "otel", "demo", "--out", str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    traces = tmp_path / "traces.jsonl"
    assert until(lambda: traces.exists() and (stage == "starting" or traces.read_text() != ""), 60)
    footprint = Footprint(process.pid)
    process.send_signal(signal.SIGINT)
    begin = time.monotonic()
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "", "")
    assert time.monotonic() - begin < 10
    assert footprint.left() == {"processes": [], "ports": [], "folders": []}
