"""The variations of the report's benchmark: each changes what it says in each trace, and nothing else."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab.generate import MS, Trace, deep_traces, plain_traces, realistic_traces
from lab.report_speed import variations
from lambda_latency.trace import SpanKind
from tests.lab.report_speed.reading import spans_in

if TYPE_CHECKING:
    from lambda_latency.trace import Span

Change = Callable[[Trace, random.Random], Trace]
CORPORA = {
    "realistic": lambda: realistic_traces(3),
    "plain": lambda: plain_traces(3, 9),
    "deep": lambda: deep_traces(3, 9),
}


@pytest.fixture(params=CORPORA)
def corpus(request: pytest.FixtureRequest) -> str:
    """Each of the three."""
    return str(request.param)


def _changed(folder: Path, corpus: str, change: Change) -> tuple[list[Span], list[Span]]:
    """The spans of three traces without the change and with it."""
    draw = random.Random(1)  # noqa: S311 - a seed that can be repeated
    before = [json.dumps(document) + "\n" for trace in CORPORA[corpus]() for document in trace]
    after = [json.dumps(document) + "\n" for trace in CORPORA[corpus]() for document in change(trace, draw)]
    assert (after == before) == (change is variations.unchanged)
    return spans_in(folder, before), spans_in(folder, after)


@pytest.mark.parametrize("change", [variations.unchanged, variations.attributes_in_any_order])
def test_the_order_of_attributes_changes_no_span(change: Change, corpus: str, tmp_path: Path) -> None:
    """Nor does nothing."""
    before, after = _changed(tmp_path, corpus, change)
    assert after == before


def test_one_span_of_each_trace_is_open(corpus: str, tmp_path: Path) -> None:
    """It has no children, and is neither the request nor a part that the platform records."""
    before, after = _changed(tmp_path, corpus, variations.one_open)
    opened = [one for one in after if one.end_ns is None]
    assert [
        replace(one, end_ns=None) if two.end_ns is None else one for one, two in zip(before, after, strict=True)
    ] == after
    assert (
        sorted({one.trace_id for one in opened})
        == [one.trace_id for one in opened]
        == sorted({s.trace_id for s in after})
    )
    assert {one.span_id for one in opened}.isdisjoint({one.parent_id for one in after})
    assert all(one.kind is not SpanKind.SERVER and one.scope.name != "lambda" for one in opened)


def test_each_handler_has_an_init_before_it(corpus: str, tmp_path: Path) -> None:
    """The kit's, a tenth of a millisecond before; where there is no Lambda, before the root."""
    before, after = _changed(tmp_path, corpus, variations.init_in_each)
    added = [one for one in after if one.name == "init"]
    assert [one for one in after if one.name != "init"] == before
    handlers = [
        one for one in before if "faas.trigger" in one.attributes or (corpus != "realistic" and not one.parent_id)
    ]
    assert [(one.scope.name, one.parent_id, one.end_ns) for one in added] == [
        ("lambda_latency.runtime", one.span_id, one.start_ns - MS // 10) for one in handlers
    ]
    assert len(added) == 3


def test_ids_stand_in_names(corpus: str, tmp_path: Path) -> None:
    """Each in one alone; the platform's names stay."""
    before, after = _changed(tmp_path, corpus, variations.ids_in_names)
    assert [replace(two, name=one.name) for one, two in zip(before, after, strict=True)] == before
    named = [(one, two) for one, two in zip(before, after, strict=True) if one.scope.name != "lambda"]
    assert [two.name[:-17] for _, two in named] == [one.name for one, _ in named]
    assert len({two.name for _, two in named}) == len(named)


def test_ids_stand_in_routes(corpus: str, tmp_path: Path) -> None:
    """Of SERVER spans, in place of the route that they had."""
    before, after = _changed(tmp_path, corpus, variations.ids_in_routes)
    routes = [str(one.attributes["http.route"]) for one in after if one.kind is SpanKind.SERVER]
    assert len(set(routes)) == len(routes) == sum(one.kind is SpanKind.SERVER for one in before)
    assert all(route.startswith("/orders/") for route in routes)
    assert [_without(one, "http.route") for one in after] == [_without(one, "http.route") for one in before]


def test_many_labels_are_on_each_span(corpus: str, tmp_path: Path) -> None:
    """Six, and no value twice."""
    before, after = _changed(tmp_path, corpus, variations.many_labels)
    labels = [f"app.label.{number}" for number in range(6)]
    assert [_without(one, *labels) for one in after] == before
    assert len({one.attributes[label] for one in after for label in labels}) == 6 * len(before)


def test_the_gateway_may_be_somebody_elses(tmp_path: Path) -> None:
    """Its origin is gone, Lambda's stay."""
    before, after = _changed(tmp_path, "realistic", variations.gateway_without_origin)
    assert [one.attributes.get("aws.xray.origin") for one in after] == [
        None if (origin := one.attributes.get("aws.xray.origin")) == "AWS::ApiGateway::Stage" else origin
        for one in before
    ]
    assert [_without(one, "aws.xray.origin") for one in after] == [_without(one, "aws.xray.origin") for one in before]


def test_handlers_are_lost(tmp_path: Path) -> None:
    """One a trace; what it called has lost its parent."""
    before, after = _changed(tmp_path, "realistic", variations.handler_lost)
    assert after == [one for one in before if "faas.trigger" not in one.attributes]
    assert len(before) - len(after) == 3


def test_a_function_calls_a_second_one(tmp_path: Path) -> None:
    """The call lasts as long as the first one beside it, and the second function's spans hang below it."""
    before, after = _changed(tmp_path, "realistic", variations.two_functions)
    known = {one.span_id for one in before}
    assert [one for one in after if one.span_id in known] == before
    added = {one.span_id: one for one in after if one.span_id not in known}
    calls = [one for one in added.values() if one.parent_id in known]
    assert [one.name for one in calls] == ["Lambda.Invoke"] * 3
    for call in calls:
        inside = [one for one in added.values() if one.trace_id == call.trace_id and one is not call]
        assert {one.parent_id for one in inside} <= {one.span_id for one in [call, *inside]}
        services = [one for one in inside if one.attributes.get("aws.xray.origin") == "AWS::Lambda"]
        assert [(one.name, one.parent_id, one.start_ns, one.end_ns) for one in services] == [
            ("ReserveStock", call.span_id, call.start_ns, call.end_ns)
        ]
        assert "CreateOrder" not in repr(inside)
        assert sum("faas.trigger" in one.attributes for one in inside) == 1


def _without(span: Span, *keys: str) -> Span:
    return replace(span, attributes={key: value for key, value in span.attributes.items() if key not in keys})
