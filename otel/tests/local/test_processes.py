"""Child processes: started in groups of their own, and gone with the command, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lambda_latency.local.errors import LocalError
from lambda_latency.local.processes import Processes
from tests.local.calls import eventually


def _alive(pid: int) -> bool:
    """Whether there is a process of that number, or (a zombie) only what its parent has yet to read of it."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def _gone(*pids: int) -> bool:
    return not any(map(_alive, pids))


def _output(child: subprocess.Popen[bytes]) -> bytes:
    """All that it prints; it has ended then."""
    assert child.stdout is not None
    output = child.stdout.read()
    child.wait()
    return output


def test_a_child_leads_a_group_of_its_own(processes: Processes, tmp_path: Path) -> None:
    """It runs in its folder with its variables alone; Ctrl-C in the terminal does not reach it."""
    code = "import os; print(os.getpgrp() == os.getpid(), os.getsid(0) == os.getpid(), os.getcwd(), os.environ['MINE'])"
    env = {"PATH": os.environ["PATH"], "MINE": "yes"}
    with processes.start([sys.executable, "-c", code], env=env, cwd=tmp_path) as child:
        output = _output(child)
        processes.ended(child)
    assert (output.decode(), child.returncode) == (f"True True {tmp_path} yes\n", 0)


def test_a_command_is_no_shell_text(processes: Processes, tmp_path: Path) -> None:
    """Arguments arrive as they are, whatever a shell would make of them."""
    arguments = ["$HOME", "a b", "`id`", "'", '"', "", "*", "-n", "\\n"]
    code = "import sys; print(sys.argv[1:], sys.stdin.read())"
    with processes.start([sys.executable, "-c", code, *arguments], env=os.environ, cwd=tmp_path) as child:
        output = _output(child)
        processes.ended(child)
    assert output.decode() == f"{arguments} \n"


def test_output_and_errors_come_together(processes: Processes, tmp_path: Path) -> None:
    """One stream, in the order of the writing; and the exit status is the command's."""
    command = ["/bin/sh", "-c", "echo out; echo err >&2; echo out again; exit 3"]
    with processes.start(command, env=os.environ, cwd=tmp_path) as child:
        output = _output(child)
        processes.ended(child)
    assert (output, child.returncode) == (b"out\nerr\nout again\n", 3)


def test_a_command_that_does_not_exist_ends_with_127(processes: Processes, tmp_path: Path) -> None:
    """As from a shell, with a line that says so."""
    with processes.start([tmp_path / "missing"], env=os.environ, cwd=tmp_path) as child:
        output = _output(child)
        processes.ended(child)
    assert (child.returncode, f"{tmp_path}/missing: not found" in output.decode()) == (127, True)


# Ends when it is told to by a signal alone, and says both its number and that of a child of its own first.
FAMILY = """
import os, signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sleeper = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pause()"
print(os.getpid(), subprocess.Popen([sys.executable, "-c", sleeper], stdout=subprocess.DEVNULL).pid, flush=True)
while True: signal.pause()
"""


def test_close_ends_children_with_whatever_they_started(tmp_path: Path) -> None:
    """Child and grandchild are gone and the folder is removed when `close` returns, SIGTERM ignored or not."""
    processes = Processes()
    folder = processes.folder()
    (folder / "below").mkdir()
    (folder / "below" / "file").write_text("x")
    with processes.start([sys.executable, "-c", FAMILY], env=os.environ, cwd=tmp_path) as child:
        assert child.stdout is not None
        pids = [int(pid) for pid in child.stdout.readline().split()]
        before = [_alive(pid) for pid in pids]
        processes.close()
        assert (before, folder.exists()) == ([True, True], False)
    eventually(lambda: _gone(*pids))
    assert child.returncode == -signal.SIGKILL


def test_a_child_that_has_ended_is_not_ended_again(processes: Processes, tmp_path: Path) -> None:
    """Its number may belong to somebody else by then: here, to a group that we put in its place."""
    with processes.start([sys.executable, "-c", FAMILY], env=os.environ, cwd=tmp_path) as child:
        assert child.stdout is not None
        _, grandchild = (int(pid) for pid in child.stdout.readline().split())
        child.kill()
        child.wait()
        processes.ended(child)
        processes.close()
        survived = _alive(grandchild)
        os.kill(grandchild, signal.SIGKILL)
    assert survived


def test_folders_are_new_and_ours(processes: Processes) -> None:
    """Each call makes another folder, for nobody else to read, with a name that says whose it is."""
    one, two = processes.folder(), processes.folder()
    assert (one != two, one.name.startswith("lambda-latency-"), one.stat().st_mode & 0o777) == (True, True, 0o700)


def test_nothing_is_started_once_the_end_has_begun(tmp_path: Path) -> None:
    """A request that comes while everything is ended starts nothing; what has ended meanwhile may still say so."""
    processes = Processes()
    with processes.start(["/bin/sleep", "1000"], env=os.environ, cwd=tmp_path) as child:
        processes.close()
        child.wait()
        processes.ended(child)
    with pytest.raises(LocalError) as told:
        processes.start(["/bin/sh", "-c", f"touch {tmp_path}/began"], env=os.environ, cwd=tmp_path)
    assert (str(told.value), (tmp_path / "began").exists()) == (
        "no process can be started\n  the system is shutting down",
        False,
    )


def test_nothing_is_started_without_the_warden(tmp_path: Path) -> None:
    """Should somebody have killed it, the message says what that means; the child never begins."""
    processes = Processes()
    processes._warden.kill()
    processes._warden.wait()
    with pytest.raises(LocalError) as told:
        processes.start(["/bin/sh", "-c", f"touch {tmp_path}/began"], env=os.environ, cwd=tmp_path)
    assert str(told.value) == ("the cleanup process of this command has ended\n  start the command again")
    processes.close()
    assert not (tmp_path / "began").exists()


# A command as small as it gets: it says the numbers of its warden, child and grandchild, and its folder.
COMMAND = f"""
import os, signal, sys
from pathlib import Path
from lambda_latency.local.processes import Processes
with Processes() as processes:
    folder = processes.folder()
    child = processes.start([sys.executable, "-c", {FAMILY!r}], env=os.environ, cwd=Path.cwd())
    print(processes._warden.pid, *child.stdout.readline().decode().split(), folder, flush=True)
    HOW
"""


@pytest.mark.parametrize(
    ("how", "number", "status"),
    [
        ("signal.pause()", signal.SIGKILL, -signal.SIGKILL),
        ("signal.pause()", signal.SIGTERM, -signal.SIGTERM),
        ("signal.pause()", signal.SIGINT, -signal.SIGINT),
        ("os._exit(9)", None, 9),
        ("os.abort()", None, -signal.SIGABRT),
        ("raise SystemExit(1)", None, 1),
        ("pass", None, 0),
    ],
    ids=["killed", "terminated", "interrupted", "left at once", "crashed", "failed", "ended"],
)
def test_nothing_is_left_however_the_command_ends(how: str, number: int | None, status: int) -> None:
    """Child, grandchild, folder and at last the warden are gone, although nobody of them heeds SIGTERM."""
    code = COMMAND.replace("HOW", how)
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:
        assert running.stdout is not None
        *numbers, folder = running.stdout.readline().decode().split()
        pids = [int(text) for text in numbers]
        if number is not None:
            assert (len(pids), _gone(*pids), Path(folder).is_dir()) == (3, False, True)
            running.send_signal(number)
        running.wait()
        eventually(lambda: _gone(*pids) and not Path(folder).exists())
    assert running.returncode == status
