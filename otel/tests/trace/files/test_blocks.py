"""Files in blocks of lines: the lines do not depend on the borders of blocks and pieces."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambda_latency.trace import Problem, Source, find_sources
from lambda_latency.trace.files import blocks
from lambda_latency.trace.files.blocks import Block
from tests.draws import draws

LINES = st.lists(st.sampled_from([b"{}", b"", b" \t", b"\r", b"a line", b"a line that is longer than a block", b"x"]))


@settings(max_examples=draws(400), deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(LINES, st.booleans(), st.integers(1, 40), st.integers(0, 90))
def test_lines_have_their_numbers_and_offsets(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], ended: bool, block: int, border: int
) -> None:
    """Empty lines are counted and left out; two pieces of a file have together the lines of the file."""
    path = tmp_path_factory.getbasetemp() / "lines.jsonl"
    text = b"\n".join(lines) + (b"\n" if ended else b"")
    path.write_bytes(text)
    whole = text.replace(b"\r", b" ").splitlines(keepends=True)
    expected, position = [], 0
    for number, line in enumerate(whole, 1):
        if line.strip():
            expected.append((number, text[position : position + len(line)], position))
        position += len(line)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK", block)
        assert _read(path) == expected
        packed = path.with_suffix(".gz")
        packed.write_bytes(gzip.compress(text))
        selected = [(offset, line) for _, line, offset in expected][border % 2 :: 2]
        for file in (path, packed):
            assert list(blocks.lines_at(Source(file.name, file), [offset for offset, _ in selected])) == selected
        parts = [_read(path, (0, border)), _read(path, (border, len(text)))]
    assert [line[1:] for part in parts for line in part] == [line[1:] for line in expected]


def _read(path: Path, between: tuple[int, int] | None = None) -> list[tuple[int, bytes, int]]:
    problems: list[Problem] = []
    steps: list[int] = []
    source = Source(path.name, path)
    lines = [
        line
        for block in _blocks(source, problems, steps.append, between)
        for line in zip(block.numbers, block.lines, block.offsets, strict=True)
    ]
    assert not problems
    if between is None:
        assert sum(steps) == path.stat().st_size
    return lines


def _blocks(
    source: Source,
    problems: list[Problem],
    step: Callable[[int], None] = lambda _: None,
    between: tuple[int, int] | None = None,
) -> list[Block]:
    return list(blocks.blocks(blocks.texts(source, problems, between[0] if between else 0), step, between))


@pytest.mark.parametrize("packed", [False, True])
def test_a_line_that_is_too_long_counts_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: bool) -> None:
    """For any number of blocks; the lines before and after it are read."""
    monkeypatch.setattr(blocks, "LONGEST_UNPACKED_LINE" if packed else "LONGEST_LINE", 20)
    monkeypatch.setattr(blocks, "BLOCK", 8)
    text = b"one\ntwo\n" + b"endless " * 100 + b"\nfour\n" + b"endless " * 3
    path = tmp_path / "lines"
    path.write_bytes(gzip.compress(text) if packed else text)
    problems: list[Problem] = []
    read_blocks = _blocks(Source("lines", path), problems)
    lines = [line for block in read_blocks for line in zip(block.numbers, block.lines, strict=True)]
    assert lines == [(1, b"one\n"), (2, b"two\n"), (4, b"four\n")]
    assert [(p.line, p.reason) for p in problems] == [(3, "longer than 0 MiB"), (5, "longer than 0 MiB")]
    offsets = [offset for block in read_blocks for offset in block.offsets]
    assert offsets == [0, 4, 8 + 801]
    assert list(blocks.lines_at(Source("lines", path), offsets)) == list(
        zip(offsets, (b"one\n", b"two\n", b"four\n"), strict=True)
    )


def _made(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_a_folder_has_its_trace_files_at_any_depth(tmp_path: Path) -> None:
    """Other files are ignored; the order is fixed."""
    _made(tmp_path, "b.jsonl", "system.log", "deep/a.JSON.gz", "deep/c.ndjson", "README.md")
    problems: list[Problem] = []
    sources = find_sources([tmp_path], problems)
    assert [source.path.relative_to(tmp_path).as_posix() for source in sources] == [
        "b.jsonl",
        "deep/a.JSON.gz",
        "deep/c.ndjson",
    ]
    assert problems == []


def test_a_file_that_is_named_twice_is_read_once(tmp_path: Path) -> None:
    """By its path, by its folder, by a pattern; a path may have any suffix."""
    _made(tmp_path, "a.jsonl", "b.txt")
    sources = find_sources([tmp_path / "a.jsonl", tmp_path, str(tmp_path / "*"), tmp_path / "b.txt"], [])
    assert [source.path.name for source in sources] == ["a.jsonl", "b.txt"]


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
