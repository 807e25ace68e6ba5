"""A function near its deadline with hostile texts: whether its environment is settled before Lambda would kill it."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from random import Random

from lab.faults.box import Box
from lab.faults.collector import Collector
from lab.redaction.hostile import hostile_text, known_texts
from lambda_latency.local.processes import Processes

FUNCTION = "lab.redaction.function.handler"
PLACES = ("error", "attribute", "log")
TIMEOUT_S = 2.0
PERIOD_S = 0.02  # of Lambda's quota of processor time
LENGTH = 8192


def near_deadlines(count: int, share: float, left_ms: list[int], seed: int) -> int:
    """Print how long before the deadline the environment was settled; the status is 1 if it was after one."""
    rng = Random(seed)  # noqa: S311 - what is drawn protects nothing
    known = known_texts(LENGTH)
    ends: dict[int, list[float]] = defaultdict(list)
    killed: Counter[int] = Counter()
    with Processes() as processes:
        collector = Collector()
        box = started(processes, collector, max(TIMEOUT_S, 2 * max(left_ms) / 1000))
        for number in range(count):
            left, place = left_ms[number % len(left_ms)], PLACES[number // len(left_ms) % len(PLACES)]
            text = known[number % len(known)] if number % 2 else hostile_text(rng, LENGTH)
            with quota(box.environment.pid, share):
                run = box.invoke(event(text, place, left))
                with suppress(TimeoutError):
                    box.settle()
            if box.ended:
                killed[left] += 1
                box.close()
                box = started(processes, collector, box.timeout_s)
            else:
                ends[left].append(run.invocation.deadline_ms - time_of(run.ended_ns))
        box.close()
        collector.close()
    late = sum(killed.values())
    for left, before_ms in sorted(ends.items()):
        overdue = [-ms for ms in before_ms if ms < 0]
        late += len(overdue)
        print(
            f"{left} ms left, {share:.2f} of a processor: {len(before_ms)} invocations, settled at least "
            f"{min(before_ms):.0f} ms before the deadline, after it: {len(overdue)} {[round(ms) for ms in overdue]}, "
            f"killed: {killed[left]}"
        )
    return 1 if late else 0


def started(processes: Processes, collector: Collector, timeout_s: float) -> Box:
    """Return an environment that has imported what a delivery needs."""
    box = Box(processes, FUNCTION, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": collector.url}, timeout_s=timeout_s)
    box.invoke(event("1.5", "error", int(timeout_s * 900)))
    with suppress(TimeoutError):
        box.settle()
    return box


def time_of(ended_ns: int) -> float:
    """Return milliseconds of the wall clock."""
    return ended_ns / 1e6


def event(text: str, place: str, left_ms: int) -> bytes:
    """Return the event of an invocation."""
    return json.dumps({"text": text, "place": place, "left_ms": left_ms}).encode()


@contextmanager
def quota(pid: int, share: float) -> Iterator[None]:
    """Give a process group a share of a processor: it is stopped for the rest of each period, as by Lambda's quota."""
    over = threading.Event()

    def signaled(number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(pid, number)

    def run() -> None:
        while not over.is_set():
            signaled(signal.SIGCONT)
            time.sleep(PERIOD_S * share)
            signaled(signal.SIGSTOP)
            time.sleep(PERIOD_S * (1 - share))
        signaled(signal.SIGCONT)

    thread = threading.Thread(target=run)
    if share < 1:
        thread.start()
    yield
    over.set()
    if share < 1:
        thread.join()
