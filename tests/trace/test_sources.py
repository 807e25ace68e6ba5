"""Where traces come from: files, folders, patterns and standard input."""

from __future__ import annotations

from pathlib import Path

from lambda_latency.trace import Problem, Source, find_sources


def _made(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_a_folder_holds_its_trace_files_however_deep(tmp_path: Path) -> None:
    """Logs and others beside them are passed over; the order is steady."""
    _made(tmp_path, "b.jsonl", "system.log", "deep/a.JSON.gz", "deep/c.ndjson", "README.md")
    problems: list[Problem] = []
    found = find_sources([tmp_path], problems)
    assert [one.path.relative_to(tmp_path).as_posix() for one in found] == [
        "b.jsonl",
        "deep/a.JSON.gz",
        "deep/c.ndjson",
    ]
    assert problems == []


def test_a_file_that_is_named_twice_is_read_once(tmp_path: Path) -> None:
    """By itself, by its folder, by a pattern; whatever its ending is when it is named."""
    _made(tmp_path, "a.jsonl", "b.txt")
    found = find_sources([tmp_path / "a.jsonl", tmp_path, str(tmp_path / "*"), tmp_path / "b.txt"], [])
    assert [one.path.name for one in found] == ["a.jsonl", "b.txt"]


def test_a_name_with_the_signs_of_a_pattern_is_a_name_where_it_exists(tmp_path: Path) -> None:
    """`traces[1].json` is a file that browsers make."""
    _made(tmp_path, "traces[1].json")
    path = tmp_path / "traces[1].json"
    assert find_sources([path], []) == [Source(str(path), path)]


def test_standard_input_is_put_into_a_file_once(tmp_path: Path) -> None:
    """Under the name by which it was asked for; without a spool it is a file like any other."""
    _made(tmp_path, "spooled")
    assert find_sources(["-", "-"], [], lambda: tmp_path / "spooled") == [Source("-", tmp_path / "spooled")]
    assert find_sources(["-"], []) == [Source("-", Path("-"))]


def test_what_is_a_source_already_stays_as_it_is(tmp_path: Path) -> None:
    """With the name that somebody gave it."""
    _made(tmp_path, "a.jsonl")
    source = Source("X-Ray us-east-1", tmp_path / "a.jsonl", whole=True)
    assert find_sources([source, source], []) == [source]
