"""The traces that are shown in full are found by an index, without a second pass, and are the same."""

import gzip
import random
from itertools import accumulate
from pathlib import Path

import pytest

from lambda_latency.latency.loading.load import load
from lambda_latency.trace import LineIndex, Problem, Source, dump_line, find_traces
from tests.latency.generated import few


def _lines() -> list[str]:
    spans = [span for trace in few() for span in trace.spans]
    random.Random(5).shuffle(spans)  # noqa: S311 - a repeatable seed
    return [dump_line(spans[start : start + 3]) for start in range(0, len(spans), 3)]


def _loaded(sources: list[Source]) -> LineIndex:
    index = LineIndex()
    problems: list[Problem] = []
    load(sources, problems, index=index)
    return index


def _files(folder: Path) -> list[Source]:
    lines = _lines()
    half = len(lines) // 2
    (folder / "a.jsonl").write_text("\n \n".join(line.strip() for line in lines[:half]))
    (folder / "b.jsonl").write_text("".join(lines[half:]))
    return [Source(name, folder / name) for name in ("a.jsonl", "b.jsonl")]


def test_the_index_has_the_lines_of_a_trace_in_several_files(tmp_path: Path) -> None:
    """All lines with the trace, and no others."""
    sources = _files(tmp_path)
    index = _loaded(sources)
    for trace in few():
        ids = {trace.trace_id}
        assert find_traces(sources, ids, index) == find_traces(sources, ids)
        for source in sources:
            text = source.path.read_bytes()
            naming = [line for line in text.split(b"\n") if trace.trace_id.encode() in line]
            offsets = index.offsets(source, ids)
            assert offsets is not None
            assert [text[offset:].split(b"\n", 1)[0] for offset in offsets] == naming


@pytest.mark.parametrize("how", ["compressed", "a broken line", "another format in it"])
def test_other_files_have_an_index_of_their_text(tmp_path: Path, how: str) -> None:
    """Offsets of a compressed file are those of its text, and an unreadable line is not indexed."""
    sources = _files(tmp_path)
    path, text = sources[1].path, sources[1].path.read_bytes()
    if how == "compressed":
        path.write_bytes(gzip.compress(text))
    else:
        path.write_text(path.read_text() + ("{\n" if how == "a broken line" else '{"Traces": []}\n'))
    index = _loaded(sources)
    ids = {trace.trace_id for trace in few()}
    assert index.offsets(sources[0], ids)
    lines = text.splitlines(keepends=True)
    assert index.offsets(sources[1], ids) == [*accumulate(map(len, lines[:-1]), initial=0)]
    assert find_traces(sources, ids, index) == find_traces(sources, ids)


def test_a_file_that_changed_is_searched_again(tmp_path: Path) -> None:
    """A collector may replace a file while it is read."""
    sources = _files(tmp_path)
    index = _loaded(sources)
    ids = {few()[0].trace_id}
    for source in sources:
        source.path.write_text("{}\n" * 7 + source.path.read_text())
    assert find_traces(sources, ids, index) == find_traces(sources, ids) != {}
    for source in sources:
        source.path.unlink()
    assert find_traces(sources, ids, index) == {}
