"""Every known format: read plain and compressed, and rejected with position and remedy if broken."""

import gzip
import json
import re
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData

from lambda_latency.latency import breakdown_of
from lambda_latency.trace import (
    LineIndex,
    LoadedTraces,
    Problem,
    Reader,
    Source,
    dump_line,
    find_traces,
    read_compact_spans,
    read_traces,
    to_otlp,
)
from lambda_latency.trace.model.problem import BY_COLLECTOR
from lambda_latency.trace.readers import otlp
from lambda_latency.trace.readers.formats import FORMATS, KNOWN, Format
from tests.trace.build import node, spans_of
from tests.trace.readers.claims import CLAIMS, both_claim, objects
from tests.trace.writers import MS, SPANS, T0, TRACE_ID, WRITERS

AT = "2026-11-27T08:00:00Z"
SKYWALKING = {"traceId": "a.b.c", "segmentId": "s", "spanId": 0, "refs": [], "startTime": 1, "endTime": 2}
EXPECTED = [
    (span_id, parent_id, kind, T0 + start * MS, T0 + end * MS, failed)
    for span_id, parent_id, _, kind, start, end, _, failed in SPANS
]


def zstd_packed(data: bytes) -> bytes:
    """Data as one frame of zstd, by what this Python has."""
    if sys.version_info >= (3, 14):
        from compression import zstd

        return zstd.compress(data)
    import zstandard

    return zstandard.compress(data)


def _read(folder: Path, data: bytes, name: str = "file") -> LoadedTraces:
    path = folder / name
    path.write_bytes(data)
    return read_traces(path)


def _facts(reading: LoadedTraces) -> list[tuple[object, ...]]:
    [trace] = reading.traces
    return [
        (
            span.span_id,
            span.parent_id or "",
            span.kind.name,
            span.start_ns,
            span.end_ns,
            span.status.name == "ERROR",
        )
        for span in trace.spans
    ]


@pytest.mark.parametrize("name", WRITERS)
def test_each_format_has_the_same_trace(name: str, tmp_path: Path) -> None:
    """Ids, parents, kinds, times, status, service and attributes of one trace, plain, gzip and zstd."""
    data = WRITERS[name]()
    plain = _read(tmp_path, data)
    assert (plain.problems, _facts(plain)) == ((), EXPECTED)
    [trace] = plain.traces
    assert trace.trace_id == (TRACE_ID if "Zipkin" not in name else TRACE_ID[16:].zfill(32))
    assert {str(span.attributes["n"]) for span in trace.spans} == {"7"}
    if name != "X-Ray":
        assert [span.resource["service.name"] for span in trace.spans] == [row[6] for row in SPANS]
        assert [span.name for span in trace.spans] == [row[2] for row in SPANS]
    packed = gzip.compress(data), zstd_packed(data)
    assert [_read(tmp_path, file) for file in packed] == [plain, plain]


@pytest.mark.parametrize("name", [name for name in WRITERS if "protobuf" not in name])
def test_lines_end_as_on_windows(name: str, tmp_path: Path) -> None:
    """A carriage return before each line feed changes nothing, also at the end of the file and of empty lines."""
    data = WRITERS[name]().rstrip(b"\n") + b"\n"
    assert b"\r" not in data
    plain = _read(tmp_path, data)
    assert _facts(plain) == EXPECTED
    for windows in (data.replace(b"\n", b"\r\n"), (data + b"\n").replace(b"\n", b"\r\n")):
        assert _read(tmp_path, windows) == plain


@pytest.mark.parametrize("name", WRITERS)
def test_a_truncated_file_is_a_problem_with_its_position(name: str, tmp_path: Path) -> None:
    """The position is the file and a line; whole documents before the cut are read."""
    data = WRITERS[name]()
    reading = _read(tmp_path, data[: len(data) * 2 // 3])
    assert reading.problems
    for problem in reading.problems:
        assert re.match(rf"{tmp_path}/file(:\d+)?: .{{10,}}", str(problem)) or problem.source == TRACE_ID


def test_texts_beside_the_spans_are_no_spans(tmp_path: Path) -> None:
    """A comment skips nothing; a member that may hold spans is named."""
    document = json.loads(WRITERS["Tempo"]())
    assert not _read(tmp_path, json.dumps({"comment": "slow", "version": 3, **document}).encode()).problems
    [problem] = _read(tmp_path, json.dumps({"expected": {"spans": []}, **document}).encode()).problems
    assert problem.reason == "not understood in the document: expected"


@pytest.mark.parametrize("pack", ["gzip", "zstd"])
def test_a_truncated_compressed_file_is_read_up_to_the_cut(pack: str, tmp_path: Path) -> None:
    """The cut is a problem."""
    data = WRITERS["Java's logging-otlp"]() * 2000
    packed = gzip.compress(data) if pack == "gzip" else zstd_packed(data)
    reading = _read(tmp_path, packed[: len(packed) // 2])
    assert any("end" in problem.reason.lower() for problem in reading.problems)


def test_messages_that_are_compressed_one_by_one_are_read(tmp_path: Path) -> None:
    """The collector's file exporter with `compression: zstd` writes them so, as JSON or protobuf."""
    for name in ("OTLP/JSON", "OTLP protobuf"):
        message = zstd_packed(WRITERS[name]())
        assert _facts(_read(tmp_path, len(message).to_bytes(4, "big") + message)) == EXPECTED


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (
            b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"%b","spanId":"a1"}]}]}]}' % (b"0" * 32),
            "traceId must not be all zeros",
        ),
        (
            b'{"Name":"a","SpanContext":{"TraceID":"1","SpanID":"2"},"StartTime":"0001-01-01T00:00:00Z"}',
            "not a span of Go's stdouttrace: it was printed without its times (WithoutTimestamps)",
        ),
        (b'{"Resource":[],"ScopeMetrics":[]}', "OTLP logs or metrics"),
        (b'{"resourceLogs":[]}', "OTLP logs or metrics"),
        (b'{"__otel_otlp_stdout":"1","base64":true,"payload":"?"}', "not a payload of OTLP"),
        (b'{"__otel_otlp_stdout":"1","payload":{"resourceLogs":[]}}', "not understood in the document: resourceLogs"),
        (b'{"TraceSummaries":[]}', "aws xray batch-get-traces"),
        (b"{\n  traceId: '4bf9',\n  id: 'f0b7',\n}\n", "Node's console exporter prints objects, not JSON: write OTLP"),
        (b"Activity.TraceId:  6e4d\nActivity.SpanId:  1d3a\n", ".NET's console exporter prints text, not JSON"),
        (b'#<struct OpenTelemetry::SDK::Trace::SpanData\n name="GET",\n', "Ruby's console exporter prints objects"),
        (b"{\n  name          : GET\n  trace_id      : 6e4d\n}\n", "C++'s console exporter prints text, not JSON"),
        (b'{"trace":{"\xff":1}}', "not read: the bytes are not UTF-8"),
        (b"PAR1\x15\x04", "Parquet: turn it into OTLP"),
        (b"PK\x03\x04\x14\x00", "a zip archive: unpack it"),
        (b"\xff\xfe{\x00}\x00", "UTF-16: write it as UTF-8"),
        (b"\n\x05\x00\x00\x00\x00\x00", "no trace file: its bytes are neither text nor OTLP as protobuf"),
        (b'{"resourceSpans":[{"resource":{},"someSpans":[{}]}]}', "not understood in a resource: someSpans"),
    ],
)
def test_a_format_that_is_recognized_but_not_read_has_a_remedy(data: bytes, reason: str, tmp_path: Path) -> None:
    """The format is recognized by its content, not by the name of the file."""
    reading = _read(tmp_path, data)
    assert reading.traces == ()
    assert reason in str(reading.problems[0])


@pytest.mark.parametrize(
    "document",
    [
        {"traceID": "1", "rootTraceName": "GET /", "spanSet": {}},
        {"traces": [{"traceID": "1", "rootServiceName": "a"}]},
        {"traces": [{"id": "1", "steps": []}]},
        {"took": 7, "hits": {"hits": [{"_source": {"traceID": "1", "spanID": "2"}}]}},
        {"_source": {"traceID": "1", "spanID": "2", "operationName": "a", "startTime": 3, "duration": 4}},
        {"traceID": "1", "spanID": "2", "operationName": "a", "startTime": 3, "duration": 4},
        {"traceId": "1", "spanId": "2", "startTime": AT, "endTime": AT, "durationInNanos": 5},
        {"traceId": "AAAA", "spanId": "AA==", "operationName": "a", "startTime": AT, "duration": "0.1s"},
        {"process": {"serviceName": "a"}, "spans": [{"traceIdLow": 1, "spanId": 2}]},
        {"data": {"trace": {"spans": [SKYWALKING]}}},
        {"spans": [SKYWALKING]},
        {"traceId": "a.b", "service": "a", "spans": [{"spanId": 0, "spanType": "Entry", "startTime": 1, "endTime": 2}]},
        {"meta": [], "data": [{"Timestamp": AT, "TraceId": "1", "SpanId": "2", "Duration": 5}], "rows": 1},
        {"Timestamp": AT, "TraceId": "1", "SpanId": "2", "Duration": 5},
        {"timestamp": AT, "traceID": "1", "spanID": "2", "durationNano": 5},
        {"timestamp": AT, "trace_id": "1", "span_id": "2", "duration_nano": 5},
        {"time": AT, "trace_id": "1", "id": "2", "duration": 5},
        {"Timestamp": AT, "trace.trace_id": "1", "trace.span_id": "2", "duration_ms": 5},
        {"traceEvents": []},
        {"trace_id": 1, "span_id": 2, "service": "a", "start": 3, "duration": 5},
        {"common": {}, "spans": [{"id": "1", "trace.id": "2", "attributes": {}}]},
        {"event_id": "1", "contexts": {"trace": {}}, "spans": [{"span_id": "2"}]},
        {"start_timestamp": 1.0, "timestamp": 2.0, "spans": [{"span_id": "2", "trace_id": "1"}], "transaction": "a"},
        {"@timestamp": AT, "processor": {"event": "span"}, "trace": {"id": "1"}, "span": {"id": "2"}},
        {"name": "a", "spanContext": {"traceId": "1"}, "startTime": [5, 0]},
        {"name": "a", "context": {"trace_id": "1", "span_id": "2"}, "start": 3},
        {"status": "success", "data": {"resultType": "streams", "result": []}},
        {"trace": {"id": "1"}, "observations": [{"type": "GENERATION"}]},
        {"result": [{"list": [{"timestamp": "5", "data": {}}]}]},
        {"trace_id": "1-2-3", "id": "4", "name": "a", "end_time": 5.0},
        {"traceId": "1", "spanId": "2"},
    ],
)
def test_another_format_is_refused_with_what_was_seen_and_the_way_to_otlp(
    document: dict[str, object], tmp_path: Path
) -> None:
    """Alone and in a list: no reader takes a document of another format for one of its own."""
    for written in (document, [document], [[document]]):
        reading = _read(tmp_path, json.dumps(written).encode())
        keys = ", ".join(document)[:60]
        assert (reading.traces, [p.reason for p in reading.problems]) == ((), [f"no trace: got {keys}; {KNOWN}"])


def test_spans_of_zipkins_first_version_are_refused(tmp_path: Path) -> None:
    """The whole list: some of its spans have nothing that the second version lacks."""
    notes = [{"timestamp": T0 // 1000, "value": "cs", "endpoint": {"serviceName": "shop"}}]
    new = json.loads(WRITERS["Zipkin"]())
    parts: list[dict[str, object]] = [{"binaryAnnotations": []}, {"annotations": notes}]
    for more in parts:
        reading = _read(tmp_path, json.dumps([{"traceId": "a1", "id": "b2", **more}, *new]).encode())
        assert (reading.traces, [problem.reason for problem in reading.problems]) == (
            (),
            [f"not read: Zipkin's version 1; {BY_COLLECTOR}"],
        )


def test_the_origin_of_a_subsegment_in_a_record_is_that_of_its_segment(tmp_path: Path) -> None:
    """X-Ray's segments in `aws/spans` have it on each of their spans: a call is no segment of Lambda."""
    call = {"rpc.system": "aws-api", "rpc.service": "DynamoDB", "rpc.method": "PutItem"}
    spans: list[tuple[str, int | None, str, str, int, int, dict[str, str]]] = [
        ("Work", None, "SERVER", "AWS::Lambda", 0, 100, {}),
        ("Work", 0, "SERVER", "AWS::Lambda::Function", 50, 100, {}),
        ("Initialization", 1, "INTERNAL", "AWS::Lambda::Function", 10, 45, {}),
        ("Invocation", 1, "INTERNAL", "AWS::Lambda::Function", 51, 90, {}),
        ("DynamoDB", 3, "CLIENT", "AWS::Lambda::Function", 60, 80, call),
        ("Overhead", 1, "INTERNAL", "AWS::Lambda::Function", 90, 100, {}),
    ]
    records = [
        {
            "traceId": TRACE_ID,
            "spanId": f"{index + 1:016x}",
            **({} if above is None else {"parentSpanId": f"{above + 1:016x}"}),
            "name": name,
            "kind": kind,
            "startTimeUnixNano": T0 + start * MS,
            "endTimeUnixNano": T0 + end * MS,
            "attributes": {"aws.xray.origin": origin, **attributes},
            "resource": {"attributes": {"service.name": "Work"}},
        }
        for index, (name, above, kind, origin, start, end, attributes) in enumerate(spans)
    ]
    reading = _read(tmp_path, "\n".join(map(json.dumps, records)).encode())
    assert reading.problems == ()
    assert {part.label: ns / MS for part, ns in breakdown_of(reading.traces[0]).components} == {
        "cold start": 45,
        "DynamoDB PutItem": 20,
        "own code": 19,
        "Lambda overhead": 11,
        "Lambda service": 5,
    }


def test_spans_of_phoenix_are_read(tmp_path: Path) -> None:
    """Python's names, but the status is a text beside them, and a kind of OpenInference is no attribute."""
    ids = {"id": "U3Bhbjox", "context": {"trace_id": "turn-1", "span_id": "s02"}, "parent_id": None}
    times = {"start_time": "2026-07-09T00:00:01+00:00", "end_time": "2026-07-09T00:00:03.5+00:00"}
    span = {**ids, **times, "name": "model-5", "span_kind": "LLM", "status_code": "ERROR", "attributes": {"n": 7}}
    reading = _read(tmp_path, json.dumps([span], indent=1).encode())
    [read] = [s for trace in reading.traces for s in trace.spans]
    assert (reading.problems, read.name, read.kind.name, read.status.name) == ((), "model-5", "INTERNAL", "ERROR")
    assert (read.end_ns or 0) - read.start_ns == 2_500 * MS
    assert dict(read.attributes) == {"n": 7, "openinference.span.kind": "LLM"}


def test_bare_spans_with_the_names_of_the_proto_file_are_read(tmp_path: Path) -> None:
    """One a line, with attributes as an object: what scripts and databases export."""
    ids = {"trace_id": TRACE_ID, "span_id": "00000000000000a1", "parent_span_id": None}
    times = {"start_time_unix_nano": T0, "end_time_unix_nano": T0 + MS}
    resource = {"service.name": "shop"}
    span = {
        **ids,
        **times,
        "name": "GET /",
        "kind": 2,
        "attributes": {"n": 7},
        "status": {"code": 2},
        "resource": resource,
    }
    reading = _read(tmp_path, json.dumps(span).encode() + b"\n")
    assert (reading.problems, _facts(reading)) == ((), [("00000000000000a1", "", "SERVER", T0, T0 + MS, True)])
    assert [(s.attributes["n"], dict(s.resource)) for s in reading.traces[0].spans] == [(7, resource)]


def test_ids_and_times_that_are_numbers_are_read(tmp_path: Path) -> None:
    """As scripts write them that dump a span of Python's SDK."""
    ids = {"trace_id": int(TRACE_ID, 16), "span_id": 0xA1, "is_remote": False}
    times = {"start_time": T0, "end_time": T0 + MS}
    span = {"name": "GET /", "context": ids, "kind": "SpanKind.SERVER", "parent_id": None, **times, "attributes": {}}
    reading = _read(tmp_path, json.dumps([span]).encode())
    assert (reading.problems, _facts(reading)) == ((), [("00000000000000a1", "", "SERVER", T0, T0 + MS, False)])
    assert reading.traces[0].trace_id == TRACE_ID


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (T0, T0 + 1_500_000),
        (T0 // 1000, T0 // 1000 + 1500),
        (T0 / 10**6, T0 / 10**6 + 1.5),
        (f"{T0 // 10**9}.000", f"{T0 // 10**9}.0015"),
        ("2026-11-24T22:40:00Z", "2026-11-24T22:40:00.0015Z"),
    ],
)
def test_bare_spans_with_times_in_any_unit_are_read(start: object, end: object, tmp_path: Path) -> None:
    """One a line or in a list; what OTLP does not have as a kind or a status is left out."""
    names = ("trace_id", "span_id", "parent_id", "start_time", "end_time", "service")
    sdks = ("traceId", "spanId", "parentSpanId", "startTime", "endTime", "serviceName")
    for keys, extra in ((names, {"kind": "LLM", "status": "success"}), (sdks, {"kind": "CLIENT", "status": "error"})):
        values = (TRACE_ID, "00000000000000a1", None, start, end, "shop")
        span = {**dict(zip(keys, values, strict=True)), "name": "GET /", "attributes": {"n": 7}, **extra}
        failed = extra["status"] == "error"
        kind = "CLIENT" if failed else "INTERNAL"
        for written in (span, [span, span], {"count": 1, "spans": [span]}):
            reading = _read(tmp_path, json.dumps(written).encode())
            facts = {
                (*fact[:3], fact[3], round(fact[4] - T0, -3), fact[5]) for fact in map(tuple[Any, ...], _facts(reading))
            }
            assert facts == {("00000000000000a1", "", kind, T0, 1_500_000, failed)}
            assert {s.resource["service.name"] for s in reading.traces[0].spans} == {"shop"}
            assert {s.attributes["n"] for s in reading.traces[0].spans} == {7}


def test_bare_spans_of_one_trace_are_read_from_its_list(tmp_path: Path) -> None:
    """Google's Cloud Trace writes the trace id once, and spans with labels and kinds of its own."""
    times = {"startTime": "2026-01-01T00:00:00Z", "endTime": "2026-01-01T00:00:01Z"}
    server = {"spanId": "17", "kind": "RPC_SERVER", "name": "GET /", "labels": {"n": "7"}, **times}
    spans = [server, {**server, "spanId": "18446744073709551615", "parentSpanId": "17", "kind": "RPC_CLIENT"}]
    reading = _read(tmp_path, json.dumps({"projectId": "p", "traceId": TRACE_ID, "spans": spans}).encode())
    [trace] = reading.traces
    assert (reading.problems, trace.trace_id) == ((), TRACE_ID)
    assert [(s.kind.name, s.attributes["n"], s.parent_id) for s in trace.spans] == [
        ("SERVER", "7", None),
        ("CLIENT", "7", "0000000000000017"),
    ]


def test_a_bare_span_without_a_time_of_this_century_is_a_problem(tmp_path: Path) -> None:
    """The unit of a small number cannot be known."""
    for start, shown in ((1000, "1000"), ({"$date": "2026"}, "{'$date': '2026'}"), (None, "None")):
        span = {"trace_id": TRACE_ID, "span_id": "a1", "name": "GET /", "start_time": start, "end_time": 2000}
        [problem] = _read(tmp_path, json.dumps({"spans": [span]}).encode()).problems
        assert problem.reason == f"not a span: times must be from 2000 to 2100, got {shown}"


def test_bare_spans_of_otlp_keep_their_attributes(tmp_path: Path) -> None:
    """Those are lists of pairs."""
    pairs = [{"key": "n", "value": {"intValue": "7"}}, {"key": "list", "value": {"arrayValue": {"values": []}}}]
    times = {"startTimeUnixNano": str(T0), "endTimeUnixNano": str(T0 + MS)}
    span = {"traceId": TRACE_ID, "spanId": "00000000000000a1", **times, "name": "GET /", "attributes": pairs}
    [trace] = _read(tmp_path, json.dumps(span).encode() + b"\n").traces
    assert [dict(s.attributes) for s in trace.spans] == [{"n": 7, "list": ()}]


def test_an_empty_link_is_left_out(tmp_path: Path) -> None:
    """Its span is read."""
    data = WRITERS["OTLP/JSON"]().replace(b'"name": "think"', b'"name": "think", "links": [{}, {"traceId": ""}]')
    assert _facts(_read(tmp_path, data)) == EXPECTED


@pytest.mark.parametrize("flag", [b'"shared": true, ', b""])
def test_a_server_that_shares_the_id_of_its_client_is_its_child(flag: bytes, tmp_path: Path) -> None:
    """Zipkin's B3 permits one id for both; the server's children are below the server. Not every writer flags it."""
    client, server = b"00000000000000a2", b"00000000000000a3"
    data = WRITERS["Zipkin"]().replace(
        b'"id": "%b", "parentId": "%b"' % (server, client),
        b'%b"id": "%b", "parentId": "00000000000000a1"' % (flag, client),
    )
    data = data.replace(b'"parentId": "00000000000000a3"', b'"parentId": "00000000000000a2"')
    facts = _facts(_read(tmp_path, data))
    assert [fact[:3] for fact in facts[2:]] == [
        ("80000000000000a2", "00000000000000a2", "SERVER"),
        ("00000000000000a4", "80000000000000a2", "INTERNAL"),
    ]


def test_pieces_of_one_span_are_merged(tmp_path: Path) -> None:
    """Zipkin's servers send a span in pieces: one without a time belongs to the span with its id."""
    piece = b'{"traceId": "%b", "id": "00000000000000a2", "tags": {"sql.query": "select 1"}}' % TRACE_ID[16:].encode()
    reading = _read(tmp_path, WRITERS["Zipkin"]().replace(b"[", b"[" + piece + b",", 1))
    assert _facts(reading) == EXPECTED
    assert reading.problems == ()
    [client] = [span for span in reading.traces[0].spans if span.span_id == "00000000000000a2"]
    assert (client.attributes["sql.query"], client.attributes["db.system"]) == ("select 1", "sql")


@pytest.mark.parametrize("write", [bytes, lambda message: len(message).to_bytes(4, "big") + message])
def test_logs_and_metrics_as_protobuf_are_named(write: Callable[[bytes], bytes], tmp_path: Path) -> None:
    """Some decode as traces without ids, because messages do not name their type."""
    log = {"timeUnixNano": T0, "body": {"stringValue": "served"}}
    points = {"dataPoints": [{"startTimeUnixNano": T0, "timeUnixNano": T0 + MS, "asInt": 7}]}
    messages = [
        ParseDict({"resourceLogs": [{"scopeLogs": [{"logRecords": [log]}]}]}, LogsData()),
        *(
            ParseDict(
                {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "n", kind: points}]}]}]}, MetricsData()
            )
            for kind in ("gauge", "sum")
        ),
    ]
    for message in messages:
        reading = _read(tmp_path, write(message.SerializeToString()))
        reasons = [problem.reason for problem in reading.problems]
        assert (reading.traces, reasons) == (
            (),
            ["OTLP logs or metrics, and not traces: name the file with resourceSpans"],
        )


def test_the_problem_names_a_missing_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protobuf and zstd need extras."""
    monkeypatch.setitem(sys.modules, "opentelemetry.proto.trace.v1.trace_pb2", None)
    reading = _read(tmp_path, WRITERS["OTLP protobuf"]())
    assert "OTLP as protobuf needs the extra formats" in str(reading.problems[0])


NEIGHBOURS = [*pairwise(FORMATS)]


@pytest.mark.parametrize("recorder", CLAIMS)
def test_a_recorded_document_is_read_by_its_format(recorder: str) -> None:
    """The first format that fits reads it, so an order of formats is an order of readers."""
    read_by = {next(f.name for f in FORMATS if f.fits(members)) for members in objects(recorder)}
    assert read_by == {CLAIMS[recorder][0]}


@pytest.mark.parametrize(("upper", "lower"), NEIGHBOURS, ids=[f"{a.name}, {b.name}" for a, b in NEIGHBOURS])
def test_neighbouring_formats_exclude_each_other_or_a_document_shows_their_order(upper: Format, lower: Format) -> None:
    """Shown by the documents of all recorders, each with any of its members left out."""
    claimed = both_claim(upper, lower)
    of_the_second = {name for name in claimed if CLAIMS[name][0] != upper.name}
    assert of_the_second == set(), f"{upper.name!r} comes before {lower.name!r}"


def test_each_format_reads_a_recorded_document() -> None:
    """Binary OTLP, the last one, is recognized by its bytes."""
    assert {claim for claim, _ in CLAIMS.values()} == {f.name for f in FORMATS[:-1]}


DOCUMENTS = spans_of([node("a", 0, 100, node("b", 10, 20), node("c", 30, 40))])


def _read_documents(path: Path) -> tuple[list[str], list[str]]:
    """The names of rows and the problems of a file; asserts that the spans of the traces have the same names."""
    problems: list[Problem] = []
    reader, index, source = Reader(), LineIndex(), Source(path.name, path)
    for _ in read_compact_spans(source, reader, problems, index):
        pass
    names = sorted(row.name for rows in reader.traces.values() for row in rows)
    whole = find_traces([source], reader.traces, index).values()
    assert sorted(span.name for trace in whole for span in trace.spans) == names
    return names, [str(problem) for problem in problems]


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("between", ["", "\n", "\n\n"])
def test_documents_may_follow_each_other(tmp_path: Path, indent: int | None, between: str) -> None:
    """On one line, on lines of their own, and over many lines."""
    path = tmp_path / "t.json"
    path.write_text(between.join(json.dumps(to_otlp([span]), indent=indent) for span in DOCUMENTS))
    assert _read_documents(path) == (["a", "b", "c"], [])


@pytest.mark.parametrize("text", ["[\n{0}\n]\n", "[{0}]", "[\n{0}]", "\n\n[[\n\n{0}]]\n"])
def test_lists_of_documents_are_read_in_any_layout(tmp_path: Path, text: str) -> None:
    """A list over many lines may have a document on a line of its own."""
    path = tmp_path / "t.json"
    path.write_text(text.format(dump_line(DOCUMENTS).strip()))
    assert _read_documents(path) == (["a", "b", "c"], [])


def test_text_after_a_document_is_a_problem(tmp_path: Path) -> None:
    """The document itself is read."""
    path = tmp_path / "t.jsonl"
    path.write_text(dump_line(DOCUMENTS[:1]) + dump_line(DOCUMENTS[1:]).strip() + ' {"more\n')
    assert _read_documents(path) == (["a", "b", "c"], ["t.jsonl:2: cut or not JSON: invalid character (byte 6)"])


def test_a_large_document_is_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few spans at a time; a broken span is a problem, and the rest is read."""
    monkeypatch.setattr(otlp, "LARGE", 10)
    monkeypatch.setattr(otlp, "AT_ONCE", 2)
    document: Any = to_otlp(DOCUMENTS)
    path = tmp_path / "t.json"
    path.write_text(json.dumps(document))
    assert _read_documents(path) == (["a", "b", "c"], [])
    document["resourceSpans"][0]["scopeSpans"][0]["spans"][1]["spanId"] = ""
    path.write_text(json.dumps(document))
    assert _read_documents(path) == (["a", "c"], ["t.json:1: not a span: spanId must be 16 hex digits, got None"])


def test_ids_may_be_in_capitals(tmp_path: Path) -> None:
    """In some documents only: the spans still form one trace."""
    path = tmp_path / "t.jsonl"
    upper = dump_line(DOCUMENTS[1:])
    for span in DOCUMENTS:
        upper = upper.replace(span.span_id, span.span_id.upper())
    path.write_text(dump_line(DOCUMENTS[:1]) + upper.replace(TRACE_ID, TRACE_ID.upper()))
    assert _read_documents(path) == (["a", "b", "c"], [])
    [trace] = find_traces([Source("t", path)], [TRACE_ID]).values()
    assert [span.name for span in trace.children(trace.roots[0])] == ["b", "c"]
