"""`lambda-latency demo` as a person runs it."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lambda_latency.latency import own_code_in
from lambda_latency.local.log import only_one
from lambda_latency.trace import GATEWAY, Trace, read_traces
from tests.sandbox.state import until
from tests.system.conftest import ROOT
from tests.system.processes import Footprint, own_temporary
from tests.template.deployed import write_variant

REQUESTS = 40
PAGE = re.compile(r"\APage until the demo ends: http://127\.0\.0\.1:\d+/\S+/\n")


def demo(out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end. The line on stderr with the address of the live page is left out."""
    command = [
        sys.executable,
        "-m",
        "lambda_latency",
        "demo",
        "--requests",
        str(REQUESTS),
        "--out",
        str(out),
        *arguments,
    ]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    ended.stderr = PAGE.sub("", ended.stderr, count=1)
    return ended


def is_joined(trace: Trace) -> bool:
    """One root, which is the gateway's, and no orphan or other loose span."""
    return [span.origin for span in trace.local_roots] == [GATEWAY] and trace.problems == ()


def assert_joined(traces: Path, requests: int) -> None:
    """Each request is one joined trace: one of them timed out, and the calls of payments are below their functions."""
    reading = read_traces(traces)
    assert (len(reading.traces), reading.problems) == (requests, ())
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


@pytest.mark.parametrize(("setup", "export"), [("kit", "daemon"), ("kit", "otlp"), ("layer", "collector")])
def test_every_request_is_one_joined_trace(tmp_path: Path, setup: str, export: str) -> None:
    """Whoever starts OpenTelemetry in the functions, and whoever takes their spans; kit and collector are below."""
    template = write_variant(tmp_path / "app", export, setup)
    ended = demo(tmp_path, "--template", str(template))
    said = " ".join(ended.stdout.split())
    assert ("spans went by UDP" in said) is (export == "daemon")
    assert ("spans went to an emulator of X-Ray's OTLP endpoint" in said) is (export == "otlp")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert_joined(tmp_path / "traces.jsonl", REQUESTS)


def test_it_says_where_the_time_went(tmp_path: Path) -> None:
    """The verdict names the slow provider and whose it is; the timeout is told apart; it says where the traces are. Of
    the requests that are slow by own code, the samples name both lines.
    """
    ended = demo(tmp_path, "--requests", "150")
    assert (ended.returncode, ended.stderr) == (0, "")
    text = " ".join(ended.stdout.replace("\u202f", " ").split())
    assert re.match(r"\d+ of \d+ requests of POST /orders \(\d+ %\) wait for payments.example.com: ", text)
    sentence, rest = text.split("The cause is external.", 1)
    assert " wait for payments.example.com: " in sentence
    assert rest.startswith(" Medium confidence: it is the largest excess in ")
    timed_out = (
        r"\d of 150 requests timed out at 6,000 ms\. DynamoDB GetItem OrdersTable was still running, for \d,\d+ ms"
    )
    assert re.search(rf"{timed_out}(?: \(median\))?, at functions/table\.py:", text), text
    for said in (
        " for retries of DynamoDB OrdersTable (",
        "Running at the deadline: ",
        "Next: Set a timeout for the call to payments.example.com",
        f"Traces: {tmp_path}/traces.jsonl.",
        f"Page: {tmp_path}/report.html.",
    ):
        assert said in text
    assert_joined(tmp_path / "traces.jsonl", 150)
    codes = [code for trace in read_traces(tmp_path / "traces.jsonl").traces if (code := own_code_in(trace))]
    first = {(code.places[0].place.file, code.places[0].source, code.places[0].waits_for) for code in codes}
    assert first >= {
        ("functions/request.py", "return seen if isinstance(seen, str) and _ORDER_ID.fullmatch(seen) else None", ""),
        ("functions/table.py", "with _ONE_AT_A_TIME:", "lock"),
    }
    page = (tmp_path / "report.html").read_text()
    assert f'<noscript><p class="sentence">{sentence.split(" wait for")[0]} wait for' in page


def test_without_tracing_the_same_load_is_served(tmp_path: Path) -> None:
    """And it says that nothing was recorded."""
    ended = demo(tmp_path, "--parameter", "Tracing=Off")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith(f"Tracing is off: {REQUESTS} requests were served (p50 ")
    assert ended.stdout.endswith("as the callers saw them), and no span was recorded.\n")
    assert (tmp_path / "traces.jsonl").read_text() == ""


@pytest.mark.parametrize("stage", ["starting", "warming up"])
def test_ctrl_c_ends_it_and_leaves_nothing(tmp_path: Path, stage: str) -> None:
    """Status 130, no traceback, no process, no port."""
    command = [sys.executable, "-m", "lambda_latency", "demo", "--out", str(tmp_path)]
    env = own_temporary(tmp_path / "temporary")
    process = subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    kept = tmp_path / "traces.jsonl"
    kept.write_text("of the demo before")
    if stage == "starting":
        assert until((tmp_path / "system.log").exists, 60)
    else:
        assert process.stderr is not None
        assert PAGE.match(process.stderr.readline())
    footprint = Footprint(process.pid)
    process.send_signal(signal.SIGINT)
    begin = time.monotonic()
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, PAGE.sub("", err)) == (130, "", "")
    assert time.monotonic() - begin < 10
    assert kept.read_text() == "of the demo before"
    assert footprint.left() == {"processes": [], "ports": [], "folders": []}


def test_two_demos_at_once_do_not_mix(tmp_path: Path) -> None:
    """The second one says which process has the folder, and changes nothing there."""
    with only_one(tmp_path, "demo"):
        ended = demo(tmp_path)
        assert (ended.returncode, ended.stdout) == (1, "")
        assert ended.stderr == (
            f"lambda-latency: {tmp_path} is in use by lambda-latency demo, process {os.getpid()}: "
            "stop it, or choose another folder with --out\n"
        )
        assert [path.name for path in tmp_path.iterdir()] == [".demo.lock"]


def test_a_full_disk_costs_the_files_and_not_the_verdict(tmp_path: Path) -> None:
    """What cannot be written is said last, with what to do."""
    for name in ("traces.jsonl", "report.html", "system.log", "emulator.log"):
        (tmp_path / name).symlink_to("/dev/full")
    ended = demo(tmp_path, "--requests", "150")
    assert "150 of 150" in " ".join(ended.stdout.split())
    assert re.findall("(?:Page|Traces): .*", ended.stdout) == []
    assert (ended.returncode, ended.stderr) == (
        1,
        "".join(
            f"lambda-latency: {tmp_path / name} cannot be written: No space left on device\n"
            "  free space, or name a file on another disk\n"
            for name in ("report.html", "traces.jsonl")
        ),
    )
