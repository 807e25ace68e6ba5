"""Jaeger's JSON: spans of OpenTelemetry are read back unchanged."""

import json
from typing import Any

from lambda_latency.trace import Attributes, Event, Link, Scope, Span, SpanKind, Status, spans_of

TRACE = "5759e988bd862e3fe1be46a994272793"


def _tag(key: str, value: object) -> dict[str, object]:
    return {"key": key, "type": "string", "value": value}


def _reference(kind: str, span_id: str, trace_id: str = TRACE) -> dict[str, str]:
    return {"refType": kind, "traceID": trace_id, "spanID": span_id}


PARENT: dict[str, Any] = {
    "traceID": TRACE,
    "spanID": "a1",
    "operationName": "POST /orders",
    "references": [],
    "startTime": 1_700_000_000_000_001,
    "duration": 2500,
    "tags": [_tag("span.kind", "server"), _tag("http.route", "/orders"), _tag("otel.scope.name", "flask")],
    "logs": [{"timestamp": 1_700_000_000_000_002, "fields": [_tag("event", "exception"), _tag("exception.type", "E")]}],
    "processID": "p1",
}
CHILD: dict[str, Any] = {
    "traceID": TRACE,
    "spanID": "00000000000000a2",
    "operationName": "GET",
    "references": [
        _reference("FOLLOWS_FROM", "a9"),
        _reference("CHILD_OF", "00000000000000a1"),
        _reference("CHILD_OF", "b1", "77"),
    ],
    "startTime": 1_700_000_000_000_010,
    "duration": 7.5,
    "tags": [_tag("span.kind", "client"), _tag("error", True), _tag("otel.status_description", "no")],
    "processID": "p1",
}
PROCESSES = {"p1": {"serviceName": "orders", "tags": [_tag("faas.name", "Create")]}}


def _read(document: object) -> tuple[list[Span], list[str]]:
    problems: list[str] = []
    return list(spans_of(json.dumps(document).encode(), problems.append)), problems


def test_spans_are_those_of_opentelemetry() -> None:
    """Kind, status and scope are tags; short ids lack their zeros; times are microseconds."""
    document = {"data": [{"traceID": TRACE, "spans": [PARENT, CHILD], "processes": PROCESSES}], "total": 0}
    resource = {"service.name": "orders", "faas.name": "Create"}
    assert _read(document) == (
        [
            Span(
                trace_id=TRACE,
                span_id="00000000000000a1",
                name="POST /orders",
                kind=SpanKind.SERVER,
                start_ns=1_700_000_000_000_001_000,
                end_ns=1_700_000_000_002_501_000,
                attributes={"http.route": "/orders"},
                events=[Event("exception", 1_700_000_000_000_002_000, {"exception.type": "E"})],
                resource=resource,
                scope=Scope("flask"),
            ),
            Span(
                trace_id=TRACE,
                span_id="00000000000000a2",
                parent_id="00000000000000a1",
                name="GET",
                kind=SpanKind.CLIENT,
                start_ns=1_700_000_000_000_010_000,
                end_ns=1_700_000_000_000_017_500,
                status=Status.ERROR,
                status_message="no",
                links=[Link(TRACE, "00000000000000a9"), Link("77".zfill(32), "00000000000000b1")],
                resource=resource,
            ),
        ],
        [],
    )


def test_a_single_trace_is_read_too() -> None:
    """Also with FOLLOWS_FROM as the only reference, or with `parentSpanID`."""
    follows = {**CHILD, "references": [_reference("FOLLOWS_FROM", "a1")]}
    spans, problems = _read({"traceID": TRACE, "spans": [follows], "processes": {}})
    assert ([span.parent_id for span in spans], problems) == (["00000000000000a1"], [])
    spans, problems = _read({"spans": [{**CHILD, "references": None, "parentSpanID": "a1"}]})
    assert ([span.parent_id for span in spans], problems) == (["00000000000000a1"], [])


def test_values_of_tags_keep_their_types() -> None:
    """A number that is too large has no value; of a key that occurs twice, the last value counts."""
    values = {"whole": 7, "part": 7.5, "power": 1e20, "flag": False, "none": None, "text": 'größe "a"\n'}
    lists = {"list": ["a", 1, True], "map": {"a": [1]}, "empty": []}
    tags = [_tag("whole", 6), *(_tag(key, value) for key, value in {**values, **lists, "large": 9}.items())]
    written = json.dumps({"spans": [{**PARENT, "tags": tags}], "processes": PROCESSES}).replace("9}", "1e400}")
    problems: list[str] = []
    [span] = spans_of(written.encode(), problems.append)
    attributes = {**values, "list": ("a", 1, True), "map": Attributes({"a": (1,)}), "empty": (), "large": None}
    assert (dict(span.attributes), problems) == (attributes, [])
    assert {key: type(span.attributes[key]) for key in ("whole", "flag")} == {"whole": int, "flag": bool}


def test_a_process_is_named_or_written_in_the_span() -> None:
    """A name that the trace does not have is a service without a name."""
    process = {"serviceName": "pay", "tags": [_tag("faas.name", "Pay")]}
    document = {"spans": [PARENT, {**CHILD, "process": process}, {**CHILD, "processID": "p9"}], "processes": PROCESSES}
    assert [dict(span.resource) for span in _read(document)[0]] == [
        {"service.name": "orders", "faas.name": "Create"},
        {"service.name": "pay", "faas.name": "Pay"},
        {"service.name": ""},
    ]


def test_a_parent_that_does_not_wait_is_an_attribute() -> None:
    """If FOLLOWS_FROM is the only reference of the trace; ids may be in capitals."""
    follows = {**CHILD, "tags": [], "references": [_reference("FOLLOWS_FROM", "A1", TRACE.upper())]}
    [span], problems = _read({"spans": [follows]})
    assert (span.parent_id, dict(span.attributes), span.links) == ("00000000000000a1", {"ref.type": "FOLLOWS_FROM"}, ())
    assert problems == []


def test_a_key_that_is_no_text_is_ignored() -> None:
    """The format is known by the first span whose keys can be read."""
    problems: list[str] = []
    written = json.dumps({"spans": [PARENT, CHILD]}).replace("operationName", "operation\xff", 1).encode("latin-1")
    assert [span.name for span in spans_of(written, problems.append)] == ["", "GET"]
    assert problems == []


def test_broken_spans_are_problems_and_the_rest_is_read() -> None:
    """Also a whole broken trace."""
    bad = [7, {**PARENT, "spanID": "0"}, {**PARENT, "duration": "long"}, {**PARENT, "startTime": None}]
    spans, problems = _read({"data": [{"spans": [*bad, PARENT]}, {"traceID": TRACE}, 8]})
    assert len(spans) == 1
    assert [problem[:60] for problem in problems] == [
        "not a Jaeger span: it must be an object, got a whole number",
        "not a Jaeger span: spanID must not be all zeros, got '0'",
        "not a Jaeger span: duration must be a whole number or a numb",
        "not a Jaeger span: startTime must be a whole number or a num",
        "a Jaeger trace must have a list of spans",
        "a Jaeger trace must have a list of spans",
    ]
