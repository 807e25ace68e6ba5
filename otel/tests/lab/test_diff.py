"""The changes of `lab diff` can be made to the example."""

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
