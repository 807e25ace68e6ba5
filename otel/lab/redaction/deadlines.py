"""A function near its deadline with hostile texts: whether its environment is settled before Lambda would kill it."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import inf
from random import Random

from lab.faults.box import Box
from lab.faults.collector import Collector
from lab.faults.deadlines import waited_ms
from lab.redaction.hostile import hostile_text, known_texts
from lambda_latency.local.processes import Processes

FUNCTION = "lab.redaction.function.handler"
PLACES = ("error", "attribute", "log")
TIMEOUT_S = 2.0
SETTLED_S = 60  # after a response at most: a hang is an error
PERIOD_S = 0.02  # of Lambda's quota of processor time
LENGTH = 8192


def near_deadlines(count: int, share: float, left_ms: list[int], seed: int, *, bare: bool) -> int:
    """Print how long before the deadline the environment was settled; the status is 1 if the kit made it late."""
    rng = Random(seed)  # noqa: S311 - what is drawn protects nothing
    known = known_texts(LENGTH)
    ends: dict[int, list[tuple[float, float]]] = defaultdict(list)
    with Processes() as processes:
        collector = Collector()
        timeout_s = max(TIMEOUT_S, 2 * max(left_ms) / 1000)
        box = started(processes, collector, timeout_s, bare=bare)
        for number in range(count):
            left, place = left_ms[number % len(left_ms)], PLACES[number // len(left_ms) % len(PLACES)]
            text = known[number % len(known)] if number % 2 else hostile_text(rng, LENGTH)
            before_ms = waited_ms(pid := box.environment.pid)
            with quota(pid, share):
                run = box.invoke(event(text, place, left))
                box.settle(SETTLED_S)
            starved_ms = waited_ms(pid) - before_ms
            if box.ended:
                ends[left].append((-inf, 0.0))
                box.close()
                box = started(processes, collector, timeout_s, bare=bare)
            else:
                ends[left].append((run.invocation.deadline_ms - run.ended_ns / 1e6, starved_ms))
        box.close()
        collector.close()
    return 1 if sum([reported(left, share, measured) for left, measured in sorted(ends.items())]) else 0


def reported(left_ms: int, share: float, measured: list[tuple[float, float]]) -> int:
    """Print milliseconds before the deadline; returns how many were later than they had waited for a processor."""
    late = [(-before_ms, starved_ms) for before_ms, starved_ms in measured if before_ms < 0]
    ours = [round(late_ms) for late_ms, starved_ms in late if late_ms > starved_ms and late_ms < inf]
    killed = sum(late_ms == inf for late_ms, _ in late)
    print(
        f"{left_ms} ms left, {share:.2f} of a processor: {len(measured)} invocations, "
        f"settled at least {min(before_ms for before_ms, _ in measured):.0f} ms before the deadline, "
        f"after it: {len(ours)} {ours}, killed: {killed}, "
        f"left to a busy machine: {len(late) - len(ours) - killed} (it waited {[round(ms) for _, ms in late]} ms)"
    )
    return len(ours) + killed


def started(processes: Processes, collector: Collector, timeout_s: float, *, bare: bool) -> Box:
    """Return an environment that has imported what a delivery needs."""
    variables = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": collector.url}
    box = Box(processes, FUNCTION, variables, wrapped=not bare, timeout_s=timeout_s)
    box.invoke(event("1.5", "error", int(timeout_s * 900)))
    box.settle(SETTLED_S)
    return box


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
