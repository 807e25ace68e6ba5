"""OTLP/JSON: the reader reads what the writer writes, and documents of other writers."""

import json
import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from lambda_latency.trace import (
    KNOWN,
    Attributes,
    Event,
    Link,
    Scope,
    Span,
    SpanKind,
    Status,
    dump_line,
    spans_of,
    to_otlp,
)
from tests.trace.build import T0, TRACE_ID

PLAIN = Span(trace_id=TRACE_ID, span_id="00000000000000aa", name="a", start_ns=T0, end_ns=T0 + 5)
RAW = {"traceId": TRACE_ID, "spanId": "00000000000000aa", "name": "a", "kind": 1, "startTimeUnixNano": "7"}


def _read(document: object) -> tuple[list[Span], list[str]]:
    problems: list[str] = []
    return list(spans_of(json.dumps(document).encode(), problems.append)), problems


def _document(**more: object) -> dict[str, object]:
    return {"resourceSpans": [{"scopeSpans": [{"spans": [{**RAW, **more}]}]}]}


def test_a_span_is_written_as_otlp_json() -> None:
    """Ids in hex, 64-bit integers as text, flags if the kind of parent is known."""
    span = replace(
        PLAIN,
        parent_id="00000000000000ab",
        parent_remote=True,
        kind=SpanKind.SERVER,
        status=Status.ERROR,
        status_message="no",
        attributes={
            "text": "x",
            "yes": True,
            "whole": 2**60,
            "half": 0.5,
            "raw": b"\x00",
            "list": ["a", 1],
            "map": {"k": None},
        },
        events=[Event("retry", T0 + 1)],
        links=[Link(TRACE_ID, "00000000000000ac")],
        resource={"service.name": "orders"},
        scope=Scope("lambda_latency.runtime", "1.0"),
    )
    assert to_otlp([span]) == {
        "resourceSpans": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "orders"}}]},
                "scopeSpans": [
                    {
                        "scope": {"name": "lambda_latency.runtime", "version": "1.0"},
                        "spans": [
                            {
                                "traceId": TRACE_ID,
                                "spanId": "00000000000000aa",
                                "parentSpanId": "00000000000000ab",
                                "flags": 0x300,
                                "name": "a",
                                "kind": 2,
                                "startTimeUnixNano": str(T0),
                                "endTimeUnixNano": str(T0 + 5),
                                "attributes": [
                                    {"key": "text", "value": {"stringValue": "x"}},
                                    {"key": "yes", "value": {"boolValue": True}},
                                    {"key": "whole", "value": {"intValue": "1152921504606846976"}},
                                    {"key": "half", "value": {"doubleValue": 0.5}},
                                    {"key": "raw", "value": {"bytesValue": "AA=="}},
                                    {
                                        "key": "list",
                                        "value": {"arrayValue": {"values": [{"stringValue": "a"}, {"intValue": "1"}]}},
                                    },
                                    {"key": "map", "value": {"kvlistValue": {"values": [{"key": "k", "value": {}}]}}},
                                ],
                                "events": [{"timeUnixNano": str(T0 + 1), "name": "retry"}],
                                "links": [{"traceId": TRACE_ID, "spanId": "00000000000000ac"}],
                                "status": {"code": 2, "message": "no"},
                            }
                        ],
                    }
                ],
            }
        ]
    }


def test_spans_are_grouped_by_resource_and_scope() -> None:
    """The groups are in the order of their first spans."""
    spans = [
        replace(PLAIN, name=f"{service} {scope}", resource={"service.name": service}, scope=Scope(scope))
        for service, scope in (("b", "y"), ("a", "x"), ("b", "x"), ("b", "y"))
    ]
    groups = [
        [span["name"] for scope in resource["scopeSpans"] for span in scope["spans"]]
        for resource in json.loads(dump_line(spans))["resourceSpans"]
    ]
    assert groups == [["b y", "b y", "b x"], ["a x"]]


def test_a_document_is_one_line() -> None:
    """Two documents in a file are two lines."""
    assert dump_line([PLAIN]).count("\n") == 1
    assert dump_line([replace(PLAIN, name="two\nlines")]).endswith("}\n")


def test_random_spans_are_read_back_unchanged() -> None:
    """Names, numbers at their limits, nested values, every kind and status."""
    rng = random.Random(11)  # noqa: S311 - a repeatable seed
    for _ in range(300):
        spans = [_random_span(rng) for _ in range(rng.randint(1, 6))]
        read, problems = _read(json.loads(dump_line(spans)))
        assert problems == []
        assert sorted(map(repr, read)) == sorted(map(repr, spans))


def test_numbers_may_come_as_numbers_and_enums_by_name() -> None:
    """Hand-written files and other exporters have both."""
    document = _document(
        startTimeUnixNano=7,
        endTimeUnixNano=9,
        kind="SPAN_KIND_CLIENT",
        status={"code": "STATUS_CODE_OK"},
        traceId=TRACE_ID.upper(),
        attributes=[{"key": "n", "value": {"intValue": 3}}],
    )
    assert _read(document) == (
        [
            Span(
                trace_id=TRACE_ID,
                span_id="00000000000000aa",
                name="a",
                kind=SpanKind.CLIENT,
                start_ns=7,
                end_ns=9,
                status=Status.OK,
                attributes={"n": 3},
            )
        ],
        [],
    )


@pytest.mark.parametrize(
    ("parent", "flags", "expected"),
    [
        ("00000000000000ab", 0x300, True),
        ("00000000000000ab", 0x101, False),
        ("00000000000000ab", 0x201, None),
        ("00000000000000ab", None, None),
        ("", 0x300, None),
        ("0000000000000000", 0x300, None),
    ],
)
def test_flags_say_whether_the_parent_is_remote(parent: str, flags: int | None, expected: bool | None) -> None:
    """Only if the second bit says that the first is valid, and only on a span with a parent."""
    [span], _ = _read(_document(parentSpanId=parent, flags=flags))
    assert (span.parent_remote, span.parent_id) == (expected, parent if parent.strip("0") else None)


def test_an_open_span_has_no_end() -> None:
    """Absent, null, empty and zero all mean an open span."""
    for end in (None, "", 0, "0"):
        assert _read(_document(endTimeUnixNano=end))[0][0].end_ns is None


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"traceId": ""}, "traceId must be 32 hex digits, got None"),
        ({"spanId": "0000000000000000"}, "spanId must not be all zeros, got '0000000000000000'"),
        ({"spanId": None}, "spanId must be 16 hex digits, got None"),
        ({"startTimeUnixNano": None}, "startTimeUnixNano is missing: a span without a start has no place in time"),
        ({"startTimeUnixNano": "soon"}, "startTimeUnixNano must be a whole number, got a text"),
        ({"startTimeUnixNano": True}, "startTimeUnixNano must be a whole number, got true or false"),
        ({"endTimeUnixNano": -1}, "endTimeUnixNano must be a whole number >= 0"),
        ({"endTimeUnixNano": 2**63}, "endTimeUnixNano must be a whole number <= 9223372036854775807"),
        ({"events": 7}, "events must be a list, got a whole number"),
        ({"events": [7]}, "events[0] must be an object, got a whole number"),
        ({"attributes": 7}, "attributes must be a list, got a whole number"),
        ({"attributes": [{"value": {}}]}, "attributes[0] has no key"),
    ],
)
def test_a_broken_span_is_a_problem_and_the_rest_is_read(more: dict[str, object], reason: str) -> None:
    """The reason has the expected and the actual value."""
    document = {"resourceSpans": [{"scopeSpans": [{"spans": [{**RAW, **more}, RAW]}]}]}
    spans, problems = _read(document)
    assert ([span.name for span in spans], problems) == (["a"], [f"not a span: {reason}"])


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({}, f"no trace: got an empty object; {KNOWN}"),
        ({"resourceLogs": []}, "OTLP logs or metrics, and not traces: name the file with resourceSpans"),
        ({"resourceSpans": 7}, "resourceSpans must be a list: it must be a list, got a whole number"),
        ({"resourceSpans": [1]}, "resourceSpans must hold objects, got 1"),
        ({"resourceSpans": [{"scopeSpans": [1]}]}, "scopeSpans must hold objects, got 1"),
        (
            {"resourceSpans": [{"resource": 1, "scopeSpans": [{"spans": [RAW]}]}]},
            "not a resource and a scope: it must be an object, got a whole number",
        ),
    ],
)
def test_a_document_of_another_kind_is_a_problem(document: object, reason: str) -> None:
    """Files of logs and metrics look alike."""
    assert _read(document) == ([], [reason])


@pytest.mark.parametrize("value", ["x", {"bytesValue": "?"}, {"intValue": "many"}, {"arrayValue": {"values": 7}}])
def test_an_invalid_value_costs_one_attribute(value: object) -> None:
    """The span is read, whichever reader finds the value."""
    [span], problems = _read(_document(attributes=[{"key": "a", "value": value}]))
    assert (dict(span.attributes), problems) == ({"a": None}, [])


def test_an_unknown_kind_of_value_costs_one_attribute() -> None:
    """The span is read."""
    [span], problems = _read(_document(attributes=[{"key": "a", "value": {"mapValue": 1}}]))
    assert (dict(span.attributes), problems) == ({"a": None}, [])


def _random_span(rng: random.Random) -> Span:
    parent = f"{rng.getrandbits(64) | 1:016x}" if rng.random() < 0.7 else None
    start = rng.choice([1, T0, 2**63 - 2])
    return Span(
        trace_id=f"{rng.getrandbits(128) | 1:032x}",
        span_id=f"{rng.getrandbits(64) | 1:016x}",
        parent_id=parent,
        parent_remote=rng.choice([True, False, None]) if parent else None,
        name=_random_text(rng),
        kind=rng.choice(list(SpanKind)),
        start_ns=start,
        end_ns=rng.choice([None, start, start + 1]),
        status=rng.choice(list(Status)),
        status_message=_random_text(rng),
        attributes=_random_attributes(rng, 2),
        events=tuple(
            Event(_random_text(rng), rng.randint(0, 2**63), _random_attributes(rng, 1))
            for _ in range(rng.randint(0, 2))
        ),
        links=tuple(
            Link(f"{rng.getrandbits(128) | 1:032x}", f"{rng.getrandbits(64) | 1:016x}", _random_attributes(rng, 1))
            for _ in range(rng.randint(0, 2))
        ),
        resource={"service.name": rng.choice(["a", "b"])},
        scope=Scope(rng.choice(["", "x"]), rng.choice(["", "1"]), _random_attributes(rng, 1)),
    )


def _random_attributes(rng: random.Random, depth: int) -> Attributes:
    return Attributes({_random_text(rng): _random_value(rng, depth) for _ in range(rng.randint(0, 3))})


def _random_value(rng: random.Random, depth: int) -> object:
    values: list[Callable[[], object]] = [
        lambda: None,
        lambda: _random_text(rng),
        lambda: rng.random() < 0.5,
        lambda: rng.choice([0, -(2**63), 2**63 - 1, 2**53 + 1]),
        lambda: rng.choice([0.0, -1.5, 1e300, 5e-324, float("inf"), float("-inf"), float("nan"), 200.0]),
        lambda: rng.randbytes(rng.randint(0, 5)),
    ]
    if depth:
        values += [
            lambda: tuple(_random_value(rng, depth - 1) for _ in range(rng.randint(0, 3))),
            lambda: _random_attributes(rng, depth - 1),
        ]
    return rng.choice(values)()


def _random_text(rng: random.Random) -> str:
    return "".join(rng.choice('aß日\u202e😀\n"\\ \x00') for _ in range(rng.randint(0, 6)))
