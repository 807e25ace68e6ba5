"""A week of X-Ray's traces against a stand-in that is as strict as AWS documents it, and fails one call in twenty."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

from tests.fetch.account import sdk_segments
from tests.fetch.conftest import environment
from tests.fetch.standin import KNOWN, XRay, trace_id

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fetch.conftest import Run, Start

WEEK_S = 7 * 24 * 3600
PROBE = """
import resource, sys
from lambda_latency.cli import main
status = main(sys.argv[1:])
print("kilobytes", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
sys.exit(status)
"""


def filled(xray: XRay, count: int, over_s: int = WEEK_S) -> list[str]:
    """Put so many traces, evenly over a time that ends a minute ago."""
    now = int(time.time())
    ids = []
    for number in range(count):
        at = now - 60 - number * (over_s - 120) // count
        ids.append(trace_id(at, number))
        xray.put(at, ids[-1])
    return ids


def fetched(out: Path) -> list[str]:
    """The ids in a file of traces, in its order."""
    return [json.loads(line)["Id"] for line in out.read_text().splitlines()]


def test_a_week_of_20_000_traces_comes_whole_and_each_once_in_flat_memory(start: Start, tmp_path: Path) -> None:
    """One call in twenty fails, one id in a hundred is not processed, some traces end only while they are fetched."""
    peaks = []
    for count in (1_000, 20_000):
        xray = start(sdk_segments, failing=0.05, unprocessed=0.01, batch_page=5)
        ids = filled(xray, count)
        xray.in_progress = dict.fromkeys(ids[:20], 1)
        out = tmp_path / f"{count}.jsonl"
        command = [sys.executable, "-c", PROBE, "fetch", "--since", "7d", "--out", str(out), "--endpoint-url", xray.url]
        env = environment(tmp_path, AWS_ACCESS_KEY_ID=KNOWN, AWS_SECRET_ACCESS_KEY="x", AWS_REGION="us-east-1")
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=300)
        assert (done.returncode, done.stderr) == (0, "")
        assert sorted(fetched(out)) == sorted(ids)
        assert "in_progress" not in out.read_text()
        assert f"{count:,} traces (" in done.stdout
        peaks.append(int(done.stdout.rpartition("kilobytes ")[2]))
    assert peaks[1] - peaks[0] < 15_000, peaks


def test_pages_windows_and_batches_are_followed_to_their_ends(start: Start, run: Run, tmp_path: Path) -> None:
    """Small pages, traces in each second between two windows, batches that come in two pages: the strict way."""
    xray = start(sdk_segments, page=7, batch_page=2)
    ids = filled(xray, 60, 3600)
    now = int(time.time())
    for hours in range(6, 72, 6):
        for second in (-1, 0, 1):
            ids.append(trace_id(now - hours * 3600 + second, 1000 + hours * 3 + second))
            xray.put(now - hours * 3600 + second, ids[-1])
    out = tmp_path / "out.jsonl"
    done = run("fetch", "--since", "3d", "--out", str(out), "--endpoint-url", xray.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(fetched(out)) == sorted(ids)
    documents = [json.loads(one["Document"]) for one in json.loads(out.read_text().splitlines()[0])["Segments"]]
    first = fetched(out)[0]
    assert documents == sdk_segments(first, int(first.split("-")[1], 16))


def test_what_is_throttled_is_asked_more_slowly(start: Start, run: Run, tmp_path: Path) -> None:
    """At the pace that X-Ray takes, and nothing is missing."""
    xray = start(sdk_segments, a_second=10.0)  # a slow machine is faster than that
    ids = filled(xray, 200, 3600)
    out = tmp_path / "out.jsonl"
    done = run("fetch", "--out", str(out), "--endpoint-url", xray.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(fetched(out)) == sorted(ids)
    assert xray.calls["throttled"] > 0


def test_a_trace_that_stays_in_progress_is_kept_and_said(start: Start, run: Run, tmp_path: Path) -> None:
    """As it is, and the report says where an open span ends."""
    xray = start(sdk_segments)
    ids = filled(xray, 30, 6 * 3600)
    xray.in_progress[ids[20]] = 99
    out = tmp_path / "out.jsonl"
    done = run("report", "--xray", "--problems", "--since", "6h", "--out", str(out), "--endpoint-url", xray.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(fetched(out)) == sorted(ids)
    assert "counted: X-Ray us-east-1: 1 trace still in progress: open segments end with their parent\n" in done.stdout


def test_the_newest_are_fetched_where_a_number_is_named(start: Start, run: Run, tmp_path: Path) -> None:
    """No more ids are asked for than that."""
    xray = start(sdk_segments)
    ids = filled(xray, 300, 24 * 3600)
    out = tmp_path / "out.jsonl"
    done = run("fetch", "--since", "24h", "--max", "42", "--out", str(out), "--endpoint-url", xray.url)
    assert done.returncode == 0
    assert sorted(fetched(out)) == sorted(ids[:42])
    assert ": the newest 42 traces from " in done.stdout


def test_a_choice_is_made_by_x_ray_and_said(start: Start, run: Run) -> None:
    """The report says that it rests on a choice, in which slow ones are not compared with all others."""
    slow = {"responsetime > 0.5": lambda name: int(name[-6:], 16) % 20 == 7}
    xray = start(sdk_segments, matches=slow)
    filled(xray, 100, 3600)
    done = run("report", "--xray", "--slower-than", "500", "--endpoint-url", xray.url)
    text = " ".join(done.stdout.split())
    assert done.returncode == 0
    assert "5 requests seen; how many were not sampled is unknown for a selection" in text
    assert re.search(r"Fetched from X-Ray in us-east-1: 5 traces .*, those that match responsetime > 0.5\.", text)


def test_ctrl_c_keeps_what_there_is_and_reports_it(start: Start, tmp_path: Path) -> None:
    """Status 130, after the report on what had come; with --out that is in the file."""
    for command in (["report", "--xray", "--out", "out.jsonl"], ["fetch", "--out", "out.jsonl"]):
        child: list[int] = []

        def interrupt(number: int, child: list[int] = child) -> None:
            if number == 60:
                os.kill(child[0], signal.SIGINT)

        xray = start(sdk_segments, on_call=interrupt, page=1000, batch_page=5)
        ids = filled(xray, 5000)
        env = environment(tmp_path, AWS_ACCESS_KEY_ID=KNOWN, AWS_SECRET_ACCESS_KEY="x", AWS_REGION="us-east-1")
        process = subprocess.Popen(
            [sys.executable, "-m", "lambda_latency", *command, "--since", "7d", "--endpoint-url", xray.url],
            cwd=tmp_path,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        child.append(process.pid)
        out, err = process.communicate(timeout=60)
        kept = fetched(tmp_path / "out.jsonl")
        assert (process.returncode, err) == (130, "")
        assert 0 < len(kept) < 5000
        assert set(kept) <= set(ids)
        assert max(Counter(kept).values()) == 1
        assert (f"{len(kept):,} requests seen" if "report" in command else f"{len(kept):,} traces (") in out
