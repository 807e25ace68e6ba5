"""`Span` is an immutable value that can be copied, pickled and hashed."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, fields

import pytest

from lambda_latency.trace import Attributes, Event, Link, Scope, Span, SpanKind, Status
from tests.trace.build import T0, TRACE_ID

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
    given: dict[str, object] = {"a": [1]}
    span = Span(trace_id=TRACE_ID, span_id="00000000000000aa", name="x", start_ns=T0, attributes=given)
    given["b"] = 2
    assert dict(span.attributes) == {"a": (1,)}


def test_origin_and_provisional_come_from_the_attributes() -> None:
    """A span cannot contradict its attributes."""
    attributes = {"aws.xray.origin": "AWS::Lambda", "lambda.provisional": True}
    span = Span(trace_id=TRACE_ID, span_id="00000000000000aa", name="x", start_ns=T0, attributes=attributes)
    assert (span.origin, span.provisional) == ("AWS::Lambda", True)
    assert (SPAN.origin, SPAN.provisional) == (None, False)
