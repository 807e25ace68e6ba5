"""Names of an archive's files."""

from __future__ import annotations

import time
from urllib.parse import unquote

import pytest

from lambda_latency.archive.layout import in_path, new_name, written_s


def test_names_sort_by_time_within_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two versions of a trace that were added in one second, the later one counts."""
    second = 1_795_824_000
    instants = [second * 1_000_000_000 + at for at in (5, 70, 900, 12_000, 999_999_999)]
    clock = iter(instants)
    monkeypatch.setattr(time, "time_ns", lambda: next(clock))
    names = [new_name() for _ in instants]
    assert names == sorted(names)
    assert {written_s(f"spans/{name}.jsonl.gz") for name in names} == {second}


@pytest.mark.parametrize("before", range(12))
def test_a_long_route_is_shortened_between_letters(before: int) -> None:
    """A folder whose name is half a letter stops DuckDB from reading the archive."""
    cut = in_path("GET /" + "x" * before + "\u4e2d\u6587" * 40).partition("~")[0]
    whole = "x" * before + "\u4e2d\u6587" * 40
    assert whole.startswith(unquote(cut, errors="strict").removeprefix("GET /"))
    assert 140 <= len(cut) <= 150
