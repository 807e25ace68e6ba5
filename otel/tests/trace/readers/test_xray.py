"""X-Ray's documents in practice: a test for each peculiarity."""

import json
from pathlib import Path
from typing import Any

from lambda_latency.latency import Component, breakdown_of
from lambda_latency.trace import Link, Span, SpanKind, Status, Trace, critical_path, read_traces, spans_of
from tests.trace.build import MS

ID = "1-5759e988-bd862e3fe1be46a994272793"
HEX = "5759e988bd862e3fe1be46a994272793"
START = 1_465_510_280
GOLDEN = Path(__file__).parents[2] / "golden" / "xray"


def _segment(name: str, number: int, start: float, end: float | None, **more: Any) -> dict[str, Any]:
    """A document; times are milliseconds after `START`."""
    times = {"start_time": START + start / 1000}
    if end is not None:
        times["end_time"] = START + end / 1000
    return {"name": name, "id": f"{number:016x}", **times, **more}


def _answer(*segments: dict[str, Any], **more: Any) -> str:
    """The output of `aws xray batch-get-traces`: documents as text, in any order."""
    documents = [{"Id": s["id"], "Document": json.dumps({"trace_id": ID, **s})} for s in segments]
    traces = [{"Id": ID, "Duration": 1.0, "Segments": documents[::-1]}]
    return json.dumps({"Traces": traces, "UnprocessedTraceIds": [], **more})


def _read(text: str) -> tuple[list[Span], list[str]]:
    problems: list[str] = []
    return list(spans_of(text.encode(), problems.append)), problems


def _trace(*segments: dict[str, Any]) -> Trace:
    spans, problems = _read(_answer(*segments))
    assert problems == []
    return Trace(spans)


def _parts(trace: Trace) -> dict[str, float]:
    return {part.label: ns / MS for part, ns in breakdown_of(trace).components}


GATEWAY = _segment(
    "orders/prod",
    1,
    0,
    1000,
    origin="AWS::ApiGateway::Stage",
    http={"request": {"method": "POST", "url": "https://x/orders"}, "response": {"status": 201}},
    subsegments=[_segment("Lambda", 2, 2, 998, namespace="aws", http={"response": {"status": 200}})],
)
SERVICE = _segment("CreateOrder", 3, 5, 990, origin="AWS::Lambda", parent_id=f"{2:016x}")
INIT = _segment("Initialization", 5, 100, 395)
INVOCATION = _segment("Invocation", 6, 400, 900)
OVERHEAD = _segment("Overhead", 7, 900, 1100)
FUNCTION = _segment(
    "CreateOrder",
    4,
    400,
    1100,
    origin="AWS::Lambda::Function",
    parent_id=f"{3:016x}",
    subsegments=[INVOCATION, INIT, OVERHEAD],
)
HANDLER = _segment(
    "orders",
    8,
    410,
    890,
    parent_id=f"{4:016x}",
    http={"request": {"method": "POST"}, "response": {"status": 201}},
    annotations={"http_route": "/orders", "faas_coldstart": True},
    metadata={"default": {"faas.trigger": "http", "otel.resource.faas.name": "CreateOrder"}},
)
PUT = _segment(
    "DynamoDB",
    9,
    500,
    700,
    type="subsegment",
    namespace="aws",
    parent_id=f"{8:016x}",
    aws={"operation": "PutItem", "table_name": "orders"},
    http={"response": {"status": 200}},
)


def test_the_chain_of_a_request_by_parent_ids() -> None:
    """Stage, its call, service, function, and the SERVER span, which is a segment without origin."""
    trace = _trace(GATEWAY, SERVICE, FUNCTION, HANDLER, PUT)
    assert [(span.name, span.kind, span.origin) for span in trace.spans] == [
        ("orders/prod", SpanKind.SERVER, "AWS::ApiGateway::Stage"),
        ("Lambda", SpanKind.CLIENT, None),
        ("CreateOrder", SpanKind.SERVER, "AWS::Lambda"),
        ("Initialization", SpanKind.INTERNAL, None),
        ("CreateOrder", SpanKind.SERVER, "AWS::Lambda::Function"),
        ("Invocation", SpanKind.INTERNAL, None),
        ("POST /orders", SpanKind.SERVER, None),
        ("DynamoDB.PutItem", SpanKind.CLIENT, None),
        ("Overhead", SpanKind.INTERNAL, None),
    ]
    assert (trace.route, trace.function, trace.status_code, trace.cold_start) == (
        "POST /orders",
        "CreateOrder",
        201,
        True,
    )
    assert len(trace.local_roots) == 1


def test_initialization_before_its_function_is_the_cold_start() -> None:
    """It is not cut to its parent; the start of the environment before it belongs to it too."""
    assert _parts(_trace(GATEWAY, SERVICE, FUNCTION, HANDLER, PUT)) == {
        "cold start": 390,
        "own code": 280,
        "DynamoDB PutItem orders": 200,
        "Lambda overhead": 110,
        "API Gateway": 15,
        "Lambda service": 5,
    }


def test_segments_that_outlive_the_callers_call_do_not_extend_it() -> None:
    """The function segment and its Overhead end after the response."""
    trace = _trace(GATEWAY, SERVICE, FUNCTION, HANDLER, PUT)
    assert critical_path(trace).wall_ns == 1000 * MS


def test_a_millisecond_that_lambda_truncated_is_the_handlers() -> None:
    """The handler ends at 900.4 ms, in an invocation that ends at 900: the time is taken from Overhead."""
    handler = {**HANDLER, "end_time": START + 0.9004}
    whole = _parts(_trace(GATEWAY, SERVICE, FUNCTION, HANDLER))
    cut = _parts(_trace(GATEWAY, SERVICE, FUNCTION, handler))
    differences = {label: round(cut[label] - whole[label], 6) for label in whole if cut[label] != whole[label]}
    assert differences == {"own code": 10.4, "Lambda overhead": -10.4}
    spans = {s.name: s for s in _trace(GATEWAY, SERVICE, FUNCTION, handler).spans}
    assert spans["Invocation"].end_ns == spans["Overhead"].start_ns == START * 10**9 + 900_400_000


def test_the_outer_segments_end_no_earlier_than_the_invocation() -> None:
    """Lambda's function segment has microseconds; those of its service and of API Gateway have milliseconds."""
    function = {
        **FUNCTION,
        "subsegments": [_segment("Invocation", 6, 400, 900.6), _segment("Overhead", 7, 900.6, 1100)],
    }
    service = {**SERVICE, "end_time": START + 0.9}
    gateway = {**GATEWAY, "end_time": START + 0.9, "subsegments": [_segment("Lambda", 2, 2, 900, namespace="aws")]}
    handler = {**HANDLER, "end_time": START + 0.9004}
    spans = _trace(gateway, service, function, handler).spans
    ends = {s.origin or s.name: s.end_ns - START * 10**9 for s in spans if s.end_ns is not None}
    assert ends == {
        "AWS::ApiGateway::Stage": 900_600_000,
        "Lambda": 900_600_000,
        "AWS::Lambda": 900_600_000,
        "AWS::Lambda::Function": 1_100_000_000,
        "Invocation": 900_600_000,
        "Overhead": 1_100_000_000,
        "POST /orders": 900_400_000,
    }


def test_a_span_that_outlives_an_invocation_does_not_lengthen_it() -> None:
    """Only an end within the last millisecond of the invocation extends it."""
    spans = {s.name: s for s in _trace(GATEWAY, SERVICE, FUNCTION, {**HANDLER, "end_time": START + 0.901}).spans}
    assert spans["Invocation"].end_ns == spans["Overhead"].start_ns == START * 10**9 + 900_000_000


def test_the_kits_own_spans_are_recognized_by_their_metadata() -> None:
    """X-Ray does not keep the scope; another span with such a name is not the kit's."""
    call = _segment(
        "api.example.com", 9, 500, 800, namespace="remote", http={"request": {"url": "https://api.example.com"}}
    )
    of_the_kit = {"metadata": {"default": {"lambda.connect.host": "api.example.com"}}}
    steps = [
        _segment("dns", 10, 500, 600, **of_the_kit),
        _segment("tls", 11, 600, 650, **of_the_kit),
        _segment("tcp", 12, 650, 660),
    ]
    parts = _parts(_trace(GATEWAY, SERVICE, FUNCTION, {**HANDLER, "subsegments": [{**call, "subsegments": steps}]}))
    assert {label: ms for label, ms in parts.items() if "example" in label} == {
        "connect to api.example.com": 150,
        "api.example.com": 150,
    }


def test_older_documents_have_no_invocation() -> None:
    """Calls are directly below the function, whose self time is the user's code."""
    put = {**PUT, "start_time": START + 0.5, "end_time": START + 0.7}
    function = {**FUNCTION, "subsegments": [put, OVERHEAD]}
    assert _parts(_trace(SERVICE, function)) == {
        "Lambda service": 395,
        "own code": 300,
        "DynamoDB PutItem orders": 200,
        "Lambda overhead": 90,
    }


def test_powertools_subsegments_are_own_code_around_their_calls() -> None:
    """Its subsegments lie in the Invocation, with the calls of the handler below them."""
    host = {"url": "https://payments.example.com/charges", "method": "POST"}
    pay = _segment("payments.example.com", 31, 620, 820, namespace="remote", http={"request": host})
    charge = _segment("## charge", 33, 600, 850, subsegments=[pay])
    handler = _segment(
        "## handler",
        32,
        410,
        890,
        annotations={"ColdStart": True},
        subsegments=[charge, {**PUT, "end_time": START + 0.62}],
    )
    function = {**FUNCTION, "subsegments": [{**INVOCATION, "subsegments": [handler]}, INIT, OVERHEAD]}
    assert _parts(_trace(GATEWAY, SERVICE, function)) == {
        "cold start": 390,
        "own code": 200,
        "payments.example.com": 200,
        "DynamoDB PutItem orders": 100,
        "Lambda overhead": 90,
        "API Gateway": 15,
        "Lambda service": 5,
    }


def test_an_asynchronous_invocation_is_as_long_as_its_trace() -> None:
    """The service's segment closes with 202; its queue and attempts continue after its end."""
    queued = _segment("Dwell Time", 10, 8, 300)
    attempt = _segment("Attempt #1", 11, 300, 1200)
    service = {
        **_segment("CreateOrder", 3, 5, 10, origin="AWS::Lambda", http={"response": {"status": 202}}),
        "subsegments": [queued, attempt],
    }
    function = {**_segment("CreateOrder", 4, 310, 1190, origin="AWS::Lambda::Function"), "parent_id": f"{11:016x}"}
    trace = _trace(service, function)
    assert critical_path(trace).wall_ns == 1195 * MS
    assert dict(breakdown_of(trace).components)[Component("lambda", "service")] == 315 * MS


def test_inferred_segments_repeat_a_call_and_count_once() -> None:
    """A child of an inferred segment becomes a child of the call."""
    inferred = _segment("DynamoDB", 20, 500, 700, inferred=True, parent_id=PUT["id"], origin="AWS::DynamoDB::Table")
    behind = _segment("stream", 21, 600, 650, parent_id=f"{20:016x}")
    trace = _trace(GATEWAY, SERVICE, FUNCTION, HANDLER, PUT, inferred, behind)
    assert sum(span.name.startswith("DynamoDB") for span in trace.spans) == 1
    assert [trace.parent(span) for span in trace.spans if span.name == "stream"] == [trace.get(PUT["id"])]
    assert dict(breakdown_of(trace).calls)[Component("aws", "DynamoDB PutItem orders")].calls == 1


def test_a_segment_in_progress_is_replaced_by_the_complete_one() -> None:
    """In any order of the documents; without a complete one, the span is open."""
    open_one = {
        **_segment("DynamoDB", 9, 500, None),
        "in_progress": True,
        "type": "subsegment",
        "parent_id": HANDLER["id"],
    }
    for documents in ((open_one, PUT), (PUT, open_one)):
        trace = _trace(GATEWAY, SERVICE, FUNCTION, HANDLER, *documents)
        assert trace.problems == ()
        assert [span.end_ns is None for span in trace.spans if span.span_id == PUT["id"]] == [False]
    trace = _trace(GATEWAY, SERVICE, FUNCTION, HANDLER, open_one)
    assert [span.end_ns for span in trace.spans if span.span_id == PUT["id"]] == [None]


def test_a_throttled_call_has_no_function_segment() -> None:
    """429 from Lambda's service: the request is short and has no own code."""
    throttled = {**SERVICE, "throttle": True, "error": True, "http": {"response": {"status": 429}}}
    assert set(_parts(_trace(GATEWAY, throttled))) == {"API Gateway", "Lambda service"}


def test_times_are_read_as_decimals() -> None:
    """A binary float has a precision of about a quarter of a microsecond for an epoch time."""
    document = _segment("a", 1, 0, None)
    text = json.dumps({"trace_id": ID, **document})
    text = (
        text.replace(str(document["start_time"]), "1.6815744310206673E9")[:-1] + ', "end_time": 1681574431.123456789}'
    )
    [span], problems = _read(text)
    assert ((span.start_ns, span.end_ns), problems) == ((1_681_574_431_020_667_300, 1_681_574_431_123_456_789), [])


def test_bare_segments_are_read_alone_or_as_a_list() -> None:
    """The daemon receives single ones; people save lists."""
    documents = [{"trace_id": ID, **segment} for segment in (GATEWAY, SERVICE, FUNCTION, HANDLER, PUT)]
    together, problems = _read(json.dumps(documents))
    assert (len(together), problems) == (9, [])
    assert [span for segment in documents for span in _read(json.dumps(segment))[0]] == together
    wrapped = [{"Id": segment["id"], "Document": json.dumps(segment)} for segment in documents]
    assert _read(json.dumps(wrapped))[0] == together


def test_segments_without_documents_are_read() -> None:
    """As tools write them that have decoded the documents: alone, in an answer, and with a trace id outside."""
    segment = {**_segment("shop", 1, 500, 750), "trace_id": ID}
    trace = {"Id": ID, "Segments": [segment]}
    for document in (trace, {"Traces": [trace]}):
        [span], problems = _read(json.dumps(document))
        assert problems == []
        assert (span.trace_id, span.name, (span.end_ns or 0) - span.start_ns) == (HEX, "shop", 250 * MS)


def test_unknown_keys_and_invalid_blocks_are_ignored() -> None:
    """An invalid block costs itself alone; lost subsegments are a problem."""
    odd = {**PUT, "http": [], "aws": None, "annotations": 7, "metadata": "x", "cause": "0123", "stray": {"a": [1]}}
    spans, problems = _read(_answer({**GATEWAY, "subsegments": "none"}, odd))
    assert [span.name for span in spans] == ["DynamoDB", "orders/prod"]
    assert problems == ["subsegments must be objects, got 'none'"]


def test_broken_documents_are_problems() -> None:
    """The rest of the answer is read."""
    answer = json.loads(_answer(GATEWAY, UnprocessedTraceIds=[ID]))
    answer["Traces"][0]["Segments"] += [{"Document": "{"}, {"Id": "x"}, 7, {"Document": "{}"}]
    answer["Traces"].append({"Id": ID})
    bad = ({"id": "0"}, {"start_time": "now"}, {"trace_id": "1-2"}, {"end_time": -5}, {"start_time": 1e300})
    answer["Traces"][0]["Segments"] += [{"Document": json.dumps({"trace_id": ID, **PUT, **wrong})} for wrong in bad]
    spans, problems = _read(json.dumps(answer))
    assert len(spans) == 2
    assert sorted(problem[:60] for problem in problems) == [
        "X-Ray did not answer for 1 traces: ask for 1-5759e988-bd862e",
        "an X-Ray trace must have Segments",
        "not a segment document: Input data was truncated",
        "not a segment document: it has no Document",
        "not a segment document: it has no id",
        "not a segment document: it must be an object, got a whole nu",
        "not a segment: end_time must be seconds since 1970, got -5",
        "not a segment: id must not be all zeros, got '0'",
        'not a segment: start_time must be seconds since 1970, got "n',
        "not a segment: start_time must be seconds since 1970, got 1e",
        "trace_id must read like 1-5759e988-bd862e3fe1be46a994272793,",
    ]


def test_x_rays_fields_for_failures_and_databases_are_read() -> None:
    """Fault, error, throttle and sql; an error (4xx) of a server is its caller's."""
    remote = {"namespace": "remote", "type": "subsegment", "trace_id": ID}
    refused = _segment("GET", 1, 0, 1, error=True, http={"request": {"method": "GET", "url": "https://a/b"}}, **remote)
    host = _segment("pay.example", 2, 0, 1, fault=True, **remote)
    throttled = _segment("S3", 3, 0, 1, throttle=True, namespace="aws", trace_id=ID)
    shop = _segment("db", 4, 0, 1, sql={"database_type": "PostgreSQL", "url": "jdbc:x://h:1/shop?a"}, **remote)
    caller = _segment("api", 5, 0, 1, error=True, trace_id=ID)
    spans, problems = _read(json.dumps([refused, host, throttled, shop, caller]))
    assert problems == []
    assert [span.status for span in spans] == [Status.ERROR, Status.ERROR, Status.ERROR, Status.UNSET, Status.UNSET]
    assert [breakdown_of(Trace([span])).components[0][0].label for span in spans if span.kind is SpanKind.CLIENT] == [
        "a",
        "pay.example",
        "S3",
        "postgresql shop",
    ]
    assert [span.attributes.get("http.status_code") for span in spans if span.name == "S3"] == [429]


def test_the_attempts_of_a_call_are_read_from_the_kits_metadata() -> None:
    """X-Ray keeps no events; without valid metadata the whole call is retries."""
    called = {"operation": "PutItem", "table_name": "orders", "retries": 2}
    attempts = {"lambda.retry.first_ended_ms": 10.5, "lambda.retry.last_began_ms": 80}
    call = _segment("DynamoDB", 2, 20, 120, namespace="aws", aws=called)
    parts = [
        _parts(_trace(_segment("api", 1, 0, 130, subsegments=[{**call, "metadata": {"default": metadata}}])))
        for metadata in (attempts, {}, {**attempts, "lambda.retry.last_began_ms": 1e9})
    ]
    assert [(p["retries DynamoDB orders"], p.get("DynamoDB PutItem orders")) for p in parts] == [
        (69.5, 30.5),
        (100, None),
        (100, None),
    ]


def test_a_count_of_attempts_is_not_one_of_retries() -> None:
    """The X-Ray SDK for Node.js writes the attempts of a call to `retries`, if the call is one of the AWS SDK v3.

    Other SDKs write 0 for a call that was not retried.
    """

    def labels(*counts: int) -> list[str]:
        calls = [
            _segment("S3", n, 10 * n, 10 * n + 5, namespace="aws", aws={"operation": "GetObject", "retries": count})
            for n, count in enumerate(counts, 2)
        ]
        spans, problems = _read(_answer(_segment("api", 1, 0, 100, subsegments=calls)))
        assert problems == []
        return [f"{part.label} {calls.retries}" for part, calls in breakdown_of(Trace(spans)).calls]

    assert labels(1) == ["S3 GetObject 0"]
    assert labels(1, 2) == ["S3 GetObject 0", "retries S3 1"]
    assert labels(0, 1, 2) == ["S3 GetObject 0", "retries S3 3"]


def test_documents_of_the_exporter_have_the_accounts_of_their_spans() -> None:
    """The documents have other ids, and times with less precision: parts and calls are compared."""
    from_documents, problems = read_traces(GOLDEN / "segments.jsonl")
    from_spans, _ = read_traces(GOLDEN / "spans.jsonl")
    assert problems == ()
    read, expected = (
        {trace.trace_id: breakdown_of(trace) for trace in traces} for traces in (from_documents, from_spans)
    )
    assert read.keys() == expected.keys()
    for trace_id, breakdown in expected.items():
        copy = read[trace_id]
        assert (copy.route, copy.cold_start, copy.error) == (breakdown.route, breakdown.cold_start, breakdown.error)
        assert dict(copy.calls) == dict(breakdown.calls)
        for part, ns in breakdown.components:
            assert abs(dict(copy.components).get(part, 0) - ns) < 5_000


def test_a_segment_links_to_the_trace_of_its_message(tmp_path: Path) -> None:
    """X-Ray links a consumer's trace to that of the sender; an invalid link is left out."""
    link = {"trace_id": "1-5759e988-bd862e3fe1be46a994272793", "id": "53995C3F42CD8AD8", "attributes": {}}
    segment = {
        "id": "00000000000000a1",
        "name": "worker",
        "trace_id": "1-5759e989-bd862e3fe1be46a994272794",
        "start_time": 1465510281,
        "end_time": 1465510282,
        "links": [link, 7, {"id": "x"}],
    }
    path = tmp_path / "segment.json"
    path.write_text(json.dumps(segment))
    [trace] = read_traces(path).traces
    [span] = trace.spans
    assert span.links == (Link("5759e988bd862e3fe1be46a994272793", "53995c3f42cd8ad8"),)
