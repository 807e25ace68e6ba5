"""Changes of source files: each is seen once, and nothing is listed while there is none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lambda_latency.local.sources import Sources


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

    def told() -> tuple[bool, bool]:
        return sources.changed(), sources.changed()

    assert told() == (False, False)
    (app / "app.py").write_text("one")
    assert told() == (True, False)
    (app / "package" / "new.py").write_text("")
    assert told() == (True, False)
    (app / "package" / "more.py").unlink()
    assert told() == (True, False)
    (app / "requirements.txt").write_text("boto3")
    assert told() == (True, False)
    (app / "later").mkdir()
    (app / "later" / "code.py").write_text("")
    assert told() == (True, False)
    (app / "beside.txt").write_text("two")
    (app / "beside.txt").replace(app / "app.py")
    assert told() == (True, False)


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
