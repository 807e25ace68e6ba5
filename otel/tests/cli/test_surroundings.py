"""Where a command runs: pipes, terminals without UTF-8, full disks, a folder that is gone, Ctrl-C while it starts."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lambda_latency.cli import main
from lambda_latency.documentation import page_address
from lambda_latency.trace import dump_line, find_sources
from tests.disk import run_on_full_disk
from tests.latency.generated import hundred
from tests.latency.system import order

COMMAND = [sys.executable, "-m", "lambda_latency"]
FREE = "  free space, or name a file on another disk\n"
FULL = "lambda-latency: standard output cannot be written: No space left on device\n"


@pytest.fixture
def traces(tmp_path: Path) -> Path:
    """A file with 120 traces."""
    path = tmp_path / "traces.jsonl"
    path.write_text("".join(dump_line(trace.spans) for trace in hundred()))
    return path


def test_a_pipe_is_read_whole(traces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A report reads its input twice, a pipe can be read once: as a source, as a baseline, into an archive."""
    assert main(["report", str(traces), "--against", str(traces)]) == 0
    expected = capsys.readouterr().out
    pipes = [tmp_path / name for name in ("new", "old", "kept")]
    writers = []
    for pipe in pipes:
        os.mkfifo(pipe)
        writers.append(threading.Thread(target=pipe.write_bytes, args=(traces.read_bytes(),)))
        writers[-1].start()
    assert main(["report", str(pipes[0]), "--against", str(pipes[1])]) == 0
    assert capsys.readouterr().out.replace(str(pipes[1]), str(traces)) == expected
    archive = tmp_path / "archive"
    assert main(["archive", "add", str(pipes[2]), "--archive", str(archive)]) == 0
    assert capsys.readouterr().out.startswith(f"{archive}: 120 traces with ")
    for writer in writers:
        writer.join(60)


def test_a_folder_without_permission_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not called empty."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    problems: list[object] = []
    assert find_sources([tmp_path], problems) == []  # type: ignore[arg-type]
    assert list(map(str, problems)) == [f"{tmp_path}: Permission denied"]


def test_what_is_no_trace_makes_no_archive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped file leaves nothing behind, and a long one says so in few lines."""
    log = tmp_path / "app.log"
    log.write_text('{"level": "INFO"}\n' * 50)
    archive = tmp_path / "archive"
    assert main(["archive", "add", str(log), str(tmp_path / "nope"), "--archive", str(archive)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.partition("; ")[0] for line in err.splitlines()] == [
        f"lambda-latency: nothing to add: {log}:1: no trace: got level",
        f"  {tmp_path}/nope: No such file or directory",
        "  check the path: lambda-latency demo and serve write into the folder out",
        f"  {page_address('reference/formats')} says how to get a trace file of each form",
    ]
    assert not archive.exists()


def test_an_archive_without_requests_has_none_to_find(traces: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After its days were pruned."""
    archive = str(traces.with_name("archive"))
    assert main(["archive", "add", str(traces), "--archive", archive]) == 0
    assert main(["archive", "prune", "--older-than", "2099-01-01T00:00:00Z", "--archive", archive]) == 0
    capsys.readouterr()
    assert main(["archive", "find", "--archive", archive]) == 1
    assert capsys.readouterr() == ("", "lambda-latency: no request matches\n")


def test_a_terminal_without_the_characters_gets_others(traces: Path) -> None:
    """cp1252, as of Windows, lacks the narrow space of the Markdown."""
    env = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    command = [*COMMAND, "report", str(traces), "--format", "markdown"]
    ended = subprocess.run(command, env=env, capture_output=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert b"?ms" in ended.stdout


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    """In place of an error of whatever asks for its name first."""
    folder = tmp_path / "gone"
    folder.mkdir()
    code = (
        "import os, sys, shutil; os.rmdir(os.getcwd()); from lambda_latency.cli import main; sys.exit(main(['cost']))"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    said = "lambda-latency: the current folder does not exist any more\n  change to one that exists\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", said)


@pytest.mark.parametrize("module", ["signal", "lambda_latency.cli.commands.cost"])
def test_ctrl_c_while_modules_are_imported_is_130(module: str) -> None:
    """Without a stack trace: those of the command line, and those of a command."""
    code = f"""\
import sys
class Interrupted:
    def find_spec(self, name, *_):
        if name == {module!r}:
            raise KeyboardInterrupt
sys.modules.pop({module!r}, None)
sys.meta_path.insert(0, Interrupted())
from lambda_latency.cli import main
sys.exit(main(["cost"]))
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


# ---- Output that cannot be written: a line, status 1, and files that are as they were ----


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    """Twenty orders."""
    path = tmp_path / "traces.jsonl"
    path.write_text("".join(dump_line(order(50 + number, number=number).spans) for number in range(20)))
    return path


def lambda_latency(*arguments: object, stdout: str = os.devnull) -> tuple[int, str]:
    """Status and standard error of the command in a process of its own."""
    with Path(stdout).open("w") as out:
        done = subprocess.run(
            [*COMMAND, *map(str, arguments)], stdout=out, stderr=subprocess.PIPE, text=True, check=False, timeout=60
        )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [["report", "traces"], ["report", "traces", "--format", "json"], ["--version"], ["--help"], ["report", "-h"]],
)
def test_a_full_standard_output_is_a_line(orders: Path, arguments: list[str]) -> None:
    """Text, JSON: no traceback, and Python says nothing at its exit."""
    command = [str(orders) if word == "traces" else word for word in arguments]
    assert lambda_latency(*command, stdout="/dev/full") == (1, FULL)


@pytest.mark.parametrize("option", ["--format=json=", "--html=", "--format=markdown="])
def test_a_full_disk_costs_no_file(orders: Path, option: str) -> None:
    """What stood there stays, no half of a file is left, and no page is promised."""
    target = orders.with_name("target")
    target.write_text("before")
    done = run_on_full_disk([*COMMAND, "report", str(orders), f"{option}{target}"], 100)
    assert (done.returncode, done.stderr) == (1, f"lambda-latency: {target} cannot be written: File too large\n{FREE}")
    assert (target.read_text(), len(list(orders.parent.iterdir()))) == ("before", 2)
    assert lambda_latency("report", orders, f"{option}/dev/full") == (
        1,
        f"lambda-latency: /dev/full cannot be written: No space left on device\n{FREE}",
    )


def test_output_that_nobody_can_have_changes_no_status(orders: Path) -> None:
    """A closed standard output, as with `>&-`: files are written all the same. A full standard error: there is nowhere
    to say it."""
    page = orders.with_name("page.html")
    for arguments, status in ((f'"{orders}" --html "{page}" >&-', 0), (f'"{orders}.gone" 2>/dev/full', 1)):
        shell = ["sh", "-c", f'"$0" -m lambda_latency report {arguments}', sys.executable]
        done = subprocess.run(shell, capture_output=True, text=True, check=False, timeout=60)
        assert (done.returncode, done.stderr) == (status, "")
    assert page.exists()
