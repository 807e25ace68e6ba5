"""AWS's Runtime Interface Emulator with a function of ours in it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from lab.same.case import SAMPLED, SEGMENT
from lambda_latency.local.processes import free_ports

PARENT, HEADER = SEGMENT, SAMPLED
BEFORE = b"Lambda-Runtime-Aws-Request-Id:"
EXTRA = f"Lambda-Runtime-Trace-Id: {HEADER}\r\n".encode()
HERE = Path(__file__).parent
ROOT = HERE.parents[2]
TASK = HERE / "task"
EMULATOR = ROOT / "build" / "rie" / "aws-lambda-rie"
PATH = "/2015-03-31/functions/function/invocations"
READY_S, GOODBYE_S = 15, 5


class Proxy:
    """Pumps bytes both ways on 127.0.0.1. `calls` are (time, first line of a request), in their order."""

    def __init__(self, api_port: int) -> None:
        self.calls: list[tuple[float, str]] = []
        self._api_port = api_port
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                down, _ = self._socket.accept()
                up = socket.create_connection(("127.0.0.1", self._api_port))
                for connection in (down, up):
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._pump, args=(down, up), daemon=True).start()
                threading.Thread(target=self._pump, args=(up, down), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if data.startswith(b"HTTP/"):
                    data = data.replace(BEFORE, EXTRA + BEFORE, 1)
                elif data.startswith((b"GET /", b"POST /")):
                    self.calls.append((time.time(), " ".join(data.split(b"\r\n", 1)[0].decode().split()[:2])))
                target.sendall(data)
        for connection in (source, target):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True, slots=True)
class EmulatorAnswer:
    """What a caller of the function got, and how long it took."""

    status: int
    body: bytes
    seconds: float


class Emulator:
    """One emulator with one function, from `with` to its end.

    `managed` is the number of workers of Managed Instances mode,
    which needs root and a mount namespace; 0 is the classic
    mode, behind a proxy that adds the tracing header.
    """

    def __init__(
        self,
        peer: str,
        collector: str,
        *,
        wrapped: bool = True,
        timeout_s: int = 6,
        managed: int = 0,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.lines: list[str] = []
        self._hold = tempfile.TemporaryDirectory(prefix="lambda-latency-rie-")
        self._port, api = free_ports(2)
        self.proxy = None if managed else Proxy(api)
        kit = Path("/var/kit") if managed else ROOT
        environment = self._variables(kit, peer, collector, timeout_s, wrapped) | dict(variables or {})
        if self.proxy is not None:
            environment["RIE_PROXY"] = self.proxy.address
        if managed:
            environment |= {"AWS_LAMBDA_MAX_CONCURRENCY": str(managed), "RIE_TASK_ROOT": "/var/task",
                          "AWS_LAMBDA_INITIALIZATION_TYPE": "lambda-managed-instances"}  # fmt: skip
        command: list[str | Path] = [EMULATOR]
        if managed:
            command = ["unshare", "-m", HERE / "namespace", self._hold.name, ROOT, sys.base_prefix, TASK,
                       HERE / "bootstrap",
                       EMULATOR]  # fmt: skip
        command += ["--log-level", "info", "--runtime-interface-emulator-address", f"127.0.0.1:{self._port}",
                    "--runtime-api-address", f"127.0.0.1:{api}", HERE / "bootstrap"]  # fmt: skip
        self._process = subprocess.Popen(
            command, env=environment, cwd=TASK, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
        )
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> Emulator:
        limit = time.monotonic() + READY_S
        while time.monotonic() < limit and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return self
            time.sleep(0.02)
        self.__exit__(None, None, None)
        raise RuntimeError("the emulator does not listen: " + " | ".join(self.lines[-5:]))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(GOODBYE_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        for pid in self._left():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        if self.proxy is not None:
            self.proxy.close()
        self._hold.cleanup()

    def invoke(self, event: object, header: str = HEADER, limit_s: float = 60) -> EmulatorAnswer:
        """Call the function. In Managed Instances mode there may be no worker that is free."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=limit_s)
        begin = time.monotonic()
        connection.request("POST", PATH, json.dumps(event), {"X-Amzn-Trace-Id": header})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return EmulatorAnswer(answer.status, body, time.monotonic() - begin)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line.decode(errors="replace").rstrip())

    def _left(self) -> list[int]:
        """The runtimes of this emulator, which leads them in groups of their own; known by the address of its API."""
        mark = f"RIE_MARK={self._hold.name}".encode()
        process_ids = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and mark in (entry / "environ").read_bytes().split(b"\0"):
                    process_ids.append(int(entry.name))
        return process_ids

    def _variables(self, kit: Path, peer: str, collector: str, timeout_s: int, wrapped: bool) -> dict[str, str]:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        path = f"{kit / '.venv' / 'bin'}:/usr/local/bin:/usr/bin:/bin"
        wrapper = kit / "otel" / "lambda_latency" / "runtime" / "wrapper"
        return {
            "PATH": path,
            "RIE_PATH": path,
            "RIE_MARK": self._hold.name,
            "RIE_KIT": str(kit / "otel"),
            "RIE_PYTHON": str(kit / ".venv" / "bin" / "python"),
            "RIE_TASK_ROOT": str(TASK),
            "PYTHONPATH": str(kit / "otel"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "LAMBDA_TASK_ROOT": str(TASK),
            "_HANDLER": "probe.handler",
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{version}",
            "AWS_LAMBDA_FUNCTION_NAME": "probe",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout_s),
            "AWS_LAMBDA_LOG_FORMAT": "Text",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_SESSION_TOKEN": "local",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": collector,
            "PEER": peer,
            "NO_PROXY": "*",
            **({"AWS_LAMBDA_EXEC_WRAPPER": str(wrapper)} if wrapped else {}),
        }
