"""One environment after the other, each in the same way of delivering, through the steps of a plan."""

import base64
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from lab.datagrams import Datagrams
from lab.faults.box import Box, Way
from lab.faults.collector import Collector, Mode, spans_of
from lab.faults.hostile import MALFORMED, hostile
from lab.faults.journal import Life, read_journal
from lambda_latency.local.processes import Processes
from lambda_latency.local.spans.segments import TracingHeader

MODES: dict[Mode, int] = {
    "healthy": 40,
    "refused": 8,
    "hole": 8,
    "slow": 8,
    "500": 8,
    "429": 8,
    "reset": 8,
    "partial": 8,
}
OF_XRAY: dict[Mode, int] = {**MODES, "403": 8}
HANDLERS = {"work": 60, "nothing": 8, "5xx": 6, "raise": 6, "object": 4, "late": 6, "many": 5, "huge": 1}
ENDS = {"exit": 1, "_exit": 1, "kill": 1, "hang": 1, "large": 0.3}
"""What ends a process; the last and `exit` come past our own end of it and must lose nothing."""
HEADERS = {"sampled": 84, "Sampled=0": 5, "no Sampled": 3, "Sampled=?": 3, "malformed": 5}
FREEZES = {"": 90, "after the response": 7, "in a flush": 3}
Export: TypeAlias = Literal["collector", "daemon", "otlp"]
FUNCTION = "lab.faults.function.handler"
UNSAMPLED = "Root=1-674385f0-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=0"
PATIENCE_S = 45  # longer than the longest back-off


@dataclass(frozen=True, slots=True)
class ScenarioStep:
    """One invocation: what the collector does meanwhile, what the handler does, and what else happens."""

    mode: Mode
    do: str
    header: str  # as it is called in the account
    trace_header: str
    sampled: TracingHeader | None
    event: bytes
    freeze: str
    hostile: bool


def plan(seed: str, count: int, ends_share: float, modes: Mapping[Mode, int]) -> Iterator[ScenarioStep]:
    """The steps of one scenario; `modes` with their weights, none for the daemon.

    A process ends by itself only while somebody takes its spans.
    """
    draw = random.Random(seed)  # noqa: S311 - a seed that can be repeated
    mode: Mode = "healthy"
    steps_left = 0
    for _ in range(count):
        if not steps_left:
            mode, steps_left = _one(draw, modes) if modes else "healthy", draw.randint(15, 60)
        steps_left -= 1
        healthy = mode == "healthy"
        # Most ends come where nothing waits from before: what they take with them is to be little, and known.
        do = _one(draw, ENDS) if draw.random() < ends_share * (1.6 if healthy else 0.3) else _one(draw, HANDLERS)
        if do in ("exit", "large") and not healthy:
            do = "kill"
        yield _step(draw, mode, do, _one(draw, FREEZES))


def _step(draw: random.Random, mode: Mode, do: str, freeze: str) -> ScenarioStep:
    header = _one(draw, HEADERS)
    trace_header = TracingHeader(f"674385f0{draw.getrandbits(96):024x}", f"{draw.getrandbits(64) | 1:016x}", True)
    root = str(trace_header).replace(";Sampled=1", "")
    written = {
        "sampled": f"{trace_header};Lineage=1:abcdef12:0",
        "Sampled=0": f"{root};Sampled=0",
        "no Sampled": root,
        "Sampled=?": f"{root};Sampled=?",
        "malformed": draw.choice(MALFORMED[1:]),  # an empty header the Runtime API does not send
    }[header]
    event: dict[str, Any] = {"do": "many" if do == "huge" else do}
    if event["do"] == "many":
        event |= {"spans": 300, "bytes": 3500} if do == "huge" else {"spans": 20, "bytes": 100}
    evil = draw.random() < 0.2
    if evil:
        headers = hostile(draw)
        event |= {"httpMethod": "POST", "resource": "/orders", "requestContext": {}, "headers": headers}
    sampled = trace_header if header == "sampled" else None
    return ScenarioStep(mode, do, header, written, sampled, json.dumps(event, default=repr).encode(), freeze, evil)


def _one(draw: random.Random, weights: Mapping[Any, Any]) -> Any:
    return draw.choices(list(weights), list(weights.values()))[0]


@dataclass
class Process:
    """What is left of one: its journal, and how it ended."""

    life: Life
    end: str  # "", where the run ended it with nothing left in memory
    lines: list[str]


@dataclass
class Scenario:
    """`way` of delivering, to a collector, to the daemon, or to X-Ray's OTLP endpoint, which a collector stands for."""

    way: Way
    export: Export
    folder: Path
    processes: Processes
    variables: dict[str, str]
    past: list[Process] = field(default_factory=list)
    sampled: list[TracingHeader] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    response_ms: dict[str, list[float]] = field(default_factory=dict)
    failure: str = ""

    def __post_init__(self) -> None:
        self.collector = Collector(answer_s=0.01, signed_by=self.variables if self.export == "otlp" else None)
        self._box: Box | None = None
        self._arrived: set[str] = set()
        self._read = 0
        self._sent: list[bytes] = []
        self._daemon = Datagrams(self._receive)
        addresses = {
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": self.collector.url,
            "AWS_XRAY_DAEMON_ADDRESS": self._daemon.address,
            "LAMBDA_LATENCY_EXPORT": self.export,
            "JOURNAL": str(self.folder),
            # Room for what a run keeps waiting: what a full buffer drops has tests of its own.
            "LAMBDA_LATENCY_BUFFERED_SPANS": "100000",
            "LAMBDA_LATENCY_BUFFERED_KB": "200000",
        }
        self.variables = {**addresses, **self.variables}

    @property
    def name(self) -> str:
        return f"{self.way}, {self.export}"

    def run(
        self, steps: Iterable[ScenarioStep], outage_s: float, done: Callable[[], None], stop: threading.Event
    ) -> None:
        """Take every step, see a collector come back after a long time, and leave nothing in memory."""
        try:
            for step in steps:
                if stop.is_set():
                    break
                self._take(step)
                done()
            if self.export != "daemon" and not stop.is_set():
                self._outage(outage_s, stop)
            self._recover()
        except Exception as error:  # noqa: BLE001 - told at the end, with the others' accounts
            self.failure = f"{type(error).__name__}: {error}"
            stop.set()
        finally:
            self.close()

    def exported(self) -> list[bytes]:
        """The export requests that arrived."""
        return self.collector.bodies if self.export != "daemon" else self._sent

    def spans(self) -> list[Span]:
        return [span for body in list(self.exported()) for span in spans_of(body)]

    def close(self) -> None:
        if self._box is not None:
            self._box.close()
            self._ended("")
        self.collector.close()
        self._daemon.close()

    def _receive(self, head: bytes, body: bytes) -> None:
        assert (head, body[:3]) == (b'{"format":"json","version":1}', b"T1S"), (head, body[:50])
        self._sent.append(base64.b64decode(body[3:], validate=True))

    def _take(self, step: ScenarioStep) -> None:
        box = self._box or self._start()
        if step.mode in ("healthy", "partial") and step.mode != self.collector.mode:
            self._recover()
        self.collector.set(step.mode)
        box.freeze_s = 0.03 if step.freeze == "after the response" else 0
        self.collector.arrived = _once(lambda: box.freeze(0.4)) if step.freeze == "in a flush" else lambda: None
        if step.do == "hang":
            threading.Timer(0.15, box.environment.kill).start()
        run = box.invoke(step.event, step.trace_header)
        self.response_ms.setdefault(step.mode, []).append((run.responded_ns - run.started_ns) / 1e6)
        box.settle(60)
        self.collector.arrived = lambda: None
        self.counts.update(self._kinds(step))
        if step.sampled is not None:
            self.sampled.append(step.sampled)
        if box.ended:
            self._ended(step.do)
        elif step.do in ("exit", "_exit", "kill", "hang", "large"):
            raise RuntimeError(f"the process outlived {step.do}")

    def _kinds(self, step: ScenarioStep) -> Iterator[str]:
        """Yield what the report counts a step as."""
        yield "daemon" if self.export == "daemon" else f"{self.export} {step.mode}"
        yield from (f"handler {step.do}", f"header {step.header}")
        if step.hostile:
            yield "event hostile"
        if step.freeze:
            yield f"freeze {step.freeze}"

    def _outage(self, seconds: float, stop: threading.Event) -> None:
        """Nobody listens for so long, while requests go on; then somebody does."""
        box = self._box or self._start()
        self.collector.set("refused")
        until = time.monotonic() + seconds
        while time.monotonic() < until and not stop.is_set():
            trace_header = TracingHeader.new(sampled=True)
            box.invoke(b'{"do": "work"}', str(trace_header))
            box.settle()
            self.sampled.append(trace_header)
            self.counts[f"{self.export} refused for {seconds:g} s"] += 1
            time.sleep(0.2)

    def _recover(self) -> None:
        """A collector that is healthy again gets all that waits, with later invocations that record nothing."""
        box = self._box or self._start()
        self.collector.set("healthy")
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            box.invoke(b'{"do": "nothing"}', UNSAMPLED)
            box.settle()
            if set(self._life(box).started) <= self._exported() | self.collector.rejected:
                self.counts["collector healthy again, all delivered"] += 1
                return
            time.sleep(0.2)
        raise RuntimeError(f"spans still wait {PATIENCE_S} s after the collector was healthy again")

    def _exported(self) -> set[str]:
        """The ids that arrived so far."""
        bodies = self.exported()
        new, self._read = bodies[self._read :], len(bodies)
        self._arrived |= {span.span_id.hex() for body in new for span in spans_of(body)}
        return self._arrived

    def _start(self) -> Box:
        self._box = Box(self.processes, FUNCTION, self.variables, self.way)
        return self._box

    def _life(self, box: Box) -> Life:
        path = self.folder / str(box.environment.pid)
        return read_journal(path) if path.exists() else Life()

    def _ended(self, how: str) -> None:
        assert self._box is not None
        self.past.append(Process(self._life(self._box), how, self._box.lines))
        journal = self.folder / str(self._box.environment.pid)
        if journal.exists():
            journal.rename(journal.with_name(f"{journal.name}-{len(self.past)}"))  # numbers of processes come again
        self._box = None


def _once(act: Callable[[], None]) -> Callable[[], None]:
    pending = [act]
    return lambda: pending.pop()() if pending else None
