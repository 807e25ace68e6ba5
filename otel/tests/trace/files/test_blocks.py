"""Files in blocks of lines: the lines do not depend on the borders of blocks and pieces."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambda_latency.trace import Source
from lambda_latency.trace.files import blocks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lambda_latency.trace import Problem
    from lambda_latency.trace.files.blocks import Block

LINES = st.lists(st.sampled_from([b"{}", b"", b" \t", b"\r", b"a line", b"a line that is longer than a block", b"x"]))


@settings(max_examples=400, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(LINES, st.booleans(), st.integers(1, 40), st.integers(0, 90))
def test_lines_have_their_numbers_and_offsets(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], ended: bool, block: int, border: int
) -> None:
    """Empty lines are counted and left out; two pieces of a file have together the lines of the file."""
    path = tmp_path_factory.getbasetemp() / "lines.jsonl"
    text = b"\n".join(lines) + (b"\n" if ended else b"")
    path.write_bytes(text)
    whole = text.splitlines(keepends=True) if b"\r" not in text else text.replace(b"\r", b" ").splitlines(keepends=True)
    expected, at = [], 0
    for number, line in enumerate(whole, 1):
        if line.strip():
            expected.append((number, text[at : at + len(line)], at))
        at += len(line)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK", block)
        assert _read(path) == expected
        packed = path.with_suffix(".gz")
        packed.write_bytes(gzip.compress(text))
        wanted = [(at, line) for _, line, at in expected][border % 2 :: 2]
        for one in (path, packed):
            assert list(blocks.lines_at(Source(one.name, one), [at for at, _ in wanted])) == wanted
        parts = [_read(path, (0, border)), _read(path, (border, len(text)))]
    assert [one[1:] for part in parts for one in part] == [one[1:] for one in expected]


def _read(path: Path, between: tuple[int, int] | None = None) -> list[tuple[int, bytes, int]]:
    problems: list[Problem] = []
    steps: list[int] = []
    source = Source(path.name, path)
    found = [
        one
        for block in _blocks(source, problems, steps.append, between)
        for one in zip(block.numbers, block.lines, block.offsets, strict=True)
    ]
    assert not problems
    if between is None:
        assert sum(steps) == path.stat().st_size
    return found


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
    monkeypatch.setattr(blocks, "LONGEST_LINE", 20)
    monkeypatch.setattr(blocks, "BLOCK", 8)
    text = b"one\ntwo\n" + b"endless " * 100 + b"\nfour\n" + b"endless " * 3
    path = tmp_path / "lines"
    path.write_bytes(gzip.compress(text) if packed else text)
    problems: list[Problem] = []
    found = _blocks(Source("lines", path), problems)
    lines = [one for block in found for one in zip(block.numbers, block.lines, strict=True)]
    assert lines == [(1, b"one\n"), (2, b"two\n"), (4, b"four\n")]
    assert [(one.line, one.reason) for one in problems] == [(3, "longer than 0 MiB"), (5, "longer than 0 MiB")]
    offsets = [at for block in found for at in block.offsets]
    assert offsets == [0, 4, 8 + 801]
    assert list(blocks.lines_at(Source("lines", path), offsets)) == list(
        zip(offsets, (b"one\n", b"two\n", b"four\n"), strict=True)
    )
