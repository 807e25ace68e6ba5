"""Thousands of invocations over everything that may go wrong: is each span exported, or was it in memory at a kill?

Lambda's own runtime client runs them in real processes. The tests run 300 of them. Status 1 if the account does not add
up, a span has no parent, a trace was moved or a secret that was planted came out.

Usual time: under 20 minutes.
"""

from __future__ import annotations

import argparse
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from lab.faults.account import Account, planted
from lab.faults.box import Way
from lab.faults.deadlines import Near, cases, near_deadlines
from lab.faults.lane import MODES, OF_XRAY, Export, Lane, plan
from lab.provider import Provider
from lambda_latency.http import Server
from lambda_latency.local.processes import Processes

LANES: list[tuple[Way, Export, float]] = [
    ("extension", "collector", 0.25),
    ("extension", "collector", 0.25),
    ("main", "collector", 0.2),
    ("before", "collector", 0.15),
    ("extension", "daemon", 0.15),
]
MOST_ENDS = 450  # of processes, about; each one costs a cold start
SECRET = "pLaNtEdSeCrEt0Xq7"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIAPLANTEDPLANTED77",
    "AWS_SECRET_ACCESS_KEY": "pLaNtEd/SeCrEtAcCeSsKeY/0123456789abcdefg",
    "AWS_SESSION_TOKEN": "pLaNtEdSeSsIoNtOkEn0123456789abcdefghijklmnopq",
}


def main() -> int:
    """Run, count, print."""
    parser = argparse.ArgumentParser("python -m lab faults", description=__doc__)
    parser.add_argument("--invocations", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--outage", type=float, default=30, metavar="S", help="how long a collector is away at last")
    parser.add_argument("--export", choices=("collector", "otlp"), default="collector",
                        help="what all lanes but the daemon's send to (collector)")  # fmt: skip
    options = parser.parse_args()
    begin = time.monotonic()
    stop = threading.Event()
    interrupted = False
    with tempfile.TemporaryDirectory(prefix="faults-") as folder, Processes() as processes, socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen: who calls is refused
        provider = Server(Provider)
        variables = {
            "PROVIDER": f"http://{provider.address}",
            "GONE": f"http://127.0.0.1:{nobody.getsockname()[1]}",
            "PLANTED": SECRET,
            **CREDENTIALS,
        }
        lanes = [
            lane(Path(folder), way, options.export if export == "collector" else export, processes, variables)
            for way, export, _ in LANES
        ]
        threads = start(lanes, options, stop)
        try:
            wait(threads)
        except KeyboardInterrupt:
            interrupted = True
            stop.set()
            wait(threads)
        near = Near()
        if not interrupted:
            share = min(1.0, options.invocations / 10_000)
            near = near_deadlines(cases(options.export, share), variables, processes)
        provider.close()
        wrong = told(lanes, options, time.monotonic() - begin, near)
    return 130 if interrupted else int(bool(wrong))


def lane(folder: Path, way: Way, export: Export, processes: Processes, variables: dict[str, str]) -> Lane:
    """One, with a folder for its journals. The daemon's has texts that no datagram holds."""
    own = Path(tempfile.mkdtemp(dir=folder))
    large = {"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "200000"} if export == "daemon" else {}
    return Lane(way, export, own, processes, {**variables, **large})


def start(lanes: list[Lane], options: argparse.Namespace, stop: threading.Event) -> list[threading.Thread]:
    """Each lane on a thread of its own."""
    progress = Progress(options.invocations)
    share = MOST_ENDS / max(options.invocations, 10_000)
    threads = []
    modes = {"collector": MODES, "otlp": OF_XRAY, "daemon": {}}
    for number, (one, (_, _, part)) in enumerate(zip(lanes, LANES, strict=True)):
        count = round(options.invocations * part)
        steps = plan(f"{options.seed}/{number}", count, share, modes[one.export])
        thread = threading.Thread(target=one.run, args=(steps, options.outage, progress.step, stop), daemon=True)
        thread.start()
        threads.append(thread)
    return threads


def wait(threads: list[threading.Thread]) -> None:
    """Until all are done; a signal is handled between two waits."""
    for thread in threads:
        while thread.is_alive():
            thread.join(0.2)


class Progress:
    """A line on a terminal, and nothing elsewhere."""

    def __init__(self, total: int) -> None:
        self._total, self._done, self._lock = total, 0, threading.Lock()

    def step(self) -> None:
        with self._lock:
            self._done += 1
            if sys.stderr.isatty():
                end = "\n" if self._done == self._total else "\r"
                print(f"{self._done:,} of {self._total:,} invocations", end=end, file=sys.stderr, flush=True)


def told(lanes: list[Lane], options: argparse.Namespace, seconds: float, near: Near) -> list[str]:
    """Print the account; what is wrong with it."""
    account = Account()
    counts: Counter[str] = Counter()
    for one in lanes:
        account.add(one)
        counts += one.counts
        account.wrong += [f"{one.name}: {one.failure}"] if one.failure else []
    found, size, lines = planted(lanes, [SECRET, *CREDENTIALS.values()])
    total = sum(number for what, number in counts.items() if what.startswith("header "))
    print(f"{total:,} invocations, seed {options.seed}, {seconds:.0f} s, Python {sys.version.split()[0]}")
    for one in lanes:
        print(f"  {one.name}: {sum(n for what, n in one.counts.items() if what.startswith('header ')):,}")
    for what in sorted(counts):
        print(f"  {what}: {counts[what]:,}")
    print("processes " + ", ".join(f"{how} {number}" for how, number in sorted(account.processes.items())))
    print("client waited, median and largest, ms: " + "; ".join(waited(lanes)))
    print(f"spans started {account.started:,}")
    print(f"  exported {account.exported:,} (and {account.twice:,} times once more, after a flush that was cut off)")
    print(f"  rejected, and told to be {account.rejected:,}")
    print(f"  in memory at SIGKILL or os._exit, or open at an exit {account.in_memory:,}")
    print(f"  lost {account.lost:,}")
    print(f"orphans {account.orphans:,} (and {account.cut_off:,} below what such an end took)")
    print(
        f"secrets {len(found)}, in {size:,} bytes of spans and {lines:,} lines of logs, {account.lines:,} of them ours"
    )
    print(*near.text(), sep="\n")
    account.wrong += near.wrong
    if account.exported + account.rejected + account.in_memory + account.lost != account.started:
        account.wrong.append("the account does not add up")
    for line in (wrong := [*account.wrong, *found]):
        print(f"WRONG {line}")
    return wrong


def waited(lanes: list[Lane]) -> list[str]:
    """The response path by what the collector did, where spans leave after it."""
    times: dict[str, list[float]] = {}
    for one in lanes:
        if one.way != "before" and one.export != "daemon":
            for mode, took in one.response_ms.items():
                times.setdefault(mode, []).extend(took)
    return [f"{mode} {statistics.median(took):.1f} {max(took):.0f}" for mode, took in sorted(times.items())]


if __name__ == "__main__":
    raise SystemExit(main())
