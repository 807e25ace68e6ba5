"""The changes of `lab diff` can be made to the example, and its busy loops end with it."""

import subprocess
import sys
from pathlib import Path

from lab.diff.changes import changes
from lab.diff.runs import listed


def test_each_change_of_the_example_can_be_made(tmp_path: Path) -> None:
    """The text that a change replaces is in the file once, and its line is in what replaces it."""
    example = next(app for app in listed(None) if app.name == "example")
    for number, change in enumerate(change for change in changes() if change.app == example.name):
        copy = example.copied(tmp_path / str(number), "3.10")
        change.made(copy)
        assert change.line in (copy / change.file).read_text(encoding="utf-8")
        assert "Runtime: python3.10" in (copy / "template.yaml").read_text(encoding="utf-8")


def test_busy_loops_end_with_a_process_that_is_killed() -> None:
    """The loops inherit its output, which is at its end only when the last of them is."""
    code = "from lab.diff.runs import busy\nwith busy(2): print('busy', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1) as process:
        assert process.stdout
        assert process.stdout.readline() == b"busy\n"
        process.kill()
        assert process.communicate(timeout=60)[0] == b""
