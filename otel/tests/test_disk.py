"""A process whose disk is full leaves no half of a file to those that come after it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tests.disk import run_on_full_disk

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 1000


def test_no_half_of_a_compiled_module_is_left(tmp_path: Path) -> None:
    """What it imported is imported by the next process, too."""
    (tmp_path / "large.py").write_text(f"text = {'x' * 2 * MOST_BYTES!r}\n")
    command = [sys.executable, "-c", "import large"]
    assert run_on_full_disk(command, MOST_BYTES, cwd=tmp_path).stderr == ""
    after = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (after.returncode, after.stderr) == (0, "")


def test_its_files_end_where_the_disk_is_full(tmp_path: Path) -> None:
    """The error is that of the system."""
    command = [sys.executable, "-c", f"import pathlib; pathlib.Path('file').write_text('x' * {MOST_BYTES + 1})"]
    ended = run_on_full_disk(command, MOST_BYTES, cwd=tmp_path)
    assert (ended.returncode, ended.stderr.splitlines()[-1]) == (1, "OSError: [Errno 27] File too large")
    assert (tmp_path / "file").stat().st_size == MOST_BYTES
