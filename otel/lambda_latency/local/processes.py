"""Child processes that never outlive the command: each is registered with the warden before it starts."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from lambda_latency.local.errors import LocalError

# Runs a command with variables, in a folder, for so many seconds; `stdout` of the result also has its standard error.
Run = Callable[[Sequence[str], Mapping[str, str], Path, float], "subprocess.CompletedProcess[str]"]

# A child waits for one line before it executes its program. If the command dies between the fork and the registration,
# the child reads the end of the pipe instead and exits.
GATE = 'read -r go && [ "$go" = go ] && exec "$@" </dev/null'


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

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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
            pass  # the child was killed: the caller that waits for it receives the status
        return child

    def run(
        self, command: Sequence[str], env: Mapping[str, str], cwd: Path, limit_s: float
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; the end of this command ends it, too.

        Raises `subprocess.TimeoutExpired` after the limit, and `LocalError` as `start` does.
        """
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
        """A new temporary folder, removed when the command ends in any way."""
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
