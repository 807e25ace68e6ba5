"""The emulator of AWS behind an app: ministack, in its own environment, on a free port of 127.0.0.1."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from lambda_latency.local.app.prepare.packages import Packages
from lambda_latency.local.app.read.parameters import ACCOUNT, REGION
from lambda_latency.local.cloud.clients import clients
from lambda_latency.local.processes import NO_ACCOUNT, Processes, Service, free_ports

LOCK = Path(__file__).with_name("ministack.txt")
LAUNCHER = Path(__file__).with_name("ministack_main.py")
# Begins the line of `ministack_main` for a failed execution
FAILED = "state machine failed: "
PROXY = "MINISTACK_LAMBDA_PROXY_URL"  # ministack forwards a function's events to this address


class Cloud:
    """The emulator; the constructor starts it. `context` is the JSON object that Lambda authorizers of other stacks
    return as their context; `log` receives its output, `tell` the lines of failed state machines.
    """

    def __init__(
        self,
        packages: Packages,
        processes: Processes,
        context: str,
        log: Callable[[str], None],
        tell: Callable[[str], None],
    ) -> None:
        def heard(line: str) -> None:
            log(line)
            if line.startswith(FAILED):
                tell(line)

        python = packages.emulator(LOCK)
        (self._port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{self._port}"
        variables = {
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self._port),
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "MINISTACK_REGION": REGION,
            **NO_ACCOUNT,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.url,
            "TMPDIR": str(processes.folder()),
            "LAMBDA_ACCOUNT_CONCURRENCY": "1000",  # AWS's default; the sandbox limits concurrency
            "LAMBDA_LATENCY_AUTHORIZER_CONTEXT": context,
            "LOG_LEVEL": "WARNING",
        }
        self._types = processes.folder() / "types.json"
        self._service = Service(
            "ministack", [str(self._types)], processes, heard, command=[str(python), str(LAUNCHER)], variables=variables
        )

    def wait(self) -> None:
        """Waits until it is ready. Raises `LocalError` with its last output if it does not start."""
        self._service.wait_until_listening(self._port, 60)

    def stop(self) -> None:
        """Stop the emulator; its resources are lost."""
        self._service.stop(1)

    @cached_property
    def types(self) -> frozenset[str]:
        """The resource types that it can create."""
        return frozenset(json.loads(self._types.read_text(encoding="utf-8")))

    @cached_property
    def client(self) -> Callable[[str], Any]:
        """A function that returns boto3's client of a service, by the service's name."""
        return clients(self.url)
