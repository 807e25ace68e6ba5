"""The files of the report's benchmark: docs/explanation/speed.md says what they are, so they have to be that."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from lab.report_speed import variations
from lab.report_speed.rows import CORPORA, JAEGER, OTLP, ROWS, VARIATIONS, XRAY, Row
from lambda_latency.trace import Span, read_traces

TRACES = 7
BY_NAME = {row.name: row for row in ROWS}
SAME = ("attributes-in-any-order", *(name for name, one in VARIATIONS.items() if one.change is variations.unchanged))


def spans_of(row: Row, folder: Path) -> list[Span]:
    """What the reader makes of a few traces of the row; nothing in them is a problem of reading."""
    path = folder / "traces.jsonl"
    path.write_text("".join(row.texts(itertools.islice(row.traces(), TRACES))))
    reading = read_traces(path)
    assert [problem for problem in reading.problems if problem.effect == "skipped"] == []
    return sorted((span for trace in reading.traces for span in trace.spans), key=lambda s: (s.trace_id, s.span_id))


def test_rows_have_names_of_their_own_and_a_file_each() -> None:
    """Each corpus with each variation that it has a place for: none is another's file."""
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)
    assert [len([row for row in ROWS if row.format == form]) for form in (OTLP, JAEGER, XRAY)] == [51, 5, 3]
    begins = {row.name: "".join(row.texts(itertools.islice(row.traces(), 3))) for row in ROWS}
    alike = [(one, two) for one, two in itertools.combinations(names, 2) if begins[one] == begins[two]]
    assert alike == []


@pytest.mark.parametrize("variation", VARIATIONS)
def test_a_variation_can_be_read(variation: str, tmp_path: Path) -> None:
    """What only orders or spells the documents in another way has the same spans; the others have spans of as many."""
    as_is = spans_of(BY_NAME["realistic/as-is"], tmp_path)
    varied = spans_of(BY_NAME[f"realistic/{variation}"], tmp_path)
    assert len({span.trace_id for span in varied}) == TRACES
    assert (varied == as_is) is (variation in SAME)


@pytest.mark.parametrize("row", [row for row in ROWS if row.format == JAEGER], ids=lambda row: row.name)
def test_jaeger_has_the_same_spans(row: Row, tmp_path: Path) -> None:
    """To the microsecond, with as many attributes."""
    corpus = row.name.partition("/")[2]
    as_is = BY_NAME[f"{corpus if corpus in CORPORA else 'realistic'}/as-is"]
    jaeger, otlp = (
        [
            (s.span_id, s.parent_id, s.name, s.kind, s.start_ns // 1000, len(s.attributes))
            for s in spans_of(one, tmp_path)
        ]
        for one in (row, as_is)
    )
    assert jaeger == otlp


def test_xray_has_the_same_spans_and_the_gateways_call(tmp_path: Path) -> None:
    """Every span is a document or a part of one, and API Gateway's call to Lambda is there once."""
    ids = {span.span_id for span in spans_of(BY_NAME["realistic/as-is"], tmp_path)}
    spans = spans_of(BY_NAME["x-ray/realistic"], tmp_path)
    assert ids <= {span.span_id for span in spans}
    assert [s.attributes["rpc.method"] for s in spans if s.span_id not in ids] == ["Invoke"] * TRACES


def _in_jaeger(span: Span) -> tuple[object, ...]:
    return span.span_id, span.parent_id, span.name, span.kind, span.start_ns // 1000, len(span.attributes)
