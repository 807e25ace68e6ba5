"""A fetch that is stopped goes on where it was, and both places of an account are read at once."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.fetch.account import sdk_segments
from tests.fetch.conftest import environment
from tests.fetch.search import Search
from tests.fetch.standin import KNOWN, trace_id
from tests.fetch.test_fetch import fetched, filled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.fetch.conftest import Run, Start

COUNT = {"X-Ray": 1_500, "Transaction Search": 5_000}  # far more than can be on the way when a fetch ends
KILL, CTRL_C = signal.SIGKILL, signal.SIGINT
ENDS = {"X-Ray": [KILL, CTRL_C], "Transaction Search": [KILL, CTRL_C, KILL, KILL, KILL]}


def killing(child: list[int], at: int, number: signal.Signals) -> Callable[[int], None]:
    """Ends the fetch at the `at`th call from now."""
    seen = 0

    def on_call(_: int) -> None:
        nonlocal seen
        seen += 1
        if seen == at and child:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child[0], number)
        elif seen > at:
            time.sleep(0.1)  # Python looks for a signal five times a second, and nothing is to be over before

    return on_call


def leftovers(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir() if one.name.startswith(".out"))


@pytest.mark.parametrize("store", ENDS)
def test_a_fetch_that_is_killed_again_and_again_has_every_trace_once(start: Start, tmp_path: Path, store: str) -> None:
    """By SIGKILL and by Ctrl-C; what had come is not asked for again."""
    xray = start(sdk_segments, search=None if store == "X-Ray" else Search())
    count = COUNT[store]
    ids = filled(xray, count)
    env = environment(tmp_path, AWS_ACCESS_KEY_ID=KNOWN, AWS_SECRET_ACCESS_KEY="x", AWS_REGION="us-east-1")
    command = [sys.executable, "-m", "lambda_latency", "fetch", "--out", "out.jsonl", "--endpoint-url", xray.url]
    had = 0
    for round_, number in enumerate(ENDS[store]):
        child: list[int] = []
        xray.on_call = killing(child, 40 if store == "X-Ray" else 12, number)
        how = ["--since", "7d"] if round_ == 0 else ["--resume"]
        process = subprocess.Popen(
            [*command, *how], cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        child.append(process.pid)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (-9 if number == KILL else 130, ""), out
        lines = [path for path in (*tmp_path.glob(".out.jsonl.*.new"), tmp_path / "out.jsonl") if path.exists()]
        now = max((path.read_bytes().count(b"\n") for path in lines), default=0)
        assert now >= had
        had = now
        if number == CTRL_C:
            assert "Resume: lambda-latency fetch --resume --out out.jsonl" in out
    xray.on_call = lambda _: None
    before = xray.calls["/Traces"]
    done = subprocess.run(
        [*command, "--resume"], cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(fetched(tmp_path / "out.jsonl")) == sorted(ids)
    assert f"{count:,} traces (" in done.stdout
    assert leftovers(tmp_path) == []
    assert 0 < had < count
    if store == "X-Ray":
        assert xray.calls["/Traces"] - before <= 2 * -(-(count - had) // 5)


def test_without_a_stopped_fetch_there_is_nothing_to_resume(run: Run) -> None:
    """And a selection of one's own is refused."""
    done = run("fetch", "--resume", "--out", "out.jsonl")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no stopped fetch into out.jsonl: .out.jsonl.fetch is missing or unreadable" in done.stderr
    done = run("fetch", "--resume", "--out", "out.jsonl", "--since", "1h")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--resume continues with the selection of the interrupted fetch, got --since" in done.stderr


def test_another_region_is_refused(start: Start, run: Run, tmp_path: Path) -> None:
    """Its traces are others."""
    asked = {"since_ns": 0, "until_ns": 1, "choice": [None, None, False, None], "most": None, "trace_id": None}
    head = {"asked": {**asked, "most_billed": None}, "region": "eu-west-1", "source": "", "traces": "gone"}
    (tmp_path / ".out.jsonl.fetch").write_text(json.dumps(head) + "\n")
    xray = start(sdk_segments)
    done = run("fetch", "--resume", "--out", "out.jsonl", "--region", "us-east-1", "--endpoint-url", xray.url)
    assert done.returncode == 2
    assert "the fetch into out.jsonl used region eu-west-1, not us-east-1" in done.stderr


def test_both_places_are_merged_by_the_id_of_a_trace(start: Start, run: Run, tmp_path: Path) -> None:
    """Each trace once, whichever place lists it; each segment of a trace once."""
    xray = start(sdk_segments, search=Search())
    now = int(time.time())
    ids = [trace_id(now - 600 - number, number) for number in range(30)]
    for one in ids:
        xray.put(int(one.split("-")[1], 16), one)
    xray.only_search, xray.only_xray = set(ids[:10]), set(ids[20:])
    for source, wanted in (("x-ray", ids[10:]), ("transaction-search", ids[:20]), ("both", ids)):
        done = run("fetch", "--since", "1h", "--out", "out.jsonl", "--endpoint-url", xray.url, "--source", source)
        assert (done.returncode, done.stderr) == (0, "")
        assert sorted(fetched(tmp_path / "out.jsonl")) == sorted(wanted)
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    for trace in lines:
        names = [one["Id"] for one in trace["Segments"]]
        assert len(names) == len(set(names))
    assert "Fetched from Transaction Search and X-Ray in us-east-1: 30 traces" in done.stdout


def test_a_fetch_into_an_archive_goes_on_where_it_was(start: Start, run: Run, tmp_path: Path) -> None:
    """What came before the kill is not lost, and each request is there once."""
    xray = start(sdk_segments)
    ids = filled(xray, 600)
    env = environment(tmp_path, AWS_ACCESS_KEY_ID=KNOWN, AWS_SECRET_ACCESS_KEY="x", AWS_REGION="us-east-1")
    command = ["fetch", "--archive", "kept", "--endpoint-url", xray.url]
    child: list[int] = []
    xray.on_call = killing(child, 40, KILL)
    process = subprocess.Popen(
        [sys.executable, "-m", "lambda_latency", *command, "--since", "7d"], cwd=tmp_path, env=env
    )
    child.append(process.pid)
    assert process.wait(60) == -9
    xray.on_call = lambda _: None
    done = run(*command, "--resume")
    assert (done.returncode, done.stderr) == (0, "")
    assert "kept: 600 traces with" in done.stdout
    found = run(
        "archive", "query", "select count(*), count(distinct trace_id) from accounts", "--archive", "kept", "--csv"
    )
    assert found.stdout.splitlines()[1] == f"{len(ids)},{len(ids)}"
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["accounts", "archive.version", "spans"]
    done = run("fetch", "--archive", "kept", "--out", "out.jsonl")
    assert (done.returncode, "--out and --archive cannot be combined" in done.stderr) == (2, True)


def test_a_fetch_that_brought_nothing_leaves_nothing(start: Start, run: Run, tmp_path: Path) -> None:
    """No file, and no notes to go on with."""
    xray = start(sdk_segments)
    done = run("fetch", "--out", "out.jsonl", "--endpoint-url", xray.url)
    assert (done.returncode, "has no trace" in done.stderr) == (1, True)
    assert leftovers(tmp_path) == []
