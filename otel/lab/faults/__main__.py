"""Thousands of invocations over everything that may go wrong: is each span exported, or was it in memory at a kill?

Lambda's own runtime client runs them in real processes. The tests run 300 of them. Status 1 if the account does not add
up, a span has no parent, a trace was moved or a secret that was planted came out.

Usual time: under 20 minutes.
"""

import argparse
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from lab.faults.box import Way
from lab.faults.deadlines import Near, cases, near_deadlines
from lab.faults.ledger import SpanLedger, leaks_in
from lab.faults.scenario import MODES, OF_XRAY, Export, Scenario, plan
from lab.progress import Progress
from lab.provider import Provider
from lambda_latency.http import Server
from lambda_latency.local.processes import Processes

SCENARIOS: list[tuple[Way, Export, float]] = [
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


def main(parser: argparse.ArgumentParser) -> int:
    """Run, count, print."""
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
        scenarios = [
            new_scenario(Path(folder), way, options.export if export == "collector" else export, processes, variables)
            for way, export, _ in SCENARIOS
        ]
        threads = start(scenarios, options, stop)
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
        wrong = print_report(scenarios, options, time.monotonic() - begin, near)
    return 130 if interrupted else int(bool(wrong))


def new_scenario(folder: Path, way: Way, export: Export, processes: Processes, variables: dict[str, str]) -> Scenario:
    """One, with a folder for its journals. The daemon's has texts that no datagram holds."""
    journals = Path(tempfile.mkdtemp(dir=folder))
    large = {"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "200000"} if export == "daemon" else {}
    return Scenario(way, export, journals, processes, {**variables, **large})


def start(scenarios: list[Scenario], options: argparse.Namespace, stop: threading.Event) -> list[threading.Thread]:
    """Each scenario on a thread of its own."""
    progress = Progress("invocations", options.invocations)
    share = MOST_ENDS / max(options.invocations, 10_000)
    threads = []
    modes = {"collector": MODES, "otlp": OF_XRAY, "daemon": {}}
    for number, (scenario, (_, _, part)) in enumerate(zip(scenarios, SCENARIOS, strict=True)):
        count = round(options.invocations * part)
        steps = plan(f"{options.seed}/{number}", count, share, modes[scenario.export])
        thread = threading.Thread(target=scenario.run, args=(steps, options.outage, progress.step, stop), daemon=True)
        thread.start()
        threads.append(thread)
    return threads


def wait(threads: list[threading.Thread]) -> None:
    """Until all are done; a signal is handled between two waits."""
    for thread in threads:
        while thread.is_alive():
            thread.join(0.2)


def print_report(scenarios: list[Scenario], options: argparse.Namespace, seconds: float, near: Near) -> list[str]:
    """Print the account; what is wrong with it."""
    ledger = SpanLedger()
    counts: Counter[str] = Counter()
    for scenario in scenarios:
        ledger.add(scenario)
        counts += scenario.counts
        ledger.wrong += [f"{scenario.name}: {scenario.failure}"] if scenario.failure else []
    leaks, size, lines = leaks_in(scenarios, [SECRET, *CREDENTIALS.values()])
    print(f"{invocations(counts):,} invocations, seed {options.seed}, {seconds:.0f} s, Python {sys.version.split()[0]}")
    for scenario in scenarios:
        print(f"  {scenario.name}: {invocations(scenario.counts):,}")
    for kind in sorted(counts):
        print(f"  {kind}: {counts[kind]:,}")
    print("processes " + ", ".join(f"{how} {number}" for how, number in sorted(ledger.processes.items())))
    print("client waited, median and largest, ms: " + "; ".join(waited(scenarios)))
    print(f"spans started {ledger.started:,}")
    print(f"  exported {ledger.exported:,} (and {ledger.twice:,} times once more, after a flush that was cut off)")
    print(f"  rejected, and told to be {ledger.rejected:,}")
    print(f"  in memory at SIGKILL or os._exit, or open at an exit {ledger.in_memory:,}")
    print(f"  lost {ledger.lost:,}")
    print(f"orphans {ledger.orphans:,} (and {ledger.cut_off:,} below what such an end took)")
    print(
        f"secrets {len(leaks)}, in {size:,} bytes of spans and {lines:,} lines of logs, {ledger.lines:,} of them ours"
    )
    print(*near.text(), sep="\n")
    ledger.wrong += near.wrong
    if ledger.exported + ledger.rejected + ledger.in_memory + ledger.lost != ledger.started:
        ledger.wrong.append("the account does not add up")
    wrong = [*ledger.wrong, *leaks]
    for line in wrong:
        print(f"WRONG {line}")
    return wrong


def invocations(counts: Counter[str]) -> int:
    """The number of invocations: each has one kind of tracing header."""
    return sum(number for kind, number in counts.items() if kind.startswith("header "))


def waited(scenarios: list[Scenario]) -> list[str]:
    """The response path by what the collector did, where spans leave after it."""
    times: dict[str, list[float]] = {}
    for scenario in scenarios:
        if scenario.way != "before" and scenario.export != "daemon":
            for mode, took in scenario.response_ms.items():
                times.setdefault(mode, []).extend(took)
    return [f"{mode} {statistics.median(took):.1f} {max(took):.0f}" for mode, took in sorted(times.items())]
