"""How this copy of the kit is installed with one more extra."""

import json
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from lambda_latency import installing


class Recorded:
    """A distribution whose installer recorded this origin; None for one from an index."""

    def __init__(self, origin: object) -> None:
        self._origin = origin

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return None if self._origin is None else json.dumps(self._origin)


HERE = Path(__file__).resolve().parent


@pytest.mark.parametrize(
    ("origin", "command"),
    [
        (None, "pip install 'lambda-latency[local]'"),
        ({"url": HERE.as_uri(), "dir_info": {}}, f"pip install '{HERE}[local]'"),
        ({"url": HERE.as_uri(), "dir_info": {"editable": True}}, f"pip install -e '{HERE}[local]'"),
        ({"url": "file:///gone/a%20b.whl", "archive_info": {}}, "pip install '/gone/a b.whl[local]'"),
        (
            {"url": "https://example.com/a.whl", "archive_info": {}},
            "pip install 'lambda-latency[local] @ https://example.com/a.whl'",
        ),
        (
            {"url": "https://example.com/a.git", "vcs_info": {"vcs": "git", "commit_id": "1"}},
            "pip install 'lambda-latency[local] @ git+https://example.com/a.git'",
        ),
    ],
)
def test_from_where_it_came(origin: object, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wheel, also one that is gone; a folder, an address; the index where none was recorded."""
    monkeypatch.setattr(installing, "distribution", lambda _: Recorded(origin))
    assert installing.install_command("local") == command


def test_sources_that_are_not_installed_are_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their checkout, and no package of an index that may be somebody else's."""

    def distribution(_: str) -> Recorded:
        raise PackageNotFoundError

    monkeypatch.setattr(installing, "distribution", distribution)
    assert installing.install_command("local") == f"pip install -e '{HERE.parents[1]}[local]'"


def test_a_file_with_a_space_is_one_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a shell reads it."""
    wheel = tmp_path / "my wheel.whl"
    wheel.touch()
    monkeypatch.setattr(installing, "distribution", lambda _: Recorded({"url": wheel.as_uri()}))
    assert installing.install_command("local") == f"pip install '{wheel}[local]'"
