"""A file that is replaced: whole, or as it was."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lambda_latency.files import Replacement, check_targets, replace_files, unwritable
from tests.disk import run_on_full_disk


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_file_is_as_it_was_until_the_new_one_is_whole(tmp_path: Path) -> None:
    """Then it has the new content, its permissions, and nothing lies beside it."""
    path = tmp_path / "report.html"
    path.write_text("before")
    path.chmod(0o640)
    replacement = Replacement(path)
    replacement.write(b"af")
    assert path.read_text() == "before"
    replacement.write(b"ter")
    replacement.commit()
    replacement.discard()
    assert (path.read_text(), path.stat().st_mode & 0o777, _names(tmp_path)) == ("after", 0o640, ["report.html"])


def test_what_is_discarded_leaves_nothing(tmp_path: Path) -> None:
    """Neither of a file that was there nor of a new one."""
    (tmp_path / "old").write_text("before")
    for name in ("old", "new"):
        replacement = Replacement(tmp_path / name)
        replacement.write(b"after")
        replacement.discard()
    assert (_names(tmp_path), (tmp_path / "old").read_text()) == (["old"], "before")


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """What it names is replaced."""
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("before")
    link.symlink_to(target)
    replace_files([(link, "after")])
    assert (link.is_symlink(), target.read_text()) == (True, "after")


def test_a_pipe_is_written_directly(tmp_path: Path) -> None:
    """It cannot be replaced."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    replace_files([(pipe, "whole")])
    assert (os.read(reader, 100), _names(tmp_path)) == (b"whole", ["pipe"])
    os.close(reader)


def test_several_files_are_all_written_or_none(tmp_path: Path) -> None:
    """The disk fills up with the second one."""
    path = tmp_path / "first"
    path.write_text("before")
    with pytest.raises(OSError, match="No space left") as failed:
        replace_files([(path, "after"), (Path("/dev/full"), "x")])
    assert (failed.value.errno, failed.value.filename) == (errno.ENOSPC, "/dev/full")
    assert unwritable("/dev/full", failed.value) == "/dev/full cannot be written: No space left on device"
    assert (_names(tmp_path), path.read_text()) == (["first"], "before")


def test_targets_are_checked_before_the_work(tmp_path: Path) -> None:
    """Two forms in one file, by any name; a file that is read; a folder; no folder. Nothing is written for it."""
    report, link, folder = tmp_path / "report", tmp_path / "link", tmp_path / "folder"
    report.write_text("before")
    link.symlink_to(report)
    folder.mkdir()
    assert check_targets([report, tmp_path / "other"], [tmp_path / "traces"]) is None
    assert check_targets([Path("/dev/null"), Path("/dev/null")]) is None
    assert check_targets([report, link]) == f"{link} is named twice: each form of a report needs a file of its own"
    assert check_targets([link], [report]) == f"{link} is read by this command: name another file"
    assert check_targets([folder]) == f"{folder} cannot be written: Is a directory\n  name a file in this folder"
    gone = tmp_path / "gone" / "report"
    todo = "make the folder first, or name another one"
    assert check_targets([gone]) == f"{gone} cannot be written: No such file or directory\n  {todo}"
    assert (_names(tmp_path), report.read_text()) == (["folder", "link", "report"], "before")


MOST_BYTES = 1000


def test_no_half_of_a_compiled_module_is_left(tmp_path: Path) -> None:
    """What it imported is imported by the next process, too."""
    (tmp_path / "large.py").write_text(f"text = {'x' * 2 * MOST_BYTES!r}\n")
    command = [sys.executable, "-c", "import large"]
    assert run_on_full_disk(command, MOST_BYTES, cwd=tmp_path).stderr == ""
    repeated = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (repeated.returncode, repeated.stderr) == (0, "")


def test_its_files_end_where_the_disk_is_full(tmp_path: Path) -> None:
    """The error is that of the system."""
    command = [sys.executable, "-c", f"import pathlib; pathlib.Path('file').write_text('x' * {MOST_BYTES + 1})"]
    ended = run_on_full_disk(command, MOST_BYTES, cwd=tmp_path)
    assert (ended.returncode, ended.stderr.splitlines()[-1]) == (1, "OSError: [Errno 27] File too large")
    assert (tmp_path / "file").stat().st_size == MOST_BYTES
