"""One command at a time in a folder."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lambda_latency.local.app.serve.session import Sources
from lambda_latency.local.errors import LocalError
from lambda_latency.local.log import only_one
from tests.disk import run_on_full_disk

HOLD = """
import sys
from pathlib import Path
from lambda_latency.local.log import only_one
with only_one(Path(sys.argv[1]), "demo"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_command_is_told_which_process_has_the_folder(tmp_path: Path) -> None:
    """Until that ends; another command may run beside it."""
    folder = tmp_path / "new" / "out"
    with only_one(folder, "demo"):
        with pytest.raises(LocalError) as raised, only_one(folder, "demo"):
            raise AssertionError("unreachable")
        with only_one(folder, "serve"):
            pass
    who = f"lambda-latency demo, process {os.getpid()}"
    assert (str(raised.value), raised.value.exit_status) == (
        f"{folder} is in use by {who}: stop it, or choose another folder with --out",
        1,
    )
    with only_one(folder, "demo"):
        pass


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    """The kernel gives the lock back."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(LocalError, match=f"process {holder.pid}: "), only_one(tmp_path, "demo"):
        raise AssertionError("unreachable")
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    with only_one(tmp_path, "demo"):
        pass


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A line with the way out."""
    (tmp_path / "file").touch()
    with pytest.raises(LocalError) as raised, only_one(tmp_path / "file" / "out", "demo"):
        raise AssertionError("unreachable")
    assert str(raised.value) == (
        f"{tmp_path}/file/out cannot be written: Not a directory; choose another folder with --out"
    )


def test_the_folder_of_the_traces_is_nothing_for_git(tmp_path: Path) -> None:
    """A new one; in a folder that was there nothing is added."""
    mine = tmp_path / "mine"
    mine.mkdir()
    for folder in (tmp_path / "out", mine):
        with only_one(folder, "demo"):
            pass
    assert (tmp_path / "out" / ".gitignore").read_text() == "*\n"
    assert not (mine / ".gitignore").exists()


def test_a_full_disk_needs_no_lock_file(tmp_path: Path) -> None:
    """Neither the process id nor what git reads is written; the folder is locked all the same."""
    ended = run_on_full_disk([sys.executable, "-c", HOLD, "out"], 0, cwd=tmp_path)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "held\n", "")


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """Two modules, one of them in a package."""
    (tmp_path / "package").mkdir()
    (tmp_path / "app.py").write_text("1")
    (tmp_path / "package" / "more.py").write_text("2")
    return tmp_path


def test_every_change_is_seen_once(app: Path) -> None:
    """Written, added, removed, in a new folder, in place of another file; a folder may come later."""
    sources = Sources(app, app / "later")

    def changes() -> tuple[bool, bool]:
        return sources.changed(), sources.changed()

    assert changes() == (False, False)
    (app / "app.py").write_text("one")
    assert changes() == (True, False)
    (app / "package" / "new.py").write_text("")
    assert changes() == (True, False)
    (app / "package" / "more.py").unlink()
    assert changes() == (True, False)
    (app / "requirements.txt").write_text("boto3")
    assert changes() == (True, False)
    (app / "later").mkdir()
    (app / "later" / "code.py").write_text("")
    assert changes() == (True, False)
    (app / "beside.txt").write_text("two")
    (app / "beside.txt").replace(app / "app.py")
    assert changes() == (True, False)


@pytest.mark.parametrize("name", ["notes.txt", ".git/config.py", "__pycache__/app.py", "node_modules/gyp.py"])
def test_other_files_are_no_change(app: Path, name: str) -> None:
    """What no function imports."""
    sources = Sources(app)
    (app / name).parent.mkdir(exist_ok=True)
    (app / name).write_text("")
    assert not sources.changed()


def test_no_folder_is_listed_while_nothing_changes(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would take a fifth of a second for an app in a folder of 50,000 files, for each request."""
    for folder in (app, app / "package"):
        os.utime(folder, (1, 1))
    sources = Sources(app)

    def listed(*_: object) -> None:
        raise AssertionError("listed")

    monkeypatch.setattr(os, "walk", listed)
    monkeypatch.setattr(os, "scandir", listed)
    assert not sources.changed()
