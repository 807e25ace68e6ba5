"""Formats of stores and of older tools: ClickHouse, Honeycomb, SkyWalking, Zipkin v1, bare segments of X-Ray."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lambda_latency.trace import Reader, Span, SpanKind, Status, spans_of

if TYPE_CHECKING:
    from collections.abc import Mapping

TRACE, ROOT, CALL = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", "eee19b7ec3c1b173"
AT, AT_NS = "2026-11-27T08:00:00.123456789Z", 1_795_766_400_123_456_789


def _spans(document: object) -> list[Span]:
    problems: list[str] = []
    found = list(spans_of(json.dumps(document).encode(), problems.append))
    assert problems == []
    return found


def _facts(span: Span) -> tuple[object, ...]:
    service = span.resource.get("service.name")
    took = (span.end_ns or 0) - span.start_ns
    return span.span_id, span.parent_id, span.name, span.kind, service, span.start_ns, took, span.status


def _rows(write: str) -> list[Mapping[str, object]]:
    """Two spans as a store writes them: a server of `shop`, and its failed call to `pay`."""
    rows: list[Mapping[str, object]] = []
    for span_id, parent, name, kind, ns, code in (
        (ROOT, "", "GET /a", 2, 5_000_000, 0),
        (CALL, ROOT, "POST", 3, 2_000_000, 2),
    ):
        word = ("", "Internal", "Server", "Client")[kind]
        status = ("Unset", "Ok", "Error")[code]
        host = {"server.address": "pay"} if parent else {}
        if write == "collector":
            rows.append({
                "Timestamp": "2026-11-27 08:00:00.123456789", "TraceId": TRACE, "SpanId": span_id,
                "ParentSpanId": parent, "SpanName": name, "SpanKind": word, "ServiceName": "shop",
                "Duration": ns, "StatusCode": status, "ResourceAttributes": {"host.name": "a"}, "SpanAttributes": host,
            })  # fmt: skip
        elif write == "signoz":
            rows.append({
                "timestamp": AT, "trace_id": TRACE, "span_id": span_id, "parent_span_id": parent, "name": name,
                "kind": kind, "duration_nano": ns, "status_code": code, "resource_string_service$$name": "shop",
                "attributes_string": host,
            })  # fmt: skip
        elif write == "signoz before 0.60":
            rows.append({
                "timestamp": AT, "traceID": TRACE, "spanID": span_id, "parentSpanID": parent, "name": name,
                "kind": kind, "durationNano": ns, "statusCode": code, "serviceName": "shop", "stringTagMap": host,
            })  # fmt: skip
        elif write == "milliseconds":
            rows.append({
                "timestamp": AT, "trace_id": TRACE, "span_id": span_id, "parent_id": parent, "span_name": name,
                "kind": word, "duration_ms": ns / 1e6, "service": "shop", "status": status, "attributes": host,
            })  # fmt: skip
        elif write == "uptrace":
            rows.append({
                "time": AT, "trace_id": TRACE, "id": span_id, "parent_id": parent, "name": name, "kind": word.lower(),
                "duration": ns, "status_code": status.lower(), "service_name": "shop", "attrs": host,
            })  # fmt: skip
        else:
            rows.append({
                ("time" if write == "events" else "Timestamp"): AT,
                "trace.trace_id": TRACE, "trace.span_id": span_id, "trace.parent_id": parent,
                "name": name, "span.kind": word.lower(), "duration_ms": ns / 1e6, "status_code": code,
                "service.name": "shop", **host,
            })  # fmt: skip
    return rows


@pytest.mark.parametrize(
    "write", ["collector", "signoz", "signoz before 0.60", "uptrace", "honeycomb", "events", "milliseconds"]
)
def test_a_row_of_a_store_is_a_span(write: str) -> None:
    """With ids, parent, kind, service, time, duration, status and attributes: as a list, and a row a line."""
    rows = _rows(write)
    found = _spans(rows)
    assert [_facts(span) for span in found] == [
        (ROOT, None, "GET /a", SpanKind.SERVER, "shop", AT_NS, 5_000_000, Status.UNSET),
        (CALL, ROOT, "POST", SpanKind.CLIENT, "shop", AT_NS, 2_000_000, Status.ERROR),
    ]
    assert found[1].attributes["server.address"] == "pay"
    assert [_facts(span) for row in rows for span in _spans(row)] == [_facts(span) for span in found]


def test_an_answer_of_clickhouse_is_read() -> None:
    """In `FORMAT JSON`: the rows are in `data`."""
    rows = _rows("collector")
    assert _spans({"meta": [], "data": rows, "rows": 2, "statistics": {}}) == _spans(rows)


def test_an_answer_of_skywalking_is_read() -> None:
    """Spans are numbered in their segment, and refer to the span of another one."""
    entry = {
        "traceId": "a.b.c", "segmentId": "s2", "spanId": 0, "parentSpanId": -1, "type": "Entry", "serviceCode": "pay",
        "refs": [{"parentSegmentId": "s1", "parentSpanId": 1}], "startTime": 1_795_766_400_002,
        "endTime": 1_795_766_400_004, "endpointName": "/pay", "isError": False, "tags": [],
    }  # fmt: skip
    root = {**entry, "segmentId": "s1", "refs": [], "serviceCode": "shop", "endTime": 1_795_766_400_009}
    root |= {"startTime": 1_795_766_400_000, "endpointName": "/a"}
    call = {**root, "spanId": 1, "parentSpanId": 0, "type": "Exit", "peer": "pay:80", "isError": True}
    call |= {"endpointName": "/pay", "startTime": 1_795_766_400_001, "endTime": 1_795_766_400_005}
    for document in ({"data": {"trace": {"spans": [root, call, entry]}}}, {"trace": {"spans": [root, call, entry]}}):
        first, second, third = _spans(document)
        assert (first.parent_id, second.parent_id, third.parent_id) == (None, first.span_id, second.span_id)
        assert [span.kind for span in (first, second, third)] == [SpanKind.SERVER, SpanKind.CLIENT, SpanKind.SERVER]
        assert [span.resource["service.name"] for span in (first, second, third)] == ["shop", "shop", "pay"]
        assert (second.attributes["server.address"], second.status) == ("pay:80", Status.ERROR)
        assert (third.end_ns or 0) - third.start_ns == 2_000_000


@pytest.mark.parametrize("numbered", [False, True])
def test_segments_of_skywalking_are_read(numbered: bool) -> None:
    """As agents report them, with types and layers as words or as numbers: each segment has one service."""
    root: dict[str, object]
    root = {"spanId": 0, "parentSpanId": -1, "operationName": "/a", "spanType": 0 if numbered else "Entry"}
    root |= {"startTime": 1_795_766_400_000, "endTime": 1_795_766_400_009, "isError": False}
    call = {**root, "spanId": 1, "parentSpanId": 0, "operationName": "/pay", "spanType": 1 if numbered else "Exit"}
    call |= {"peer": "pay:80", "isError": True}
    query = {**call, "spanId": 2, "operationName": "SELECT", "peer": "db:5432", "isError": False, "tags": []}
    query |= {"spanLayer": 1 if numbered else "Database", "tags": [{"key": "db.type", "value": "PostgreSQL"}]}
    refs = [{"refType": "CrossProcess", "traceId": "a.b.c", "parentTraceSegmentId": "s1", "parentSpanId": 1}]
    shop = {"traceId": "a.b.c", "traceSegmentId": "s1", "service": "shop", "spans": [root, call, query]}
    pay = {"traceId": "a.b.c", "traceSegmentId": "s2", "service": "pay", "spans": [{**root, "refs": refs}]}
    first, second, third, fourth = _spans([shop, pay])
    assert len({span.trace_id for span in (first, second, third, fourth)}) == 1
    assert [span.parent_id for span in (first, second, third, fourth)] == [
        None, first.span_id, first.span_id, second.span_id
    ]  # fmt: skip
    assert [span.kind.name for span in (first, second, third, fourth)] == ["SERVER", "CLIENT", "CLIENT", "SERVER"]
    assert [span.resource["service.name"] for span in (first, fourth)] == ["shop", "pay"]
    assert (second.name, second.attributes["server.address"], second.status) == ("/pay", "pay:80", Status.ERROR)
    assert third.attributes["db.system"] == "postgresql"
    assert (fourth.end_ns or 0) - fourth.start_ns == 9_000_000


def test_a_segment_of_skywalking_without_an_id_is_read() -> None:
    """It is the only one of its trace."""
    root: dict[str, object] = {"spanId": 0, "parentSpanId": -1, "operationName": "/a", "spanType": "Entry"}
    root |= {"startTime": 1_795_766_400_000, "endTime": 1_795_766_400_009}
    [span] = _spans({"traceId": "a", "service": "shop", "spans": [root]})
    assert (span.name, span.resource["service.name"], span.kind) == ("/a", "shop", SpanKind.SERVER)


def _stored_by_jaeger() -> list[dict[str, object]]:
    process = {"serviceName": "shop", "tags": []}
    root: dict[str, object]
    root = {"traceID": TRACE, "spanID": ROOT, "operationName": "GET /a", "references": [], "process": process}
    root |= {"startTime": AT_NS // 1000, "startTimeMillis": AT_NS // 10**6, "duration": 5000, "logs": []}
    root |= {"tags": [{"key": "span.kind", "type": "string", "value": "server"}]}
    tags: list[dict[str, object]]
    tags = [{"key": "span.kind", "type": "string", "value": "client"}, {"key": "error", "type": "bool", "value": True}]
    call = {**root, "spanID": CALL, "operationName": "POST", "duration": 2000, "tags": tags}
    call["references"] = [{"refType": "CHILD_OF", "traceID": TRACE, "spanID": ROOT}]
    return [root, call]


def _stored_by_data_prepper() -> list[dict[str, object]]:
    root: dict[str, object]
    root = {"traceId": TRACE, "spanId": ROOT, "parentSpanId": "", "name": "GET /a", "kind": "SPAN_KIND_SERVER"}
    root |= {"serviceName": "shop", "startTime": AT, "endTime": "2026-11-27T08:00:00.128456789Z", "status.code": 0}
    root |= {"durationInNanos": 5_000_000, "traceGroup": "GET /a", "resource.attributes.service@name": "shop"}
    call = {**root, "spanId": CALL, "parentSpanId": ROOT, "name": "POST", "kind": "SPAN_KIND_CLIENT"}
    call |= {"endTime": "2026-11-27T08:00:00.125456789Z", "status.code": 2, "span.attributes.server@address": "pay"}
    return [root, call]


def _stored_as_fields() -> list[dict[str, object]]:
    """Jaeger's documents with the tags as fields (`--es.tags-as-fields.all`)."""
    root, call = _stored_by_jaeger()
    process = {"serviceName": "shop", "tags": [], "tag": {"host@name": "a"}}
    root |= {"tags": [], "process": process, "tag": {"span@kind": "server"}}
    call |= {"tags": [], "process": process, "tag": {"span@kind": "client", "error": True, "server@address": "pay"}}
    return [root, call]


STORED = {"jaeger": _stored_by_jaeger, "fields": _stored_as_fields, "data prepper": _stored_by_data_prepper}


@pytest.mark.parametrize("stored", [each() for each in STORED.values()], ids=[*STORED])
def test_the_hits_of_a_search_are_read(stored: list[dict[str, object]]) -> None:
    """Of Elasticsearch and OpenSearch: the whole answer, its hits alone, the documents, and with the bulk's actions."""
    hits = [{"_index": "spans-1", "_id": str(at), "_source": one} for at, one in enumerate(stored)]
    bulk = [line for one in stored for line in ({"index": {"_id": "1"}}, one)]
    for document in ({"took": 7, "timed_out": False, "hits": {"total": 2, "hits": hits}}, hits, stored, bulk):
        found = _spans(document)
        assert [_facts(span)[:-3] for span in found] == [
            (ROOT, None, "GET /a", SpanKind.SERVER, "shop"),
            (CALL, ROOT, "POST", SpanKind.CLIENT, "shop"),
        ]
        assert [(span.end_ns or 0) - span.start_ns for span in found] == [5_000_000, 2_000_000]
        assert [span.status for span in found] == [Status.UNSET, Status.ERROR]
    assert all(span.attributes.get("server.address", "pay") == "pay" for span in found)


def _first(value: str, at: int, service: str) -> dict[str, object]:
    return {"timestamp": 1_795_766_400_000_000 + at, "value": value, "endpoint": {"serviceName": service}}


def test_a_call_of_zipkin_v1_is_two_spans_with_the_times_of_its_annotations() -> None:
    """`cs` and `cr` are the client's, `sr` and `ss` the server's."""
    notes = [_first("cs", 0, "shop"), _first("sr", 1000, "pay"), _first("ss", 4000, "pay"), _first("cr", 5000, "shop")]
    notes.append(_first("charged", 2000, "pay"))
    tags = [{"key": "http.status_code", "value": "200", "endpoint": {"serviceName": "pay"}}]
    span = {"traceId": "a1", "id": "b2", "name": "post", "annotations": notes, "binaryAnnotations": tags}
    client, server = _spans([span])
    assert (client.kind, client.resource["service.name"], client.start_ns % 10**9) == (SpanKind.CLIENT, "shop", 0)
    assert (client.end_ns or 0) - client.start_ns == 5_000_000
    assert (server.kind, server.resource["service.name"]) == (SpanKind.SERVER, "pay")
    assert (server.parent_id, server.start_ns - client.start_ns) == (client.span_id, 1_000_000)
    assert (server.end_ns or 0) - server.start_ns == 3_000_000
    assert (server.attributes["http.status_code"], "http.status_code" in client.attributes) == ("200", False)


def test_one_side_of_a_call_and_local_work_of_zipkin_v1_are_a_span_each() -> None:
    """Without `cr` the duration is the span's; without any annotation of a call the span is local."""
    sent = {
        "traceId": "a1", "id": "b2", "name": "get", "timestamp": 1_795_766_400_000_000, "duration": 7000,
        "annotations": [_first("cs", 0, "shop")],
        "binaryAnnotations": [{"key": "sa", "value": True, "endpoint": {"serviceName": "pay"}}],
    }  # fmt: skip
    local = {
        "traceId": "a1", "id": "c3", "parentId": "b2", "name": "work", "timestamp": 1_795_766_400_001_000,
        "duration": 10, "binaryAnnotations": [{"key": "lc", "value": "x", "endpoint": {"serviceName": "shop"}}],
    }  # fmt: skip
    first, second = _spans([sent, local])
    assert (first.kind, first.attributes["peer.service"]) == (SpanKind.CLIENT, "pay")
    assert (first.end_ns or 0) - first.start_ns == 7_000_000
    assert (second.kind, second.resource["service.name"]) == (SpanKind.INTERNAL, "shop")
    assert (second.end_ns or 0) - second.start_ns == 10_000


def test_a_span_of_zipkin_v1_without_times_is_named() -> None:
    """It is left out, and the others are read."""
    problems: list[str] = []
    found = list(spans_of(b'[{"traceId":"1","id":"2","annotations":[],"binaryAnnotations":[]}]', problems.append))
    assert (found, problems) == ([], ["not a span of Zipkin v1: it has no timestamp"])


def test_segments_of_xray_without_documents_are_read() -> None:
    """As tools write them that have decoded the documents: alone, in an answer, and with a trace id outside."""
    segment = {"id": ROOT, "name": "shop", "start_time": 1_795_766_400.5, "end_time": 1_795_766_400.75}
    segment |= {"trace_id": "1-5b8efff7-98038103d269b633813fc60c"}
    trace = {"Id": "1-5b8efff7-98038103d269b633813fc60c", "Segments": [segment]}
    for document in (trace, {"Traces": [trace]}):
        [span] = _spans(document)
        assert (span.trace_id, span.name, (span.end_ns or 0) - span.start_ns) == (TRACE, "shop", 250_000_000)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"event_id": "1", "contexts": {"trace": {}}, "spans": [{"span_id": "2"}]}, "Sentry's events: send the spans"),
        ({"start_timestamp": 1.0, "timestamp": 2.0, "spans": [], "transaction": "a"}, "Sentry's events: send"),
        (
            {"@timestamp": AT, "processor": {"event": "span"}, "trace": {"id": "1"}, "span": {"id": "2"}},
            "Elastic APM's documents: send them by OTLP",
        ),
        ({"@timestamp": AT, "trace.id": "1", "transaction.id": "2"}, "Elastic APM's documents: send them by OTLP"),
        ({"sent_at": AT, "trace": {"trace_id": TRACE}}, "Sentry's events: send the spans by OTLP"),
        ({"status": "success", "data": {"resultType": "streams", "result": []}}, "the answer of a query of logs or"),
        (
            {"traceId": "AAAA", "spanId": "AA==", "operationName": "a", "startTime": AT, "duration": "0.1s"},
            "spans of Jaeger's model, as in Kafka and Cassandra: ask Jaeger for /api/traces/ID",
        ),
        (
            [[{"trace_id": 1, "span_id": 2, "service": "a", "start": AT_NS, "duration": 5}]],
            "Datadog's spans: send them to a collector with the receiver `datadog`",
        ),
    ],
)
def test_what_cannot_be_read_has_its_own_name(document: object, reason: str) -> None:
    """And what to do."""
    problems: list[str] = []
    reader = Reader()
    reader.read([json.dumps(document).encode()], lambda _, problem: problems.append(problem))
    assert not reader.traces
    assert problems[0].startswith(reason)
