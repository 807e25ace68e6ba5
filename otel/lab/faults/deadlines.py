"""Answers shortly before a deadline, while the collector fails: Lambda kills an environment that is busy then.

The environment is killed at its deadline, as Lambda does, also if the response is out and only a delivery goes on.
"""

import json
import re
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from lab.faults.box import Box, Way
from lab.faults.collector import Collector, Mode
from lab.faults.journal import read_journal
from lab.faults.scenario import FUNCTION, Export
from lambda_latency.local.processes import Processes
from lambda_latency.local.sandbox.function import Run
from lambda_latency.local.spans.segments import TracingHeader

TIMEOUT_S = 3
FAILING = 2  # requests of a case while its collector fails
LEFT_MS = (700, 250, 100, 20)
MODES: tuple[Mode, ...] = ("hole", "slow", "refused", "partial")
WAYS: tuple[Way, ...] = ("extension", "main", "before")
ENOUGH_MS, SETTLED_MS = 150, 50  # with more time than the first a delivery may begin, and ends this long before the end
BUSY_S = 0.03
AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class DeadlineCase:
    """How spans leave, what the collector does, and how long before the deadline the handler answers."""

    way: Way
    export: Export
    mode: Mode
    left_ms: int

    def __str__(self) -> str:
        return f"{self.way}, {self.export} {self.mode}, answered {self.left_ms} ms before the deadline"


@dataclass
class Near:
    """What was seen: the account of all cases, and what of it is wrong."""

    counts: Counter[str] = field(default_factory=Counter)
    settled_ms: dict[int, float] = field(default_factory=dict)  # the least time to the deadline, by the time left
    wrong: list[str] = field(default_factory=list)

    def text(self) -> Iterator[str]:
        """The lines of the report."""
        yield "near the deadline " + ", ".join(f"{kind} {number:,}" for kind, number in sorted(self.counts.items()))
        ends = [f"{left_ms} ms left: {ms:.0f}" for left_ms, ms in sorted(self.settled_ms.items(), reverse=True)]
        yield f"settled before the deadline, least, ms: {'; '.join(ends)}"


def cases(export: Export, share: float = 1.0) -> list[DeadlineCase]:
    """A share of all cases, evenly taken from them; the shares of two lists differ by one case at most."""
    all_cases = [DeadlineCase(way, export, mode, left_ms) for left_ms, way, mode in product(LEFT_MS, WAYS, MODES)]
    step = 5  # has no divisor in common with their number, so that a share has cases of each sort
    return [all_cases[number * step % len(all_cases)] for number in range(max(4, round(share * len(all_cases))))]


def near_deadlines(chosen: list[DeadlineCase], variables: Mapping[str, str], processes: Processes) -> Near:
    """Run the cases, a few at once."""
    near = Near()
    with tempfile.TemporaryDirectory(prefix="faults-") as folder, ThreadPoolExecutor(AT_ONCE) as pool:
        runs = {
            pool.submit(_Running(case, Path(tempfile.mkdtemp(dir=folder)), variables, processes, near).run): case
            for case in chosen
        }
        for run, case in runs.items():
            error = run.exception()
            near.wrong += [f"{case}: {type(error).__name__}: {error}"] if error is not None else []
    return near


LOCK = threading.Lock()


class _Running:
    """One environment with a collector of its own."""

    def __init__(
        self, case: DeadlineCase, folder: Path, variables: Mapping[str, str], processes: Processes, near: Near
    ) -> None:
        self._case, self._folder, self._near = case, folder, near
        signed_by = variables if case.export == "otlp" else None
        self._collector = Collector(answer_s=0.01, signed_by=signed_by)
        addresses = {
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": self._collector.url,
            "LAMBDA_LATENCY_EXPORT": case.export,
            "JOURNAL": str(folder),
        }
        self._box = Box(processes, FUNCTION, {**addresses, **variables}, case.way, timeout_s=TIMEOUT_S)
        self._begun: list[float] = []
        self._collector.arrived = lambda: self._begun.append(time.time())

    def run(self) -> None:
        """Requests while the collector fails, then one when it answers again."""
        try:
            self._collector.set(self._case.mode)
            lives = all(self._request(self._case.left_ms) for _ in range(FAILING))
            self._collector.set("healthy")
            if lives and self._request(700) and self._request(2500):
                self._arrived()
        finally:
            self._box.close()
            self._collector.close()

    def _request(self, left_ms: int) -> bool:
        """One request; returns whether the environment outlives it."""
        event = json.dumps({"do": "work", "left_ms": left_ms}).encode()
        run = self._box.invoke(event, str(TracingHeader.new(sampled=True)))
        deadline = run.invocation.deadline_ms / 1000
        waited = waited_ms(self._box.environment.pid)
        settled = True
        try:
            # With little time left nothing of the kit may run: the rest is the machine, which may be busy.
            self._box.settle(max(0.0, deadline - time.time()) + BUSY_S * (left_ms <= ENOUGH_MS))
        except TimeoutError:
            settled = False
        starved_ms = waited_ms(self._box.environment.pid) - waited
        before_ms = (deadline - run.ended_ns / 1e9) * 1000 if settled else 0.0
        if not settled:
            self._box.environment.kill()
        self._count("requests")
        late = before_ms < SETTLED_MS and not (settled and left_ms <= ENOUGH_MS)
        if late and before_ms + starved_ms >= SETTLED_MS:
            self._count("left to a busy machine")
            return settled
        if self._box.ended:
            how = "in a delivery after the response" if run.outcome and not run.outcome.error else "before the response"
            self._say(f"killed {how}")
            return False
        with LOCK:
            self._near.settled_ms[left_ms] = min(before_ms, self._near.settled_ms.get(left_ms, before_ms))
        if late:
            self._say(f"settled {before_ms:.0f} ms before the deadline")
        if left_ms <= ENOUGH_MS and (deliveries := self._begun_after(run, left_ms)):
            self._say(f"{deliveries} deliveries begun with less than {ENOUGH_MS} ms left")
        return True

    def _begun_after(self, run: Run, left_ms: int) -> int:
        """The deliveries that reached the collector after the answer; a timeout is told before it."""
        answered = run.responded_ns / 1e9 if self._case.way != "before" else \
            (run.invocation.deadline_ms - left_ms) / 1000 + 0.005  # fmt: skip
        return sum(begun_s > answered for begun_s in self._begun)

    def _arrived(self) -> None:
        """All that was not rejected is there, and what was rejected is told with its count."""
        life = read_journal(self._folder / str(self._box.environment.pid))
        arrived = {span.span_id.hex() for span in self._collector.spans()}
        missing = set(life.ended) - arrived - self._collector.rejected
        self._count("spans", len(life.ended))
        if missing:
            self._say(f"{len(missing)} of {len(life.ended)} spans did not arrive with the first request after it")
        reported = sum(int(number) for line in self._box.lines for number in re.findall(r"(\d+) were dropped", line))
        self._count("rejected", self._collector.rejections)
        if reported != self._collector.rejections:
            self._say(f"{self._collector.rejections} spans were rejected and {reported} told")

    def _count(self, kind: str, number: int = 1) -> None:
        with LOCK:
            self._near.counts[kind] += number

    def _say(self, fault: str) -> None:
        with LOCK:
            self._near.counts["killed"] += fault.startswith("killed")
            self._near.wrong.append(f"{self._case}: {fault}")


def waited_ms(pid: int) -> float:
    """How long the threads of a process have waited for a processor, by Linux; 0 where that is not to be had."""
    waited_ns = 0
    for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with suppress(OSError):  # a thread that has ended meanwhile
            waited_ns += int(thread.read_text().split()[1])
    return waited_ns / 1e6
