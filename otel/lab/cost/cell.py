"""An execution environment of the local sandbox for one variant: Lambda's runtime client in a real process."""

import json
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import lambda_latency.local.sandbox.lambda_service
from lab.cost.variants import ROOT, Variant, interpreter
from lab.faults.box import Box
from lambda_latency.local.processes import Processes
from lambda_latency.local.sandbox.function import Run
from tests.sandbox.state import until

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


class VariantProcess:
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
        try:
            self.box = Box(
                processes,
                variant.handler,
                {**variables(variant, places), **more},
                timeout_s=TIMEOUT_S,
                lines=self.output,
                command=command(variant, under),
                init_s=PATIENCE_S,
            )
        except RuntimeError as error:
            raise SystemExit(f"{variant.name} does not initialize: {error}") from error
        self.environment = self.box.environment

    @property
    def why(self) -> str:
        """The end of the environment's output."""
        return "\n".join(self.output)[-WHY:]

    def invoke(self, *, sampled: bool = True, asks: str = "", settles: bool = True) -> Run:
        """Send one request, and wait until the environment has settled after it, if it `settles`.

        `asks` the handler for a garbage collection (`collect`), for the end of the process with the response (`leave`),
        or for a response (empty).
        """
        event = {**EVENT, asks: True} if asks else EVENT
        run = self.box.invoke(json.dumps(event).encode(), HEADER + str(int(sampled)))
        assert run.outcome is not None
        if run.outcome.error is not None or b'"statusCode": 200' not in run.outcome.payload:
            raise SystemExit(f"{self.variant.name} answered {run.outcome.payload!r}\n{self.why}")
        if settles:
            self.box.settle(PATIENCE_S)
        return run

    def last(self) -> None:
        """Send one request after whose response the process ends, and wait until it has."""
        self.invoke(asks="leave", settles=False)
        self._wait_for_end()

    def leave(self) -> None:
        """End the environment by SIGTERM, as Lambda does, and wait until it has ended."""
        os.killpg(self.environment.pid, signal.SIGCONT)
        os.killpg(self.environment.pid, signal.SIGTERM)
        self._wait_for_end()

    def close(self) -> None:
        """Kill the environment."""
        self.box.close()

    def _wait_for_end(self) -> None:
        if not until(lambda: self.box.ended, PATIENCE_S):
            raise SystemExit(f"{self.variant.name} does not end\n{self.why}")


def command(variant: Variant, under: Sequence[str | Path] = ()) -> list[str | Path]:
    """The command that starts the runtime of a variant."""
    wrapper = [variant.wrapper] if variant.wrapper is not None else []
    return [*wrapper, *under, interpreter(variant.pins), lambda_latency.local.sandbox.lambda_service.BOOTSTRAP]


def variables(variant: Variant, places: Mapping[str, str]) -> dict[str, str]:
    """The environment variables of a variant's function, besides Lambda's own.

    `places` are the addresses PROVIDER, DAEMON, COLLECTOR and XRAY, and CERTIFICATE, the file of XRAY's certificate.
    """
    environment = {
        "PATH": f"{interpreter(variant.pins).parent}:/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": str(ROOT / "otel"),
        "PYTHONHASHSEED": "0",
        "PROVIDER": places["PROVIDER"],
        "AWS_XRAY_DAEMON_ADDRESS": places["DAEMON"],
        **dict.fromkeys(variant.collector, places[variant.receiver]),
        **({"SSL_CERT_FILE": places["CERTIFICATE"]} if variant.receiver == "XRAY" else {}),
        **variant.variables,
    }
    return {**environment, "PYTHONPATH": os.pathsep.join([*variant.path, environment["PYTHONPATH"]])}
