"""One execution environment of the laptop's sandbox: Lambda's real runtime client in a real process, and what may go
wrong around it."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import lambda_latency.local.sandbox.lambda_service
from lambda_latency.local.processes import Processes
from lambda_latency.local.sandbox.environment import ExecutionEnvironment
from lambda_latency.local.sandbox.function import Function, Run
from lambda_latency.local.sandbox.runtime_api import Refusal, RuntimeInvocation
from lambda_latency.local.sandbox.variables import SandboxSettings, lambda_variables

ROOT = Path(__file__).parents[3]
TRACE = "674385f00123456789abcdef01234567"
SEGMENT = "0123456789abcdef"
HEADER = f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={SEGMENT};Sampled=1;Lineage=1:abcdef12:0"

Way = Literal["extension", "main", "before"]
"""How spans leave: an extension's thread, the runtime's own thread after the response, or just before it."""


class _Environment(ExecutionEnvironment):
    """Without an Extensions API where `refuses`; calls `responded` the instant a response is out."""

    refuses = False
    responded: Callable[[], None] = staticmethod(lambda: None)

    def register(self, name: str, events: list[str]) -> tuple[str, dict[str, str]]:
        if self.refuses:
            raise Refusal(403, "Extension.RegistrationClosed", "no extensions here")
        return super().register(name, events)

    def respond(self, request_id: str, payload: bytes) -> None:
        super().respond(request_id, payload)
        self.responded()

    def fail(self, request_id: str, payload: bytes) -> None:
        super().fail(request_id, payload)
        self.responded()


@dataclass
class Box:
    """An environment, started when made. One invocation at a time."""

    processes: Processes
    handler: str
    variables: Mapping[str, str]
    way: Way = "extension"
    wrapped: bool = True  # whether the kit starts at all
    timeout_s: float = 20
    python: str | Path = sys.executable
    freeze_s: float = 0  # how long it is frozen the instant a response is out, whatever it was about to do
    command: Sequence[str | Path] = ()  # that starts the runtime; the kit's own if empty
    task_root: Path = ROOT
    init_s: float = 60
    memory_mb: int = 512
    lines: list[str] = field(default_factory=list)
    invocations: int = 0

    def __post_init__(self) -> None:
        function = Function("orders-create", self.handler, self.timeout_s, self.memory_mb, self.variables)
        settings = SandboxSettings(task_root=self.task_root, layer=Path("/nonexistent"))
        hookless = Path(__file__).with_name("hookless.py")
        bootstrap = hookless if self.way == "before" else lambda_latency.local.sandbox.lambda_service.BOOTSTRAP
        wrapper = [ROOT / "otel" / "lambda_latency" / "runtime" / "wrapper"] if self.wrapped else []
        self._settled = threading.Event()
        kind = type("Environment", (_Environment,), {"refuses": self.way == "main", "responded": self._responded})
        self.environment: ExecutionEnvironment = kind(
            function,
            self.command or [*wrapper, self.python, bootstrap],
            lambda_variables(function, settings),
            self.task_root,
            self.processes,
            settled=lambda *_: self._settled.set(),
            ended=lambda _: self._settled.set(),
            log=self.lines.append,
        )
        failure = self.environment.wait_for_init(self.init_s)
        if failure is not None:
            raise RuntimeError(f"init failed: {failure.payload.decode()}\n" + "\n".join(self.lines[-20:]))

    @property
    def ended(self) -> bool:
        return self.environment.phase == "ended"

    def invoke(self, event: bytes, header: str = HEADER) -> Run:
        """Returns when the response is out."""
        self.invocations += 1
        self._settled.clear()
        deadline_ms = int((time.time() + self.timeout_s) * 1000)
        request_id = f"00000000-0000-4000-8000-{self.environment.pid:06d}{self.invocations:06d}"
        arn = self.environment.function.arn
        run = self.environment.invoke(RuntimeInvocation(request_id, event, arn, deadline_ms, header, None))
        assert run is not None
        return run

    @property
    def settled(self) -> bool:
        """Whether the runtime and the extension have asked for the next event (or the process is gone)."""
        return self._settled.is_set()

    def settle(self, limit_s: float = 30) -> None:
        """Wait for that. Where nothing else is going on, the environment is frozen then."""
        if not self._settled.wait(limit_s):
            raise TimeoutError(f"the environment is busy {limit_s:g} s after its response")

    def freeze(self, seconds: float) -> None:
        """Stop the process in its tracks, and let it go on later."""
        self._signal(signal.SIGSTOP)
        threading.Timer(seconds, self._signal, (signal.SIGCONT,)).start()

    def cpu_ns(self) -> int:
        """The processor time of all threads so far, user and system, in nanoseconds."""
        return time.clock_gettime_ns(~self.environment.pid << 3 | 2)  # the id that `clock_getcpuclockid` returns

    def peak_kb(self) -> int:
        """The peak memory, in KiB."""
        status = Path(f"/proc/{self.environment.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0])

    def close(self) -> None:
        self.environment.kill()

    def _responded(self, *_: object) -> None:
        if self.freeze_s:
            self.freeze(self.freeze_s)

    def _signal(self, number: signal.Signals) -> None:
        if not self.ended and not self.environment.frozen:
            os.killpg(self.environment.pid, number)
