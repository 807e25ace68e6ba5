"""An execution environment of the local sandbox for one variant: Lambda's runtime client in a real process."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import lambda_latency.local.sandbox.lambda_service
from lab.cost.variants import ROOT, Variant, interpreter
from lambda_latency.local.processes import Processes
from lambda_latency.local.sandbox.environment import Environment
from lambda_latency.local.sandbox.function import Function, Run
from lambda_latency.local.sandbox.runtime_api import Invocation
from lambda_latency.local.sandbox.variables import Settings, lambda_variables

EVENT: dict[str, Any] = {
    "resource": "/items/{id}", "path": "/items/42", "httpMethod": "GET", "pathParameters": {"id": "42"},
    "headers": {"Host": "h", "User-Agent": "curl/8.5.0", "X-Forwarded-Proto": "https"},
    "requestContext": {"stage": "prod", "identity": {"sourceIp": "203.0.113.9"}}, "body": None,
}  # fmt: skip
HEADER = "Root=1-674385f0-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled="
PATIENCE_S = 600  # code under cachegrind is fifty times slower
# Shorter than the limit of a delivery under cachegrind, so that no delivery happens early: at full speed none does.
TIMEOUT_S = 59
WHY = 3000  # the last characters of the output, which explain a failure


class Cell:
    """An environment, started on creation. `under` precedes the command of its Python; `more` are variables."""

    def __init__(
        self,
        variant: Variant,
        processes: Processes,
        places: Mapping[str, str],
        under: Sequence[str | Path] = (),
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.variant = variant
        self.output: list[str] = []
        self._settled, self._ended = threading.Event(), threading.Event()
        function = Function("orders-create", variant.handler, TIMEOUT_S, 512, {**variables(variant, places), **more})
        self.environment = Environment(
            function,
            command(variant, under),
            lambda_variables(function, Settings(task_root=ROOT, layer=Path("/nonexistent"))),
            ROOT,
            processes,
            settled=lambda *_: self._settled.set(),
            ended=lambda _: self._ended.set(),
            log=self.output.append,
        )
        failure = self.environment.wait_for_init(PATIENCE_S)
        if failure is not None:
            raise SystemExit(f"{variant.name} does not initialize: {failure.payload.decode()}\n{self.why}")

    @property
    def why(self) -> str:
        """The end of the environment's output."""
        return "\n".join(self.output)[-WHY:]

    def invoke(self, *, sampled: bool = True, asks: str = "", settles: bool = True) -> Run:
        """Send one request, and wait until the environment has settled after it, if it `settles`.

        `asks` the handler for its `census`, for a garbage collection (`collect`), for the end of the process with the
        response (`leave`), or for a response (empty).
        """
        self._settled.clear()
        event = {**EVENT, asks: True} if asks else EVENT
        arn = self.environment.function.arn
        header = HEADER + str(int(sampled))
        deadline_ms = int((time.time() + TIMEOUT_S) * 1000)
        number = self.environment.invocations + 1
        request = Invocation(
            f"00000000-0000-4000-8000-{number:012d}", json.dumps(event).encode(), arn, deadline_ms, header, None
        )
        run = self.environment.invoke(request)
        assert run is not None
        assert run.outcome is not None
        if run.outcome.error is not None or b'"statusCode": 200' not in run.outcome.payload:
            raise SystemExit(f"{self.variant.name} answered {run.outcome.payload!r}\n{self.why}")
        if settles and not self._settled.wait(PATIENCE_S):
            raise SystemExit(f"{self.variant.name} is busy {PATIENCE_S} s after its response\n{self.why}")
        return run

    def last(self) -> None:
        """Send one request after whose response the process ends, and wait until it has."""
        self.invoke(asks="leave", settles=False)
        if not self._ended.wait(PATIENCE_S):
            raise SystemExit(f"{self.variant.name} does not end\n{self.why}")

    def cpu_ns(self) -> int:
        """The CPU time of all threads so far, user and system, in nanoseconds."""
        return time.clock_gettime_ns(~self.environment.pid << 3 | 2)  # the id that `clock_getcpuclockid` returns

    def peak_kb(self) -> int:
        """The peak memory, in KiB."""
        status = Path(f"/proc/{self.environment.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0])

    def leave(self) -> None:
        """End the environment by SIGTERM, as Lambda does, and wait until it has ended."""
        os.killpg(self.environment.pid, signal.SIGCONT)
        os.killpg(self.environment.pid, signal.SIGTERM)
        if not self._ended.wait(60):
            raise SystemExit(f"{self.variant.name} does not end\n{self.why}")

    def close(self) -> None:
        """Kill the environment."""
        self.environment.kill()


def command(variant: Variant, under: Sequence[str | Path] = ()) -> list[str | Path]:
    """The command that starts the runtime of a variant."""
    wrapper = [variant.wrapper] if variant.wrapper is not None else []
    return [*wrapper, *under, interpreter(variant.pins), lambda_latency.local.sandbox.lambda_service.BOOTSTRAP]


def variables(variant: Variant, places: Mapping[str, str]) -> dict[str, str]:
    """The environment variables of a variant's function, besides Lambda's own.

    `places` are the addresses PROVIDER, DAEMON, COLLECTOR and XRAY, and CERTIFICATE, the file of XRAY's certificate.
    """
    found = {
        "PATH": f"{interpreter(variant.pins).parent}:/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": str(ROOT / "otel"),
        "PYTHONHASHSEED": "0",
        "PROVIDER": places["PROVIDER"],
        "AWS_XRAY_DAEMON_ADDRESS": places["DAEMON"],
        **dict.fromkeys(variant.collector, places[variant.receiver]),
        **({"SSL_CERT_FILE": places["CERTIFICATE"]} if variant.receiver == "XRAY" else {}),
        **variant.variables,
    }
    return {**found, "PYTHONPATH": os.pathsep.join([*variant.path, found["PYTHONPATH"]])}
