"""An archive that an earlier form of the accounts was written into, at commit f5d3bba, is one like others."""

import shutil
from pathlib import Path

import pytest

from lambda_latency.archive import compact, query
from lambda_latency.cli import main

HERE = Path(__file__).parent / "earlier"


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """A copy of the archive."""
    return Path(shutil.copytree(HERE / "archive", tmp_path / "archive"))


def verdict(source: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The first paragraph of a report."""
    assert main(["report", str(source), "--quiet"]) == 0
    return capsys.readouterr().out.partition("\n\n")[0]


def test_it_says_what_its_file_says(earlier: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its accounts have no callers of parts: the function that received the request first counts as the caller."""
    assert verdict(earlier, capsys) == verdict(HERE / "traces.jsonl", capsys)


def test_it_is_compacted_and_queried(earlier: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With accounts of today's form beside the earlier ones."""
    assert main(["archive", "add", str(HERE / "traces.jsonl"), "--archive", str(earlier)]) == 0
    compact(str(earlier))
    assert query(str(earlier), "select count(*), max(wall_ns) > 0 from accounts").rows == [(5, True)]
    capsys.readouterr()
    assert verdict(earlier, capsys) == verdict(HERE / "traces.jsonl", capsys)
