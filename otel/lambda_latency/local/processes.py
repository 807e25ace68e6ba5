"""Child processes that never outlive the command: each is registered with the warden before it starts.

A service is a part of the system that runs as such a process. It is stopped after it has sent its last spans.
"""

from __future__ import annotations

import contextlib
import os
import queue
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lambda_latency.local.errors import LocalError

# Runs a command with variables, in a folder, for so many seconds; `stdout` of the result also has its standard error.
Run = Callable[[Sequence[str], Mapping[str, str], Path, float], "subprocess.CompletedProcess[str]"]

# A child waits for one line before it executes its program. If the command dies between the fork and the registration,
# the child reads the end of the pipe instead and exits.
GATE = 'read -r go && [ "$go" = go ] && exec "$@" </dev/null'
READY = "ready "
# Credentials that are none: the user's own profiles and the instance's role are not used
NO_ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
# Below the ports of outgoing connections: Linux begins at 32768, macOS and Windows at 49152
UNASSIGNED_PORTS = range(20000, 32768)


class Processes:
    """Starts child processes and registers them with the warden.

    Each child leads its own process group: Ctrl-C in the terminal reaches only the command, and a child is killed
    together with its own children.
    """

    def __init__(self) -> None:
        warden = Path(__file__).with_name("warden.py")
        self._warden = subprocess.Popen(
            [sys.executable, "-I", "-S", str(warden)], stdin=subprocess.PIPE, start_new_session=True
        )
        self._open = True
        self._lock = threading.Lock()

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path) -> subprocess.Popen[bytes]:
        """Start `command` in a new process group; its `stdout` also has its standard error.

        Raises `LocalError` if the system is shutting down, or if the warden has ended.
        """
        child = subprocess.Popen(
            ["/bin/sh", "-c", GATE, "sh", *map(str, command)],
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert child.stdin is not None
        try:
            self._tell(f"+{child.pid}")
        except LocalError:
            with child:  # exits at the end of its pipe
                raise
        try:
            child.stdin.write(b"go\n")
            child.stdin.close()
        except BrokenPipeError:
            # The child was killed: the caller that waits for it receives the status
            pass
        return child

    def run(
        self, command: Sequence[str], env: Mapping[str, str], cwd: Path, limit_s: float
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, started by `start`. Raises `subprocess.TimeoutExpired` after the limit."""
        child = self.start(command, env=env, cwd=cwd)
        child.stdin = None  # it is closed, and `communicate` would flush it
        try:
            output, _ = child.communicate(timeout=limit_s)
        except BaseException:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: zombies
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            raise
        finally:
            self.ended(child)
        return subprocess.CompletedProcess([*command], child.returncode, output.decode(errors="replace"))

    def ended(self, child: subprocess.Popen[bytes]) -> None:
        """Unregisters `child`, which was reaped: its id may belong to another process now."""
        self._tell(f"-{child.pid}")

    def folder(self) -> Path:
        """Return a new temporary folder, removed when the command ends in any way."""
        folder = Path(tempfile.mkdtemp(prefix="lambda-latency-"))
        self._tell(f"folder {folder}")
        return folder

    def close(self) -> None:
        """Ends all remaining children and removes the folders; returns when that is done."""
        assert self._warden.stdin is not None
        with self._lock:
            self._open = False
            with contextlib.suppress(BrokenPipeError):  # the warden was killed
                self._warden.stdin.close()
        self._warden.wait()

    def _tell(self, line: str) -> None:
        assert self._warden.stdin is not None
        with self._lock:
            if not self._open:
                if line.startswith("-"):
                    return  # the warden has killed it
                raise LocalError("no process can be started", "the system is shutting down")
            try:
                self._warden.stdin.write(f"{line}\n".encode())
                self._warden.stdin.flush()
            except BrokenPipeError as error:
                raise LocalError("the cleanup process of this command has ended", "start the command again") from error


def run(command: Sequence[str], env: Mapping[str, str], cwd: Path, limit_s: float) -> subprocess.CompletedProcess[str]:
    """Run a command to its end without a warden. Raises `subprocess.TimeoutExpired` after the limit."""
    return subprocess.run(
        command,
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        timeout=limit_s,
    )


def asleep(pid: int) -> bool:
    """Whether all threads of a process are blocked. Also True without /proc, and after the end of the process."""
    with contextlib.suppress(OSError):
        stats = [(thread / "stat").read_text() for thread in Path(f"/proc/{pid}/task").iterdir()]
        return all(stat.rpartition(")")[2].split()[0] == "S" for stat in stats)
    return True


def free_ports(count: int) -> list[int]:
    """Return free ports of 127.0.0.1, for programs that do not report the port that they get for port 0.

    No system gives these ports to outgoing connections, which could take one before the program listens.
    """
    ports: list[int] = []
    with contextlib.ExitStack() as stack:
        while len(ports) < count:
            probe, port = stack.enter_context(socket.socket()), secrets.choice(UNASSIGNED_PORTS)
            with contextlib.suppress(OSError):  # in use
                probe.bind(("127.0.0.1", port))
                ports.append(port)
    return ports


def say_ready(port: int) -> None:
    """Print the line that reports a service's port when it is ready."""
    print(f"{READY}{port}", flush=True)


def serve_until_sigterm(port: int) -> None:
    """Say that a service is ready, and wait for SIGTERM."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    say_ready(port)
    stop.wait()


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
    """Return the user's variables without those of AWS and OpenTelemetry, and with proxies disabled."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "OTEL_"))}
    return {**variables, "no_proxy": "*", "NO_PROXY": "*"}
