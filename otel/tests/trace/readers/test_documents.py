"""Documents in files: one per line, over many lines, in sequence, in lists, large, broken."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lambda_latency.trace import LineIndex, Reader, Source, dump_line, find_traces, read_rows, to_otlp
from lambda_latency.trace.readers import otlp
from tests.trace.build import TRACE_ID, node, spans_of

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_latency.trace import Problem

SPANS = spans_of([node("a", 0, 100, node("b", 10, 20), node("c", 30, 40))])


def _read(path: Path) -> tuple[list[str], list[str]]:
    """The names of rows and the problems of a file; asserts that the spans of the traces have the same names."""
    problems: list[Problem] = []
    reader, index, source = Reader(), LineIndex(), Source(path.name, path)
    for _ in read_rows(source, reader, problems, index):
        pass
    names = sorted(row.name for rows in reader.traces.values() for row in rows)
    whole = find_traces([source], reader.traces, index).values()
    assert sorted(span.name for trace in whole for span in trace.spans) == names
    return names, [str(one) for one in problems]


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("between", ["", "\n", "\n\n"])
def test_documents_may_follow_each_other(tmp_path: Path, indent: int | None, between: str) -> None:
    """On one line, on lines of their own, and over many lines."""
    path = tmp_path / "t.json"
    path.write_text(between.join(json.dumps(to_otlp([span]), indent=indent) for span in SPANS))
    assert _read(path) == (["a", "b", "c"], [])


@pytest.mark.parametrize("text", ["[\n{0}\n]\n", "[{0}]", "[\n{0}]", "\n\n[[\n\n{0}]]\n"])
def test_lists_of_documents_are_read_in_any_layout(tmp_path: Path, text: str) -> None:
    """A list over many lines may have a document on a line of its own."""
    path = tmp_path / "t.json"
    path.write_text(text.format(dump_line(SPANS).strip()))
    assert _read(path) == (["a", "b", "c"], [])


def test_text_after_a_document_is_a_problem(tmp_path: Path) -> None:
    """The document itself is read."""
    path = tmp_path / "t.jsonl"
    path.write_text(dump_line(SPANS[:1]) + dump_line(SPANS[1:]).strip() + ' {"more\n')
    assert _read(path) == (["a", "b", "c"], ["t.jsonl:2: cut or not JSON: invalid character (byte 6)"])


def test_a_large_document_is_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few spans at a time; a broken span is a problem, and the rest is read."""
    monkeypatch.setattr(otlp, "LARGE", 10)
    monkeypatch.setattr(otlp, "AT_ONCE", 2)
    document: Any = to_otlp(SPANS)
    path = tmp_path / "t.json"
    path.write_text(json.dumps(document))
    assert _read(path) == (["a", "b", "c"], [])
    document["resourceSpans"][0]["scopeSpans"][0]["spans"][1]["spanId"] = ""
    path.write_text(json.dumps(document))
    assert _read(path) == (["a", "c"], ["t.json:1: not a span: spanId must be 16 hex digits, got None"])


def test_ids_may_be_in_capitals(tmp_path: Path) -> None:
    """In some documents only: the spans still form one trace."""
    path = tmp_path / "t.jsonl"
    upper = dump_line(SPANS[1:])
    for span in SPANS:
        upper = upper.replace(span.span_id, span.span_id.upper())
    path.write_text(dump_line(SPANS[:1]) + upper.replace(TRACE_ID, TRACE_ID.upper()))
    assert _read(path) == (["a", "b", "c"], [])
    [trace] = find_traces([Source("t", path)], [TRACE_ID]).values()
    assert [span.name for span in trace.children(trace.roots[0])] == ["b", "c"]
