"""A fetch that is stopped goes on where it was, and both places of an account are read at once."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fetch.account import sdk_segments
from tests.fetch.conftest import Run, Start, begun
from tests.fetch.search import Search
from tests.fetch.test_fetch import fetched, filled

COUNT = {"X-Ray": 1_500, "Transaction Search": 5_000}  # far more than can be on the way when a fetch ends
KILL, CTRL_C = signal.SIGKILL, signal.SIGINT
ENDS = {"X-Ray": [KILL, CTRL_C], "Transaction Search": [KILL, CTRL_C, KILL, KILL, KILL]}


def killing(child: list[int], nth: int, number: signal.Signals) -> Callable[[int], None]:
    """Ends the fetch at the `nth` call from now."""
    calls = 0

    def on_call(_: int) -> None:
        nonlocal calls
        calls += 1
        if calls == nth and child:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child[0], number)
        elif calls > nth:
            time.sleep(0.1)  # Python looks for a signal five times a second, and nothing is to be over before

    return on_call


@pytest.mark.parametrize(
    ("is_stopped", "options", "why"),
    [
        (False, [], "no stopped fetch into out.jsonl: .out.jsonl.fetch is missing or unreadable"),
        (False, ["--since", "1h"], "--resume continues with the selection of the interrupted fetch, got --since"),
        (True, ["--region", "us-east-1"], "the fetch into out.jsonl used region eu-west-1, not us-east-1"),
    ],
    ids=["nothing", "a selection", "another region"],
)
def test_what_cannot_be_resumed_is_refused(
    start: Start, run: Run, tmp_path: Path, is_stopped: bool, options: list[str], why: str
) -> None:
    """Without a stopped fetch; a selection of one's own; another region, whose traces are others."""
    if is_stopped:
        selection = {"since_ns": 0, "until_ns": 1, "choice": [None, None, False, None], "most": None, "trace_id": None}
        head = {"asked": {**selection, "most_billed": None}, "region": "eu-west-1", "source": "", "traces": "gone"}
        (tmp_path / ".out.jsonl.fetch").write_text(json.dumps(head) + "\n")
    done = run("fetch", "--resume", "--out", "out.jsonl", *options, AWS_ENDPOINT_URL=start(sdk_segments).url)
    assert (done.returncode, done.stdout, why in done.stderr) == (2, "", True)


def test_both_places_are_merged_by_the_id_of_a_trace(start: Start, run: Run, tmp_path: Path) -> None:
    """Each trace once, whichever place lists it; each segment of a trace once."""
    xray = start(sdk_segments, search=Search())
    ids = filled(xray, 30, 3600)
    xray.only_search, xray.only_xray = set(ids[:10]), set(ids[20:])
    for source, expected in (("x-ray", ids[10:]), ("transaction-search", ids[:20]), ("both", ids)):
        done = run("fetch", "--since", "1h", "--out", "out.jsonl", "--source", source, AWS_ENDPOINT_URL=xray.url)
        assert (done.returncode, done.stderr) == (0, "")
        assert sorted(fetched(tmp_path / "out.jsonl")) == sorted(expected)
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    for trace in lines:
        names = [segment["Id"] for segment in trace["Segments"]]
        assert len(names) == len(set(names))
    assert "Fetched from Transaction Search and X-Ray in us-east-1: 30 traces" in done.stdout


def test_a_fetch_into_an_archive_goes_on_where_it_was(start: Start, run: Run, tmp_path: Path) -> None:
    """What came before the kill is not lost, and each request is there once."""
    xray = start(sdk_segments)
    ids = filled(xray, 600)
    command = ("fetch", "--archive", "kept")
    child: list[int] = []
    xray.on_call = killing(child, 40, KILL)
    process = begun(tmp_path, xray, *command, "--since", "7d")
    child.append(process.pid)
    process.communicate(timeout=60)
    assert process.returncode == -9
    xray.on_call = lambda _: None
    done = run(*command, "--resume", AWS_ENDPOINT_URL=xray.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert "kept: 600 traces with" in done.stdout
    counted = run(
        "archive", "query", "select count(*), count(distinct trace_id) from accounts", "--archive", "kept", "--csv"
    )
    assert counted.stdout.splitlines()[1] == f"{len(ids)},{len(ids)}"
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == [
        "accounts",
        "archive.version",
        "samples",
        "spans",
    ]
    done = run("fetch", "--archive", "kept", "--out", "out.jsonl")
    assert (done.returncode, "--out and --archive cannot be combined" in done.stderr) == (2, True)


def test_a_fetch_that_brought_nothing_leaves_nothing(start: Start, run: Run, tmp_path: Path) -> None:
    """No file, and no notes to go on with."""
    xray = start(sdk_segments)
    done = run("fetch", "--out", "out.jsonl", AWS_ENDPOINT_URL=xray.url)
    assert (done.returncode, "has no trace" in done.stderr) == (1, True)
    assert list(tmp_path.glob(".out*")) == []
