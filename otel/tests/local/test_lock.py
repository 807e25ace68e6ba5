"""One command at a time in a folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lambda_latency.local.errors import LocalError
from lambda_latency.local.lock import only_one

HOLD = """
import sys
from pathlib import Path
from lambda_latency.local.lock import only_one
with only_one(Path(sys.argv[1]), "demo"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_command_is_told_which_process_has_the_folder(tmp_path: Path) -> None:
    """Until that ends; another command may run beside it."""
    folder = tmp_path / "new" / "out"
    with only_one(folder, "demo"):
        with pytest.raises(LocalError) as told, only_one(folder, "demo"):
            raise AssertionError("unreachable")
        with only_one(folder, "serve"):
            pass
    who = f"lambda-latency demo, process {os.getpid()}"
    assert (str(told.value), told.value.exit_status) == (
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
    with pytest.raises(LocalError) as told, only_one(tmp_path / "file" / "out", "demo"):
        raise AssertionError("unreachable")
    assert str(told.value) == (
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
