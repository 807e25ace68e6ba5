"""Sources of traces: files, folders, patterns and standard input."""

from __future__ import annotations

from pathlib import Path

from lambda_latency.trace import Problem, Source, find_sources


def _made(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_a_folder_has_its_trace_files_at_any_depth(tmp_path: Path) -> None:
    """Other files are ignored; the order is fixed."""
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
    """By its path, by its folder, by a pattern; a path may have any suffix."""
    _made(tmp_path, "a.jsonl", "b.txt")
    found = find_sources([tmp_path / "a.jsonl", tmp_path, str(tmp_path / "*"), tmp_path / "b.txt"], [])
    assert [one.path.name for one in found] == ["a.jsonl", "b.txt"]


def test_an_existing_file_is_not_a_pattern(tmp_path: Path) -> None:
    """Browsers create files such as `traces[1].json`."""
    _made(tmp_path, "traces[1].json")
    path = tmp_path / "traces[1].json"
    assert find_sources([path], []) == [Source(str(path), path)]


def test_standard_input_is_copied_to_a_file_once(tmp_path: Path) -> None:
    """Its name stays `-`; without a function for the copy, it is a file like others."""
    _made(tmp_path, "spooled")
    assert find_sources(["-", "-"], [], lambda _: tmp_path / "spooled") == [Source("-", tmp_path / "spooled")]
    assert find_sources(["-"], []) == [Source("-", Path("-"))]


def test_a_source_is_returned_unchanged(tmp_path: Path) -> None:
    """With its own name."""
    _made(tmp_path, "a.jsonl")
    source = Source("X-Ray us-east-1", tmp_path / "a.jsonl", whole=True)
    assert find_sources([source, source], []) == [source]
