"""The process with the fake of the payments API, which the packaged example calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lambda_latency.local.app.read.app import PAYMENTS
from lambda_latency.local.faults import FaultPlan
from lambda_latency.local.processes import Processes, Service

HOST = "payments.example.com"  # resolves to this machine's own provider, without DNS


class Payments:
    """The payments API, with its faults of a plan. The constructor starts it; `variables` waits until it is ready.

    `spans` is the address to which it sends spans; `log` receives the lines that it prints.
    """

    def __init__(self, plan: FaultPlan, processes: Processes, spans: str, log: Callable[[str], None]) -> None:
        arguments = ("--spans", spans, "--faults", plan.to_json())
        self._service = Service("lambda_latency.local.provider", arguments, processes, log)
        self._port = 0

    @property
    def url(self) -> str:
        """Its address for this process."""
        return f"http://127.0.0.1:{self._wait()}"

    @property
    def variables(self) -> Mapping[str, str]:
        """The variable that gives functions its address."""
        return {PAYMENTS: f"http://{HOST}:{self._wait()}"}

    def stop(self) -> None:
        """Stop it, after it has sent its last spans."""
        self._service.stop()

    def _wait(self) -> int:
        self._port = self._port or self._service.wait_until_ready()
        return self._port
