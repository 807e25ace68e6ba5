"""A week of traces into an archive, from an account of each kind: killed five times and resumed, and in one go.

Both archives must have the same accounts, each trace once and none missing, although one call in twenty fails. Prints
the calls, and the peak of memory with 1,000 traces and with all of them; status 1 if anything is wrong.

Usual time: 5 minutes.
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from argparse import ArgumentParser
from pathlib import Path

from lambda_latency.archive import read_requests
from lambda_latency.latency import Breakdown
from tests.fetch.account import sdk_segments
from tests.fetch.conftest import environment, known_to
from tests.fetch.search import Search
from tests.fetch.standin import XRay
from tests.fetch.test_fetch import PROBE, filled

KINDS = ("X-Ray", "Transaction Search")
KILLS = 5
CALLS = (40, 12)  # until a kill: of X-Ray, and of Transaction Search
MORE_KB = 64 * 1024  # than with 1,000 traces: up to 48 MB of rows stay in memory, as for a report


def main(parser: ArgumentParser) -> int:
    """Run both kinds."""
    parser.add_argument("--traces", type=int, default=20_000, metavar="N")
    count = parser.parse_args().traces
    wrong = [f"{kind}: {problem}" for kind in KINDS for problem in of_kind(kind, count)]
    print("".join(f"NOT {line}\n" for line in wrong), end="")
    return int(bool(wrong))


def of_kind(kind: str, count: int) -> list[str]:
    """What is wrong in an account of a kind; prints a line of figures."""
    checks: dict[str, bool] = {}
    peaks = []
    for size, kills in ((min(count, 1_000), 0), (count, KILLS)):
        with tempfile.TemporaryDirectory(prefix="lambda-latency-week-") as name:
            xray = XRay(sdk_segments, failing=0.05, search=Search() if kind == "Transaction Search" else None)
            try:
                ids = filled(xray, size)
                peak, whole = archived(Path(name), "whole", xray, 0)
                _, resumed = archived(Path(name), "killed", xray, kills) if kills else (0, whole)
            finally:
                xray.close()
            peaks.append(peak)
        expected = sorted(trace_id.replace("-", "")[1:] for trace_id in ids)
        checks[f"{size:,} traces: one is missing, or there twice"] = [a.trace_id for a in whole] == expected
        checks["killed and resumed it is another archive"] = resumed == whole
    fewer_mb, all_mb = (f"{peak / 1024:.0f} MB" for peak in peaks)
    checks[f"{all_mb} with all traces, {fewer_mb} with 1,000"] = peaks[1] - peaks[0] <= MORE_KB
    print(f"{kind}: {count:,} traces, {KILLS} kills; peak {fewer_mb} with 1,000 traces, {all_mb} with all", flush=True)
    return [title for title, fine in checks.items() if not fine]


def archived(folder: Path, name: str, xray: XRay, kills: int) -> tuple[int, list[Breakdown]]:
    """An archive that was fetched: the peak of memory in kilobytes, and its accounts by trace id."""
    command = [sys.executable, "-c", PROBE, "fetch", "--archive", name]
    env = environment(folder, **known_to(xray))
    how = ["--since", "8d"]  # the week began before the first of several runs
    for _ in range(kills):
        process = subprocess.Popen([*command, *how], cwd=folder, env=env, stdout=subprocess.DEVNULL)
        kill_at(xray, process, CALLS[xray.search is not None])
        assert process.wait(600) == -signal.SIGKILL
        how = ["--resume"]
    xray.on_call = lambda _: None
    done = subprocess.run([*command, *how], cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    accounts = sorted(read_requests(str(folder / name)).breakdowns, key=lambda breakdown: breakdown.trace_id)
    return int(done.stdout.rpartition("kilobytes ")[2]), accounts


def kill_at(xray: XRay, process: subprocess.Popen[bytes], call_number: int) -> None:
    """Kill the process at a call from now, by its number; calls behind it wait until it is gone."""
    lock, calls = threading.Lock(), [0]

    def on_call(_: int) -> None:
        with lock:
            calls[0] += 1
            if calls[0] < call_number:
                return
            if calls[0] == call_number:
                os.kill(process.pid, signal.SIGKILL)
        process.wait(60)

    xray.on_call = on_call
