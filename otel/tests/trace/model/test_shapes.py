"""Shapes: what rows keep of spans for the rules. Many spans share a shape, in any spelling."""

import copy
import json
import pickle
from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import pytest

from lambda_latency.trace import (
    Attributes,
    CompactSpan,
    Event,
    Link,
    Reader,
    Scope,
    Signature,
    Span,
    SpanKind,
    Status,
    Trace,
    dump_line,
)
from lambda_latency.trace.model.keys import READ
from lambda_latency.trace.readers import table
from tests.trace.build import T0, TRACE_ID, node, spans_of

CALL = node("POST", 0, 1, kind=SpanKind.CLIENT)


def _rows(*lines: str) -> list[CompactSpan]:
    reader, problems = Reader(), list[str]()
    for line in lines:
        reader.read([line.encode()], lambda _, reason: problems.append(reason))
    assert problems == []
    return [row for rows in reader.traces.values() for row in rows]


def _line(**attributes: object) -> str:
    [span] = spans_of([CALL])
    return dump_line([replace(span, attributes=attributes)])


def test_a_shape_holds_all_attributes_that_rules_read() -> None:
    """Reading another attribute raises an error, so a cached result is valid for its shape."""
    [span] = spans_of([node("a", 0, 1, attributes={"app.id": 1})])
    shape = Signature.of(span, attempts=False)
    assert [key for key in READ if shape[key] is not None] == []
    with pytest.raises(KeyError, match=r"app\.id is not kept in rows"):
        shape["app.id"]


def test_ids_that_no_rule_reads_create_no_shapes() -> None:
    """In URLs after the host, in routes, names, attributes and errors: fifty calls have one shape."""
    lines = []
    for number in range(50):
        [span] = spans_of([CALL])
        ids = {
            "http.url": f"https://pay.example/{number}",
            "http.route": f"/orders/{number}",
            "app.id": number,
            "faas.invocation_id": f"{number}",
            "error.type": f"Error{number}",
        }
        lines.append(dump_line([replace(span, name=f"charge {number}", attributes=ids)]))
    rows = _rows(*lines)
    assert len({row.signature for row in rows}) == 1
    assert [(row.name, row.route) for row in rows] == [(f"charge {n}", f"/orders/{n}") for n in range(50)]
    assert rows[0].signature.host == "pay.example"


def test_names_that_rules_read_create_shapes() -> None:
    """Names of AWS calls without an operation, and of Lambda's phases."""
    [span] = spans_of([CALL])
    aws = {"rpc.system": "aws-api"}
    spans = [replace(span, name=name, attributes=aws) for name in ("DynamoDB.GetItem", "S3.GetObject")]
    phases = [replace(span, name=name, kind=SpanKind.INTERNAL) for name in ("Invocation", "Overhead", "step", "other")]
    rows = _rows(*(dump_line([s]) for s in (*spans, *phases)))
    assert [row.signature.name for row in rows[:4]] == ["DynamoDB.GetItem", "S3.GetObject", "Invocation", "Overhead"]
    assert rows[4].signature is rows[5].signature


def test_segments_of_two_functions_have_two_shapes() -> None:
    """Without the name of a service, the name of its segment is that of its code."""
    spans = spans_of([node(name, 0, 1, attributes={"aws.xray.origin": "AWS::Lambda"}) for name in ("a", "b")])
    rows = _rows(dump_line([replace(span, resource={}) for span in spans]))
    assert sorted((row.name, row.signature.name) for row in rows) == [("a", "a"), ("b", "b")]


def test_equal_spans_of_a_trace_share_a_shape() -> None:
    """So rules judge a drawn trace as fast as a read one; spans that differ in any read value do not share."""
    calls = [node("POST", ms, ms + 1, kind=SpanKind.CLIENT, attributes={"n": ms}) for ms in range(3)]
    changed = [replace(calls[0], name="GET"), replace(calls[0], attributes={"faas.coldstart": True})]
    changed += [replace(calls[0], attributes={"faas.coldstart": 1}), replace(calls[0], status=Status.ERROR)]
    trace = Trace(spans_of([node("root", 0, 9, *calls, *changed, kind=SpanKind.SERVER)]))
    assert len({id(row.signature) for row in trace.tree.spans.values()}) == 6


def test_the_last_of_duplicate_attributes_counts() -> None:
    """In either order, also after both orders are cached."""
    documents = []
    for hosts in (("a", "b"), ("b", "a")) * 2:
        document: dict[str, Any] = json.loads(_line())
        pairs = [{"key": "peer.service", "value": {"stringValue": host}} for host in hosts]
        document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"] = pairs
        documents.append(json.dumps(document))
    assert [row.signature.host for row in _rows(*documents)] == ["b", "a", "b", "a"]


def test_true_is_not_one() -> None:
    """Values that are equal in Python are distinguished by type."""
    late = [
        row.signature["lambda.timeout"]
        for row in _rows(_line(**{"lambda.timeout": 1}), _line(**{"lambda.timeout": True}))
    ]
    assert late == [1, True]
    assert [type(flag) for flag in late] == [int, bool]


def test_the_cache_of_shapes_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """An attribute with ids does not fill the memory; rows keep shapes that the cache has dropped."""
    monkeypatch.setattr(table, "MOST_SHAPES", 10)
    lines = [_line(**{"peer.service": f"host-{number % 40}", "rpc.service": "x"}) for number in range(80)]
    rows = _rows(*lines)
    assert [row.signature.host for row in rows] == [f"host-{number % 40}" for number in range(80)]


SPAN = Span(
    trace_id=TRACE_ID,
    span_id="00000000000000aa",
    parent_id="00000000000000ab",
    parent_remote=True,
    name="POST /orders",
    kind=SpanKind.SERVER,
    start_ns=T0,
    end_ns=T0 + 5,
    status=Status.ERROR,
    status_message="no table",
    attributes={"tables": ["orders", "stock"], "nested": {"a": [1, {"b": 2}]}},
    events=[Event("retry", T0 + 1, {"n": 1})],
    links=[Link(TRACE_ID, "00000000000000ac")],
    resource={"service.name": "orders"},
    scope=Scope("lambda_latency.runtime", "1"),
)


def test_a_span_has_these_fields() -> None:
    """All readers use this one model."""
    assert [field.name for field in fields(Span)] == [
        "trace_id",
        "span_id",
        "parent_id",
        "parent_remote",
        "name",
        "kind",
        "start_ns",
        "end_ns",
        "status",
        "status_message",
        "attributes",
        "events",
        "links",
        "resource",
        "scope",
        "origin",
        "provisional",
    ]


def test_a_span_can_be_copied_pickled_and_hashed() -> None:
    """Snapshots copy spans deeply, process pools pickle them, sets hash them."""
    assert copy.deepcopy(SPAN) == SPAN
    assert pickle.loads(pickle.dumps(SPAN)) == SPAN  # noqa: S301 - our own bytes
    assert len({SPAN, copy.deepcopy(SPAN)}) == 1


def test_a_span_is_immutable() -> None:
    """The lists and mappings inside too."""
    with pytest.raises(FrozenInstanceError):
        SPAN.name = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        SPAN.attributes["x"] = 1  # type: ignore[index]
    assert SPAN.attributes["tables"] == ("orders", "stock")
    assert SPAN.attributes["nested"] == Attributes({"a": (1, Attributes({"b": 2}))})
    assert isinstance(SPAN.events, tuple)


def test_a_span_copies_its_attributes() -> None:
    """A later change of the original mapping has no effect."""
    original: dict[str, object] = {"a": [1]}
    span = Span(trace_id=TRACE_ID, span_id="00000000000000aa", name="x", start_ns=T0, attributes=original)
    original["b"] = 2
    assert dict(span.attributes) == {"a": (1,)}


def test_origin_and_provisional_come_from_the_attributes() -> None:
    """A span cannot contradict its attributes."""
    attributes = {"aws.xray.origin": "AWS::Lambda", "lambda.provisional": True}
    span = Span(trace_id=TRACE_ID, span_id="00000000000000aa", name="x", start_ns=T0, attributes=attributes)
    assert (span.origin, span.provisional) == ("AWS::Lambda", True)
    assert (SPAN.origin, SPAN.provisional) == (None, False)
