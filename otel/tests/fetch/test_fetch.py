"""A week of X-Ray's traces against a fake that is as strict as AWS documents it, and fails one call in twenty."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.fetch.account import sdk_segments
from tests.fetch.conftest import Run, Start, begun, environment, known_to
from tests.fetch.search import Search
from tests.fetch.standin import XRay, trace_id

WEEK_S = 7 * 24 * 3600
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
# Not by `getrusage`, which tells a child of a large process that process's own peak.
PROBE = """
import sys
from lambda_latency.cli import main
status = main(sys.argv[1:])
[peak] = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print("kilobytes", peak)
sys.exit(status)
"""


def filled(xray: XRay, count: int, over_s: int = WEEK_S) -> list[str]:
    """Put so many traces, evenly over a time that ends a minute ago."""
    now_s = int(time.time())
    ids = []
    for number in range(count):
        start_s = now_s - 60 - number * (over_s - 120) // count
        ids.append(trace_id(start_s, number))
        xray.put(start_s, ids[-1])
    return ids


def fetched(out: Path) -> list[str]:
    """The ids in a file of traces, in its order."""
    return [json.loads(line)["Id"] for line in out.read_text().splitlines()]


@pytest.mark.parametrize(("store", "largest", "growth_kb"), [("X-Ray", 5_000, 5_000), ("Search", 11_000, 15_000)])
def test_a_week_of_traces_comes_whole_and_each_once_in_flat_memory(
    start: Start, tmp_path: Path, store: str, largest: int, growth_kb: int
) -> None:
    """One call in twenty of X-Ray's fails, one id in a hundred is not processed, some traces end only while they are
    fetched; of Transaction Search there are more than the 10,000 rows of a query, so that the week is cut."""
    peaks = []
    for count in (1_000, largest):
        if store == "X-Ray":
            xray = start(sdk_segments, failing=0.05, unprocessed=0.01, batch_page=5)
            ids = filled(xray, count)
            xray.in_progress = dict.fromkeys(ids[:20], 1)
        else:
            xray = start(sdk_segments, search=Search())
            ids = filled(xray, count)
        out = tmp_path / f"{count}.jsonl"
        command = [sys.executable, "-c", PROBE, "fetch", "--since", "7d", "--out", str(out)]
        env = environment(tmp_path, **known_to(xray))
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=300)
        assert (done.returncode, done.stderr) == (0, "")
        assert sorted(fetched(out)) == sorted(ids)
        assert "in_progress" not in out.read_text()
        assert f"{count:,} traces (" in done.stdout
        peaks.append(int(done.stdout.rpartition("kilobytes ")[2]))
    assert peaks[1] - peaks[0] < growth_kb, peaks


def test_pages_windows_and_batches_are_followed_to_their_ends(start: Start, run: Run, tmp_path: Path) -> None:
    """Small pages, traces in each second between two windows, batches that come in two pages: the strict way."""
    xray = start(sdk_segments, page=7, batch_page=2)
    ids = filled(xray, 60, 3600)
    now_s = int(time.time())
    for hours in range(6, 72, 6):
        for second in (-1, 0, 1):
            ids.append(trace_id(now_s - hours * 3600 + second, 1000 + hours * 3 + second))
            xray.put(now_s - hours * 3600 + second, ids[-1])
    out = tmp_path / "out.jsonl"
    done = run("fetch", "--since", "3d", "--out", str(out), AWS_ENDPOINT_URL=xray.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(fetched(out)) == sorted(ids)
    documents = [json.loads(segment["Document"]) for segment in json.loads(out.read_text().splitlines()[0])["Segments"]]
    name = fetched(out)[0]
    assert documents == sdk_segments(name, int(name.split("-")[1], 16))


def test_the_services_own_variable_goes_before_the_general_one(start: Start, run: Run, tmp_path: Path) -> None:
    """As in each of AWS's tools: AWS_ENDPOINT_URL_XRAY, then AWS_ENDPOINT_URL."""
    xray, general = start(sdk_segments), start(sdk_segments)
    ids, out = filled(xray, 3, 600), tmp_path / "out.jsonl"
    done = run("fetch", "--out", str(out), AWS_ENDPOINT_URL=general.url, AWS_ENDPOINT_URL_XRAY=xray.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(fetched(out)) == sorted(ids)


def test_what_is_throttled_is_asked_more_slowly(start: Start, run: Run, tmp_path: Path) -> None:
    """At the pace that X-Ray takes, and nothing is missing."""
    xray = start(sdk_segments, a_second=10.0)  # a slow machine is faster than that
    ids = filled(xray, 80, 3600)
    out = tmp_path / "out.jsonl"
    done = run("fetch", "--out", str(out), AWS_ENDPOINT_URL=xray.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(fetched(out)) == sorted(ids)
    assert xray.calls["throttled"] > 0


def test_a_trace_that_stays_in_progress_is_kept_and_said(start: Start, run: Run, tmp_path: Path) -> None:
    """As it is, and the report says where an open span ends."""
    xray = start(sdk_segments)
    ids = filled(xray, 30, 6 * 3600)
    xray.in_progress[ids[20]] = 99
    done = run("report", "--xray", "--problems", "--since", "6h", AWS_ENDPOINT_URL=xray.url)
    assert (done.returncode, done.stderr) == (4, "")  # CloudWatch, which counts requests, refuses
    assert "30 requests seen" in done.stdout
    assert "counted: X-Ray us-east-1: 1 trace still in progress: open segments end with their parent\n" in done.stdout


def test_the_newest_are_fetched_where_a_number_is_named(start: Start, run: Run, tmp_path: Path) -> None:
    """No more ids are asked for than that."""
    xray = start(sdk_segments)
    ids = filled(xray, 300, 24 * 3600)
    out = tmp_path / "out.jsonl"
    done = run("fetch", "--since", "24h", "--max", "42", "--out", str(out), AWS_ENDPOINT_URL=xray.url)
    assert done.returncode == 0
    assert sorted(fetched(out)) == sorted(ids[:42])
    assert ": the newest 42 traces from " in done.stdout


def test_a_choice_is_made_by_x_ray_and_said(start: Start, run: Run) -> None:
    """The traces go to standard output, for a report, and the sentence about them to stderr."""
    slow = {"responsetime > 0.5": lambda name: int(name[-6:], 16) % 20 == 7}
    xray = start(sdk_segments, matches=slow)
    filled(xray, 100, 3600)
    done = run("fetch", "--slower-than", "500", "--out", "-", AWS_ENDPOINT_URL=xray.url)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 5)
    assert re.search(
        r"\AFetched from X-Ray in us-east-1: 5 traces .*, those that match responsetime > 0.5\.\n\Z", done.stderr
    )
    reported = run("report", "-", typed=done.stdout)
    assert (reported.returncode, "5 requests seen" in reported.stdout) == (0, True)


def test_ctrl_c_keeps_what_there_is_and_reports_it(start: Start, tmp_path: Path) -> None:
    """Status 130, after the report on what had come; a fetch has it in the file."""
    for command in (["report", "--xray"], ["fetch", "--out", "out.jsonl"]):
        child: list[int] = []

        def interrupt(number: int, child: list[int] = child) -> None:
            if number == 60:
                os.kill(child[0], signal.SIGINT)

        xray = start(sdk_segments, on_call=interrupt, page=1000, batch_page=5)
        ids = filled(xray, 5000)
        process = begun(tmp_path, xray, *command, "--since", "7d")
        child.append(process.pid)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (130, "")
        if "report" in command:
            match = re.search(r"([\d,]+) requests seen", out)
            assert match is not None
            assert 0 < int(match[1].replace(",", "")) < 5000
            continue
        retained = fetched(tmp_path / "out.jsonl")
        assert 0 < len(retained) < 5000
        assert set(retained) <= set(ids)
        assert max(Counter(retained).values()) == 1
        assert f"{len(retained):,} traces (" in out


def test_a_short_time_is_counted(start: Start, run: Run) -> None:
    """Calls and dollars; nothing is fetched."""
    xray = start(sdk_segments)
    filled(xray, 250, 3600)
    done = run("fetch", "--dry-run", "--until", "1s", AWS_ENDPOINT_URL=xray.url)
    assert (done.returncode, TIME.sub("T", done.stdout), done.stderr) == (
        0,
        (
            "Dry run, nothing was fetched: X-Ray in us-east-1, T to T.\n"
            "250 traces.\n"
            "Calls: 3 GetTraceSummaries and 50 BatchGetTraces.\n"
            "X-Ray charges $0.0003: 250 traces scanned and 250 retrieved, at $0.50 a million\n"
            "(public list prices of us-east-1, 2026-07); the first 1,000,000 of a month are free.\n"
            "This dry run took 3 calls and scanned 250 traces.\n"
        ),
        "",
    )
    assert xray.calls["/Traces"] == 0


def test_a_long_time_is_estimated_from_a_minute_of_each_hour(start: Start, run: Run) -> None:
    """Within a tenth of what is there, for a sixtieth of it; a filter scans what it does not choose."""
    xray = start(sdk_segments, page=1000, matches={"fault": lambda name: int(name[-6:], 16) % 10 == 0})
    filled(xray, 60_000, 2 * 24 * 3600)
    done = run("fetch", "--dry-run", "--since", "2d", "--filter", "fault", AWS_ENDPOINT_URL=xray.url)
    out = done.stdout.replace(",", "")
    [matching] = re.findall(r"About (\d+) traces match \(one minute of each hour was counted\)", out)
    [scanned] = re.findall(r"X-Ray charges about \$0\.03: about (\d+) traces scanned", out)
    [(calls, counted)] = re.findall(r"This dry run took (\d+) calls and scanned (\d+) traces", out)
    assert abs(int(matching) - 6_000) < 600
    assert abs(int(scanned) - 60_000) < 6_000
    assert xray.calls["/TraceSummaries"] == int(calls)
    assert int(counted) < 2_000


@pytest.mark.parametrize("command", ["report", "fetch", "doctor", "cost"])
def test_the_policy_needs_no_account(run: Run, command: str) -> None:
    """It is printed without credentials."""
    done = run("policy", command, AWS_ACCESS_KEY_ID="", AWS_DEFAULT_REGION="")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["Version"] == "2012-10-17"


def lambdas_alone(name: str, start_s: int) -> list[dict[str, Any]]:
    """Lambda's own segments: the function's spans did not arrive."""
    times = {"trace_id": name, "start_time": float(start_s), "end_time": start_s + 0.1}
    service = {"id": "1" * 16, "name": "shop", "origin": "AWS::Lambda", **times}
    function = {"id": "2" * 16, "parent_id": "1" * 16, "name": "shop", "origin": "AWS::Lambda::Function", **times}
    return [service, function]


@pytest.mark.parametrize("search", [None, Search()], ids=["X-Ray", "Transaction Search"])
def test_a_trace_is_fetched_and_explained(start: Start, run: Run, search: Search | None) -> None:
    """The finding names the rule of the doctor."""
    xray = start(lambdas_alone, search=search)
    (name,) = filled(xray, 1, 3600)
    done = run("report", "--xray", "--problems", "--trace", name, AWS_ENDPOINT_URL=xray.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert "X-Ray us-east-1:1: error: " in done.stdout or "Transaction Search us-east-1:1: error: " in done.stdout
    assert "trace-without-function" in done.stdout
