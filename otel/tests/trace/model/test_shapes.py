"""Shapes: what rows keep of spans for the rules. Many spans share a shape, in any spelling."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from lambda_latency.trace import Reader, Shape, SpanKind, Status, Trace, dump_line
from lambda_latency.trace.model.keys import READ
from lambda_latency.trace.readers import table
from tests.trace.build import node, spans_of

if TYPE_CHECKING:
    from lambda_latency.trace import Row

CALL = node("POST", 0, 1, kind=SpanKind.CLIENT)


def _rows(*lines: str) -> list[Row]:
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
    shape = Shape.of(span, attempts=False)
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
    assert len({row.shape for row in rows}) == 1
    assert [(row.name, row.route) for row in rows] == [(f"charge {at}", f"/orders/{at}") for at in range(50)]
    assert rows[0].shape.host == "pay.example"


def test_names_that_rules_read_create_shapes() -> None:
    """Names of AWS calls without an operation, and of Lambda's phases."""
    [span] = spans_of([CALL])
    aws = {"rpc.system": "aws-api"}
    spans = [replace(span, name=name, attributes=aws) for name in ("DynamoDB.GetItem", "S3.GetObject")]
    phases = [replace(span, name=name, kind=SpanKind.INTERNAL) for name in ("Invocation", "Overhead", "step", "other")]
    rows = _rows(*(dump_line([one]) for one in (*spans, *phases)))
    assert [row.shape.name for row in rows[:4]] == ["DynamoDB.GetItem", "S3.GetObject", "Invocation", "Overhead"]
    assert rows[4].shape is rows[5].shape


def test_segments_of_two_functions_have_two_shapes() -> None:
    """Without the name of a service, the name of its segment is that of its code."""
    spans = spans_of([node(name, 0, 1, attributes={"aws.xray.origin": "AWS::Lambda"}) for name in ("a", "b")])
    rows = _rows(dump_line([replace(span, resource={}) for span in spans]))
    assert sorted((row.name, row.shape.name) for row in rows) == [("a", "a"), ("b", "b")]


def test_equal_spans_of_a_trace_share_a_shape() -> None:
    """So rules judge a drawn trace as fast as a read one; spans that differ in any read value do not share."""
    calls = [node("POST", at, at + 1, kind=SpanKind.CLIENT, attributes={"n": at}) for at in range(3)]
    others = [replace(calls[0], name="GET"), replace(calls[0], attributes={"faas.coldstart": True})]
    others += [replace(calls[0], attributes={"faas.coldstart": 1}), replace(calls[0], status=Status.ERROR)]
    trace = Trace(spans_of([node("root", 0, 9, *calls, *others, kind=SpanKind.SERVER)]))
    assert len({id(row.shape) for row in trace.tree.rows.values()}) == 6


def test_the_last_of_duplicate_attributes_counts() -> None:
    """In either order, also after both orders are cached."""
    documents = []
    for hosts in (("a", "b"), ("b", "a")) * 2:
        document: dict[str, Any] = json.loads(_line())
        pairs = [{"key": "peer.service", "value": {"stringValue": host}} for host in hosts]
        document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"] = pairs
        documents.append(json.dumps(document))
    assert [row.shape.host for row in _rows(*documents)] == ["b", "a", "b", "a"]


def test_true_is_not_one() -> None:
    """Values that are equal in Python are distinguished by type."""
    late = [
        row.shape["lambda.timeout"] for row in _rows(_line(**{"lambda.timeout": 1}), _line(**{"lambda.timeout": True}))
    ]
    assert late == [1, True]
    assert [type(one) for one in late] == [int, bool]


def test_the_cache_of_shapes_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """An attribute with ids does not fill the memory; rows keep shapes that the cache has dropped."""
    monkeypatch.setattr(table, "MOST_SHAPES", 10)
    lines = [_line(**{"peer.service": f"host-{number % 40}", "rpc.service": "x"}) for number in range(80)]
    rows = _rows(*lines)
    assert [row.shape.host for row in rows] == [f"host-{number % 40}" for number in range(80)]
