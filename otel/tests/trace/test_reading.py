"""Trace files: many lines, one document, gzip, and files that are broken but partly readable."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from lambda_latency.trace import KNOWN, Span, dump_line, read_trace, read_traces, to_otlp, trace_id_of
from tests.draws import draws
from tests.trace.broken import check
from tests.trace.build import T0, TRACE_ID, node, spans_of
from tests.trace.writers import WRITERS

SPANS = spans_of([node("a", 0, 100, node("b", 10, 20), node("c", 30, 40))])
OTHER = Span(trace_id="7" * 32, span_id="00000000000000aa", name="other", start_ns=T0 - 5, end_ns=T0)


def _seen(path: Path) -> tuple[list[list[str]], list[str]]:
    traces, problems = read_traces(path)
    names = [[span.name for span in trace.spans] for trace in traces]
    return names, [str(problem).replace(str(path), path.name) for problem in problems]


def test_the_spans_of_a_trace_may_be_on_many_lines(tmp_path: Path) -> None:
    """Handler, gateway and provider export their spans separately; empty lines are ignored."""
    path = tmp_path / "traces.jsonl"
    path.write_text(dump_line([SPANS[2]]) + "\n" + dump_line([OTHER, SPANS[0]]) + dump_line([SPANS[1]]))
    assert _seen(path) == ([["other"], ["a", "b", "c"]], [])


def test_a_pretty_printed_document_is_read(tmp_path: Path) -> None:
    """People save such documents from other tools, with or without a byte order mark."""
    path = tmp_path / "trace.json"
    for encoding in ("utf-8", "utf-8-sig"):
        path.write_text(json.dumps(to_otlp(SPANS), indent=2), encoding=encoding)
        assert _seen(path) == ([["a", "b", "c"]], [])


JAEGER = {
    "traceID": "order #1",
    "spans": [
        {"traceID": "order #1", "spanID": "G", "startTime": 1, "duration": 9, "operationName": "a"},
        {
            "traceID": "order #1",
            "spanID": "7",
            "startTime": 2,
            "duration": 3,
            "operationName": "b",
            "references": [{"refType": "CHILD_OF", "traceID": "order #1", "spanID": "G"}],
        },
    ],
}
OTLP = {
    "resourceSpans": [
        {
            "scopeSpans": [
                {
                    "spans": [
                        {
                            "traceId": "order #1",
                            "spanId": "g",
                            "name": "a",
                            "startTimeUnixNano": 1,
                            "endTimeUnixNano": 9,
                        },
                        {
                            "traceId": "order #1",
                            "spanId": "a span of sixteen",
                            "parentSpanId": "g",
                            "name": "b",
                            "startTimeUnixNano": 2,
                            "endTimeUnixNano": 3,
                        },
                    ]
                }
            ]
        }
    ]
}
ZIPKIN = [
    {"traceId": "order #1", "id": "f5d6b777-14ce", "name": "a", "timestamp": 1, "duration": 9},
    {"traceId": "order #1", "id": "b", "parentId": "f5d6b777-14ce", "name": "b", "timestamp": 2, "duration": 3},
]


@pytest.mark.parametrize("document", [JAEGER, OTLP, ZIPKIN])
def test_ids_may_be_any_text(tmp_path: Path, document: object) -> None:
    """Handmade traces have ids that are not hexadecimal. `--trace` takes them as the file writes them."""
    path = tmp_path / "trace.json"
    path.write_text(json.dumps(document))
    assert _seen(path) == ([["a", "b"]], [])
    trace = read_trace(path, "order #1")
    assert trace is not None
    assert [span.name for span in trace.children(trace.roots[0])] == ["b"]


def test_gzip_is_recognized_by_its_content(tmp_path: Path) -> None:
    """The name of the file does not matter."""
    path = tmp_path / "traces.jsonl"
    path.write_bytes(gzip.compress(dump_line(SPANS).encode()))
    assert _seen(path) == ([["a", "b", "c"]], [])


def test_a_truncated_gzip_has_the_lines_before_the_cut(tmp_path: Path) -> None:
    """The cut is a problem."""
    path = tmp_path / "traces.jsonl.gz"
    lines = "".join(dump_line([replace(OTHER, span_id=f"{number:016x}")]) for number in range(1, 2000))
    path.write_bytes(gzip.compress(lines.encode())[:-3000])
    [names], problems = _seen(path)
    assert 100 < len(names) < 2000
    assert problems[-1] == "traces.jsonl.gz: Compressed file ended before the end-of-stream marker was reached"


def test_several_files_are_read_together(tmp_path: Path) -> None:
    """Gateway and function may write files of their own."""
    paths = [tmp_path / "1.jsonl", tmp_path / "2.jsonl"]
    paths[0].write_text(dump_line(SPANS[:1]))
    paths[1].write_text(dump_line(SPANS[1:]))
    traces, problems = read_traces(*paths)
    assert ([len(trace.spans) for trace in traces], problems) == ([3], ())


def test_a_broken_line_is_a_problem_and_the_rest_is_read(tmp_path: Path) -> None:
    """At the start, in the middle, and at the end."""
    good = dump_line([OTHER])
    path = tmp_path / "traces.jsonl"
    path.write_text('{"resourceSpans": [{"a\n' + dump_line(SPANS) + "nothing\n" + good + good[:40])
    assert _seen(path) == (
        [["other"], ["a", "b", "c"]],
        [
            "traces.jsonl:1: cut or not JSON: invalid character (byte 22)",
            "traces.jsonl:3: cut or not JSON: invalid character (byte 1)",
            "traces.jsonl:5: cut: the JSON ends too early",
        ],
    )


def test_a_truncated_pretty_printed_document_is_one_problem(tmp_path: Path) -> None:
    """Its lines are no problems of their own."""
    path = tmp_path / "trace.json"
    path.write_text(json.dumps(to_otlp(SPANS), indent=2)[:-200])
    names, problems = _seen(path)
    assert (names, len(problems)) == ([], 1)
    assert problems == ["trace.json:1: cut: the JSON ends too early"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", ["t.jsonl: empty: no trace in it"]),
        (b"\n\n", ["t.jsonl: empty: no trace in it"]),
        (b"\xff\xfe\x00 binary \x00", ["t.jsonl:1: not read: UTF-16: write it as UTF-8"]),
        (b"[" * 200_000, ["t.jsonl:1: not read: nested too deeply"]),
        (b"7\n", [f"t.jsonl:1: no trace: got a whole number; {KNOWN}"]),
        (
            b'{"resourceMetrics": []}',
            ["t.jsonl:1: OTLP logs or metrics, and not traces: name the file with resourceSpans"],
        ),
    ],
)
def test_a_file_without_traces_is_a_problem_with_its_reason(
    tmp_path: Path, content: bytes, expected: list[str]
) -> None:
    """An empty file too."""
    path = tmp_path / "t.jsonl"
    path.write_bytes(content)
    assert _seen(path) == ([], expected)


def test_a_missing_file_is_a_problem(tmp_path: Path) -> None:
    """The other files are read."""
    path = tmp_path / "traces.jsonl"
    path.write_text(dump_line(SPANS))
    traces, problems = read_traces(tmp_path / "none.jsonl", path)
    assert len(traces) == 1
    assert [str(problem) for problem in problems] == [f"{tmp_path / 'none.jsonl'}: No such file or directory"]


def test_an_inconsistency_of_a_trace_is_a_problem(tmp_path: Path) -> None:
    """A duplicate is counted, and no span is left out."""
    path = tmp_path / "traces.jsonl"
    path.write_text(dump_line([OTHER, OTHER]))
    _, [problem] = read_traces(path)
    assert (problem.source, problem.effect) == ("7" * 32, "counted")


def test_a_trace_is_found_by_its_id_in_hex_or_in_the_form_of_x_ray(tmp_path: Path) -> None:
    """X-Ray's console shows the latter."""
    path = tmp_path / "traces.jsonl"
    path.write_text(dump_line([OTHER, *SPANS]))
    for trace_id in (TRACE_ID, TRACE_ID.upper(), f"1-{TRACE_ID[:8]}-{TRACE_ID[8:]}"):
        trace = read_trace(path, trace_id)
        assert trace is not None
        assert len(trace.spans) == 3
    assert read_trace(path, "0" * 32) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1-6b05a667-affeb9dbb0aa7f2b5d5ab5f9", "6b05a667affeb9dbb0aa7f2b5d5ab5f9"),
        ("6B05A667AFFEB9DBB0AA7F2B5D5AB5F9", "6b05a667affeb9dbb0aa7f2b5d5ab5f9"),
        ("6b05a667-affe-b9db-b0aa-7f2b5d5ab5f9", "6b05a667affeb9dbb0aa7f2b5d5ab5f9"),
        ("0x6b05a667affeb9dbb0aa7f2b5d5ab5f9", "6b05a667affeb9dbb0aa7f2b5d5ab5f9"),
        ("awWmZ6/+uduwqn8rXVq1+Q==", "6b05a667affeb9dbb0aa7f2b5d5ab5f9"),
        ("b0aa7f2b5d5ab5f9", "0000000000000000b0aa7f2b5d5ab5f9"),
    ],
)
def test_a_trace_id_is_accepted_in_any_form(text: str, expected: str) -> None:
    """The forms of X-Ray, Tempo, Zipkin and others."""
    assert trace_id_of(text) == expected


DOCUMENTS = draws(150)  # of each format


@pytest.mark.drawn
@pytest.mark.parametrize("name", WRITERS)
def test_no_broken_document_stops_the_reader_or_hides_a_span(name: str, tmp_path: Path) -> None:
    """The status is 0, 1 or 4, and unread spans are problems."""
    for seed in range(DOCUMENTS):
        check(name, seed, tmp_path)
