"""The parts that run as processes: started in parallel, stopped after they have sent their last spans."""

from __future__ import annotations

import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lambda_latency.local.errors import LocalError
from lambda_latency.local.processes import Processes

READY = "ready "


def say_ready(port: int) -> None:
    """Print the line that reports a service's port when it is ready."""
    print(f"{READY}{port}", flush=True)


class Service:
    """A module of the kit that runs as a process. The constructor does not wait; `wait_until_ready` returns the port.

    With `command` it is another program, named `module` in messages, with `variables` added to the user's own; its port
    is known beforehand (`wait_until_listening`).
    """

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        processes: Processes,
        log: Callable[[str], None],
        *,
        command: Sequence[str] = (),
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self._module, self._processes, self._log = module, processes, log
        self._ready: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._last: list[str] = []
        program = command or (sys.executable, "-m", module)
        self._child = processes.start([*program, *arguments], env={**_variables(), **(variables or {})}, cwd=Path.cwd())
        self._reader = threading.Thread(target=self._read, name=module, daemon=True)
        self._reader.start()

    def wait_until_ready(self, limit_s: float = 60) -> int:
        """Waits for the port that it serves. Raises `LocalError` with its last output if it does not start."""
        try:
            port = self._ready.get(timeout=limit_s)
        except queue.Empty:
            port = None
        if port is None:
            raise self._failed()
        return port

    def wait_until_listening(self, port: int, limit_s: float) -> None:
        """Waits until a process listens on `port` of 127.0.0.1. Raises `LocalError` as `wait_until_ready` does."""
        end = time.monotonic() + limit_s
        while self._reader.is_alive() and time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.01)
        raise self._failed()

    def stop(self, limit_s: float = 5) -> None:
        """Stops it with SIGTERM, so that it sends its last spans; kills it after `limit_s` seconds."""
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
        try:
            self._child.wait(limit_s)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._processes.ended(self._child)
        self._reader.join()

    def _failed(self) -> LocalError:
        return LocalError(f"{self._module} did not start", "\n  ".join(self._last[-5:]) or "it printed nothing")

    def _read(self) -> None:
        assert self._child.stdout is not None
        with self._child.stdout as output:
            for raw in output:
                line = raw.decode(errors="replace").rstrip()
                if line.startswith(READY):
                    self._ready.put(int(line.removeprefix(READY)))
                else:
                    self._last = [*self._last[-9:], line]
                    self._log(line)
        self._ready.put(None)


def _variables() -> dict[str, str]:
    """The user's variables without those of AWS and OpenTelemetry, and with proxies disabled."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "OTEL_"))}
    return {**own, "no_proxy": "*", "NO_PROXY": "*"}
