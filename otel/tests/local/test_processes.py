"""Child processes: started in groups of their own, and gone with the command, however it ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambda_latency.local import warden
from lambda_latency.local.errors import LocalError
from lambda_latency.local.processes import Processes, free_ports
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
        alive = [_alive(pid) for pid in pids]
        processes.close()
        assert (alive, folder.exists()) == ([True, True], False)
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
    path, second = processes.folder(), processes.folder()
    assert (path != second, path.name.startswith("lambda-latency-"), path.stat().st_mode & 0o777) == (True, True, 0o700)


def test_nothing_is_started_once_the_end_has_begun(tmp_path: Path) -> None:
    """A request that comes while everything is ended starts nothing; what has ended meanwhile may still say so."""
    processes = Processes()
    with processes.start(["/bin/sleep", "1000"], env=os.environ, cwd=tmp_path) as child:
        processes.close()
        child.wait()
        processes.ended(child)
    with pytest.raises(LocalError) as raised:
        processes.start(["/bin/sh", "-c", f"touch {tmp_path}/began"], env=os.environ, cwd=tmp_path)
    assert (str(raised.value), (tmp_path / "began").exists()) == (
        "no process can be started\n  the system is shutting down",
        False,
    )


def test_nothing_is_started_without_the_warden(tmp_path: Path) -> None:
    """Should somebody have killed it, the message says what that means; the child never begins."""
    processes = Processes()
    processes._warden.kill()
    processes._warden.wait()
    with pytest.raises(LocalError) as raised:
        processes.start(["/bin/sh", "-c", f"touch {tmp_path}/began"], env=os.environ, cwd=tmp_path)
    assert str(raised.value) == ("the cleanup process of this command has ended\n  start the command again")
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


LEAVING = [sys.executable, "-I", "-S", warden.__file__]


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process in a group of its own."""
    with subprocess.Popen(["/bin/sleep", "1000"], start_new_session=True) as process:
        yield process
        process.kill()


def _run(lines: str) -> tuple[int, str]:
    done = subprocess.run(LEAVING, input=lines, capture_output=True, text=True, check=False)
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
    with subprocess.Popen(LEAVING, stdin=subprocess.PIPE) as process:
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


def test_no_connection_is_given_a_free_port() -> None:
    """Another process may connect to something before the program listens on its port."""
    assigned = Path("/proc/sys/net/ipv4/ip_local_port_range")
    if not assigned.exists():
        pytest.skip("this system does not tell which ports its connections get")
    first, last = map(int, assigned.read_text().split())
    ports = free_ports(50)
    assert (len(set(ports)), [port for port in ports if first <= port <= last]) == (50, [])
