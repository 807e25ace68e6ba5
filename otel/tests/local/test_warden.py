"""The warden alone: what it does with the lines it reads."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambda_latency.local import warden
from tests.local.calls import eventually

COMMAND = [sys.executable, "-I", "-S", warden.__file__]


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process in a group of its own."""
    with subprocess.Popen(["/bin/sleep", "1000"], start_new_session=True) as process:
        yield process
        process.kill()


def _run(lines: str) -> tuple[int, str]:
    done = subprocess.run(COMMAND, input=lines, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_it_ends_the_groups_that_were_announced(sleeper: subprocess.Popen[bytes]) -> None:
    """When the pipe closes, an announced group is killed."""
    assert (_run(f"+{sleeper.pid}\n"), sleeper.wait()) == ((0, ""), -signal.SIGKILL)


def test_it_spares_a_group_that_was_taken_back(sleeper: subprocess.Popen[bytes]) -> None:
    """One that was waited for is left alone: its number may be another's."""
    assert (_run(f"+{sleeper.pid}\n-{sleeper.pid}\n-{sleeper.pid}\n"), sleeper.poll()) == ((0, ""), None)


def test_a_group_that_is_gone_already_hinders_nothing(tmp_path: Path) -> None:
    """The folder after it is removed all the same, and a folder that is missing is no error."""
    with subprocess.Popen(["/bin/true"], start_new_session=True) as ended:
        ended.wait()
    folder = tmp_path / "with a blank"
    folder.mkdir()
    (folder / "file").write_text("x")
    assert (_run(f"+{ended.pid}\nfolder {tmp_path}/missing\nfolder {folder}\n"), folder.exists()) == ((0, ""), False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_cannot_be_sent_away_before_its_work_is_done(tmp_path: Path, number: int) -> None:
    """A signal to all processes of a session does not end it; the end of the pipe does."""
    (tmp_path / "made").mkdir()
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(f"folder {tmp_path}/made\n".encode())
        process.stdin.flush()
        _wait_until_it_ignores(process.pid, number)
        process.send_signal(number)
        process.stdin.close()
        assert (process.wait(), (tmp_path / "made").exists()) == (0, False)


def _wait_until_it_ignores(pid: int, number: int) -> None:
    def ignored() -> bool:
        status = Path(f"/proc/{pid}/status").read_text()
        mask = next(line.split()[1] for line in status.splitlines() if line.startswith("SigIgn:"))
        return bool(int(mask, 16) & 1 << (number - 1))

    eventually(ignored)
