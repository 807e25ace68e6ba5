"""Runs one case in the laptop's sandbox, under AWS's runtime client in a process of its own: bare, or with the kit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from lab.faults.collector import Collector
from lab.same.case import Case
from lab.same.peer import Peer, Request
from lambda_latency.local.processes import Processes, asleep
from lambda_latency.local.sandbox.environment import ExecutionEnvironment
from lambda_latency.local.sandbox.function import Function, Outcome, Run
from lambda_latency.local.sandbox.lambda_service import BOOTSTRAP
from lambda_latency.local.sandbox.runtime_api import RuntimeInvocation
from lambda_latency.local.sandbox.variables import SandboxSettings, lambda_variables
from tests.sandbox.state import until

ROOT = Path(__file__).parents[3]
HANDLERS = Path(__file__).with_name("handlers")
KIT = ROOT / "otel"
WRAPPER = KIT / "lambda_latency" / "runtime" / "wrapper"
INIT_S, SETTLE_S, GOODBYE_S = 60, 60, 10


class Children(Processes):
    """Child processes whose exit status can be asked for."""

    def __enter__(self) -> Children:
        return self

    def __init__(self) -> None:
        super().__init__()
        self._children: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path) -> subprocess.Popen[bytes]:
        """Start a child and remember it."""
        child = super().start(command, env=env, cwd=cwd)
        self._children[child.pid] = child
        return child

    def status(self, pid: int) -> int | None:
        """How a child ended: its exit status, a signal as a negative number."""
        return self._children.pop(pid).returncode


@dataclass
class Observed:
    """All that a caller, a log, a peer or Lambda sees of a function; and the spans, where there are any."""

    outcomes: list[Outcome] = field(default_factory=list)  # of each failed init and each invocation
    lines: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    exits: list[int | None] = field(default_factory=list)  # of each process; None where the run ended it
    spans: list[Span] = field(default_factory=list)
    cold_ms: float = 0.0  # from the start of the first process to its first answer
    peer: str = ""


def run(case: Case, python: Path, processes: Children, *, kit: bool) -> Observed:
    """Invoke the handler with each of its events; a process that has ended is followed by another one."""
    collector, peer = Collector(), Peer()
    observed = Observed(peer=f"127.0.0.1:{peer.port}")
    try:
        life = _Life(case, python, processes, kit, collector, peer, observed)
        for number, event in enumerate(case.events):
            life.invoke(number, json.dumps(event).encode())
        life.end()
    finally:
        collector.close()
        peer.close()
    observed.requests, observed.spans = list(peer.requests), collector.spans()
    return observed


@dataclass
class _Life:
    """One environment after the other."""

    case: Case
    python: Path
    processes: Children
    kit: bool
    collector: Collector
    peer: Peer
    observed: Observed
    environment: ExecutionEnvironment | None = None

    def invoke(self, number: int, event: bytes) -> None:
        """One invocation, until the environment has settled; nothing where the init fails."""
        environment = self.environment or self._start()
        if environment is None:
            return
        self._settled.clear()
        deadline_ms = int((time.time() + self.case.timeout_s) * 1000)
        request_id = f"00000000-0000-4000-8000-{number:012d}"
        arn = environment.function.arn
        invoked = environment.invoke(RuntimeInvocation(request_id, event, arn, deadline_ms, self.case.header, None))
        assert invoked is not None
        assert invoked.outcome is not None
        self.observed.outcomes.append(invoked.outcome)
        self.observed.cold_ms = self.observed.cold_ms or (invoked.responded_ns - environment.started_ns) / 1e6
        if not self._settled.wait(SETTLE_S):
            raise TimeoutError(f"{self.case.name}: the environment is busy {SETTLE_S} s after its response")
        if environment.phase == "ended":
            self._ended(environment)

    def end(self) -> None:
        """End what still runs, as the case wants it."""
        if (environment := self.environment) is None:
            return
        if self.case.end == "term":
            os.killpg(environment.pid, signal.SIGCONT)
            until_asleep(environment.pid)
            os.killpg(environment.pid, signal.SIGTERM)
            until(lambda: environment.phase == "ended", GOODBYE_S)
        ended = environment.phase == "ended"
        environment.kill()
        self._ended(environment, by_itself=ended)

    def _start(self) -> ExecutionEnvironment | None:
        self._settled = threading.Event()
        function = Function("same", self.case.handler, self.case.timeout_s, 512, self._variables(),
                            log_format=self.case.log_format)  # fmt: skip
        variables = lambda_variables(function, SandboxSettings(task_root=HANDLERS, layer=Path("/nonexistent")))
        environment = ExecutionEnvironment(
            function,
            [*[WRAPPER][: self.kit], self.python, BOOTSTRAP],
            variables,
            HANDLERS,
            self.processes,
            settled=self._over,
            ended=lambda _: self._settled.set(),
            log=self.observed.lines.append,
        )
        failure = environment.wait_for_init(INIT_S)
        if failure is not None:
            self.observed.outcomes.append(failure)
            until(lambda: environment.phase == "ended", GOODBYE_S)
            environment.kill()
            self._ended(environment)
            return None
        self.environment = environment
        return environment

    def _over(self, _: ExecutionEnvironment, __: Run) -> None:
        self._settled.set()

    def _ended(self, environment: ExecutionEnvironment, *, by_itself: bool = True) -> None:
        status = self.processes.status(environment.pid)
        self.observed.exits.append(status if by_itself else None)
        self.environment = None

    def _variables(self) -> dict[str, str]:
        """The peer's address in all the forms that handlers need, and the interpreter's own names."""
        version = self.python.resolve().name.removeprefix("python")
        return {
            "PATH": f"{self.python.parent}:/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH": str(KIT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "1",  # the order of a set is the same in both
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{version}",
            "LAMBDA_LATENCY_LOCAL_NETWORK": "loopback",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": self.collector.url,
            "LAMBDA_LATENCY_FIRST_FLUSH_MS": "20000",  # a busy machine loses no span of the comparison
            "LAMBDA_LATENCY_FLUSH_MS": "20000",
            "PEER": self.peer.url,
            "AWS_ENDPOINT_URL": self.peer.url,
            "NO_PROXY": "*",
            **self.case.variables,
        }


def until_asleep(pid: int) -> None:
    """Wait until all threads of a thawed process have run and wait again, where the kernel says so.

    A thread that is just leaving the stop takes a signal of the process before the main thread does, and does not wake
    it: only in the main thread does Python run its handlers.
    """
    until(lambda: asleep(pid), GOODBYE_S)
