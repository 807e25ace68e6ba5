"""A week of traces into an archive, from an account of each kind: killed five times and resumed, and in one go.

Both archives must have the same accounts, each trace once and none missing, although one call in twenty fails. Prints
the calls, and the peak of memory with 1,000 traces and with all of them; status 1 if anything is wrong.

Usual time: 5 minutes.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from lambda_latency.archive import read_kept
from lambda_latency.latency import Account
from tests.fetch.account import sdk_segments
from tests.fetch.conftest import environment
from tests.fetch.search import Search
from tests.fetch.standin import KNOWN, XRay
from tests.fetch.test_fetch import PROBE, filled

KINDS = ("X-Ray", "Transaction Search")
KILLS = 5
CALLS = (40, 12)  # until a kill: of X-Ray, and of Transaction Search
MORE_KB = 64 * 1024  # than with 1,000 traces: up to 48 MB of rows stay in memory, as for a report


def main() -> int:
    """Run both kinds."""
    parser = argparse.ArgumentParser("python -m lab week", description=__doc__)
    parser.add_argument("--traces", type=int, default=20_000, metavar="N")
    count = parser.parse_args().traces
    wrong = [f"{kind}: {what}" for kind in KINDS for what in of_kind(kind, count)]
    print("".join(f"NOT {line}\n" for line in wrong), end="")
    return int(bool(wrong))


def of_kind(kind: str, count: int) -> list[str]:
    """What is wrong in an account of a kind; prints a line of figures."""
    checks: dict[str, bool] = {}
    peaks = []
    for some, kills in ((min(count, 1_000), 0), (count, KILLS)):
        with tempfile.TemporaryDirectory(prefix="lambda-latency-week-") as name:
            xray = XRay(sdk_segments, failing=0.05, search=Search() if kind == "Transaction Search" else None)
            try:
                ids = filled(xray, some)
                peak, whole = archived(Path(name), "whole", xray, 0)
                _, resumed = archived(Path(name), "killed", xray, kills) if kills else (0, whole)
            finally:
                xray.close()
            peaks.append(peak)
        wanted = sorted(one.replace("-", "")[1:] for one in ids)
        checks[f"{some:,} traces: one is missing, or there twice"] = [one.trace_id for one in whole] == wanted
        checks["killed and resumed it is another archive"] = resumed == whole
    few, many = (f"{peak / 1024:.0f} MB" for peak in peaks)
    checks[f"{many} with all traces, {few} with 1,000"] = peaks[1] - peaks[0] <= MORE_KB
    print(f"{kind}: {count:,} traces, {KILLS} kills; peak {few} with 1,000 traces, {many} with all", flush=True)
    return [what for what, fine in checks.items() if not fine]


def archived(folder: Path, name: str, xray: XRay, kills: int) -> tuple[int, list[Account]]:
    """An archive that was fetched: the peak of memory in kilobytes, and its accounts by trace id."""
    command = [sys.executable, "-c", PROBE, "fetch", "--archive", name, "--endpoint-url", xray.url]
    env = environment(folder, AWS_ACCESS_KEY_ID=KNOWN, AWS_SECRET_ACCESS_KEY="x", AWS_REGION="us-east-1")
    how = ["--since", "8d"]  # the week began before the first of several runs
    for _ in range(kills):
        process = subprocess.Popen([*command, *how], cwd=folder, env=env, stdout=subprocess.DEVNULL)
        kill_at(xray, process, CALLS[xray.search is not None])
        assert process.wait(600) == -signal.SIGKILL
        how = ["--resume"]
    xray.on_call = lambda _: None
    done = subprocess.run([*command, *how], cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    accounts = sorted(read_kept(str(folder / name)).accounts, key=lambda one: one.trace_id)
    return int(done.stdout.rpartition("kilobytes ")[2]), accounts


def kill_at(xray: XRay, process: subprocess.Popen[bytes], at: int) -> None:
    """Kill the process at the `at`th call from now; calls behind it wait until it is gone."""
    lock, seen = threading.Lock(), [0]

    def on_call(_: int) -> None:
        with lock:
            seen[0] += 1
            if seen[0] < at:
                return
            if seen[0] == at:
                os.kill(process.pid, signal.SIGKILL)
        process.wait(60)

    xray.on_call = on_call


if __name__ == "__main__":
    raise SystemExit(main())
