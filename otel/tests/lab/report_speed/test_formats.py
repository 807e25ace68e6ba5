"""Traces that the report's benchmark writes as other systems do: the same spans, as far as a format carries them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from lab.generate import Trace, realistic_traces
from lab.report_speed import formats
from lab.report_speed.variations import spans_of
from tests.lab.report_speed.reading import spans_in

Write = Callable[[Iterable[Trace]], Iterator[str]]
TRACES = 7


@pytest.mark.parametrize("write", [formats.jaeger_lines, formats.jaeger_file, formats.jaeger_indented])
def test_jaeger_has_the_same_spans(write: Write, tmp_path: Path) -> None:
    """To the microsecond; whether a parent is remote is not in it, and a list is text."""
    made = [json.dumps(document) + "\n" for trace in realistic_traces(TRACES) for document in trace]
    told = [
        [
            (
                one.trace_id,
                one.span_id,
                one.parent_id,
                one.name,
                one.kind,
                one.start_ns // 1000,
                one.scope,
                one.resource,
            )
            for one in spans_in(tmp_path, texts)
        ]
        for texts in (write(realistic_traces(TRACES)), made)
    ]
    without_service = [(*rest, {"service.name": "", **resource}) for *rest, resource in told[1]]
    assert [(*rest, dict(resource)) for *rest, resource in told[0]] == without_service


def test_jaegers_tags_are_the_attributes(tmp_path: Path) -> None:
    """With their types, but for lists."""
    made = [json.dumps(document) + "\n" for trace in realistic_traces(TRACES) for document in trace]
    expected = [
        {
            key: '["' + '", "'.join(value) + '"]' if isinstance(value, tuple) else value
            for key, value in one.attributes.items()
        }
        for one in spans_in(tmp_path, made)
    ]
    assert [
        dict(one.attributes) for one in spans_in(tmp_path, formats.jaeger_file(realistic_traces(TRACES)))
    ] == expected


def test_one_answer_holds_all_traces_or_one() -> None:
    """A line each, all on a line, all over many lines."""
    lines = list(formats.jaeger_lines(realistic_traces(TRACES)))
    (one_line,), (indented,) = (
        formats.jaeger_file(realistic_traces(TRACES)),
        formats.jaeger_indented(realistic_traces(TRACES)),
    )
    assert one_line.count("\n") == 1
    assert indented.count("\n") > 1000
    each = [trace for line in lines for trace in json.loads(line)["data"]]
    assert (len(lines), each) == (TRACES, json.loads(one_line)["data"])
    assert json.loads(indented) == json.loads(one_line)


def test_xray_answers_for_five_traces_at_once(tmp_path: Path) -> None:
    """Every span is a document or a part of one, and API Gateway's call to Lambda is there once."""
    texts = list(formats.xray_answers(realistic_traces(TRACES)))
    assert [len(json.loads(text)["Traces"]) for text in texts] == [5, 2]
    made = {span["spanId"] for trace in realistic_traces(TRACES) for span in spans_of(trace)}
    spans = spans_in(tmp_path, texts)
    assert made <= {span.span_id for span in spans}
    others = [span for span in spans if span.span_id not in made]
    assert [span.attributes["rpc.method"] for span in others] == ["Invoke"] * TRACES
    assert {span.parent_id for span in others} < made
