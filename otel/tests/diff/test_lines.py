"""The line that gained work, and the changed line on the way to it."""

from collections import Counter
from pathlib import Path

import pytest

from lambda_latency.diff.counts import Lines
from lambda_latency.diff.lines import ChangedLines, ChangedPlace

BASE = "def get():\n    read()\n\n\ndef read():\n    call()\n"
TWICE = "def get():\n    read()\n    read()\n\n\ndef read():\n    call()\n"
NEW_LINE = "def get():\n    read()\n\n\ndef read():\n    check()\n    call()\n"


def stack(*numbers: int, file: str = "app.py") -> Lines:
    """Lines of a file on the stack, the outermost first."""
    return tuple((file, number) for number in numbers)


@pytest.mark.parametrize(
    ("head", "work", "place"),
    [
        (BASE, {stack(2, 6): 100}, ChangedPlace()),
        (BASE, {stack(2, 6): 300}, ChangedPlace("app.py:6")),
        (BASE, {stack(2, 6): 60}, ChangedPlace("app.py:6")),
        (TWICE, {stack(2, 7): 100, stack(3, 7): 100}, ChangedPlace("app.py:7", "app.py:2")),
        (NEW_LINE, {stack(2, 7): 100, stack(2, 6): 50}, ChangedPlace("app.py:6", "app.py:6")),
        (
            "def get():\n    read(1)\n\n\ndef read():\n    call()\n",
            {stack(2, 6): 150},
            ChangedPlace("app.py:6", "app.py:2"),
        ),
        ("def get():\n    pass\n", {stack(2): 1}, ChangedPlace("app.py:2", "app.py:2")),
    ],
)
def test_a_place(tmp_path: Path, head: str, work: dict[Lines, int], place: ChangedPlace) -> None:
    """The base executes 100 bytecodes in a call, at line 6 below line 2."""
    assert lines_of(tmp_path, head).place(Counter({stack(2, 6): 100}), Counter(work)) == place


def test_a_changed_line_that_little_passes_through_is_no_cause(tmp_path: Path) -> None:
    """A fifth of what was gained is needed."""
    head = Counter({stack(3, 7): 1_000, stack(2, 7): 100})
    assert lines_of(tmp_path, TWICE).place(Counter({stack(2, 6): 100}), head) == ChangedPlace("app.py:7")


def test_a_new_file_is_a_changed_line(tmp_path: Path) -> None:
    """The base has none of its lines."""
    lines = lines_of(tmp_path, BASE)
    (tmp_path / "head" / "new.py").write_text("work()\n")
    head = Counter({stack(2, 6): 100, stack(2) + stack(1, file="new.py"): 900})
    assert lines.place(Counter({stack(2, 6): 100}), head) == ChangedPlace("new.py:1", "new.py:1")


def lines_of(folder: Path, head: str) -> ChangedLines:
    """The lines of both versions of app.py."""
    for name, text in (("base", BASE), ("head", head)):
        (folder / name).mkdir()
        (folder / name / "app.py").write_text(text)
    return ChangedLines(folder / "base", folder / "head")
