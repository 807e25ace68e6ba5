"""Requests and events as they end, each with its spans: nobody waits for spans that have been told of."""

from __future__ import annotations

import contextlib

import pytest

from lambda_latency.local.app.serve import requests as serve
from lambda_latency.local.app.serve.requests import Requests
from lambda_latency.local.gateway.api_gateway import Answered
from lambda_latency.local.xray.segments import new_span_id, new_trace_id
from lambda_latency.trace import FUNCTION, Span, SpanKind, Trace
from tests.local.calls import eventually

TRACE = new_trace_id()


def answered(route: str) -> Answered:
    """One that has a function behind it."""
    return Answered(TRACE, True, route, "ok", 1, True)


def function(name: str, start_ns: int) -> Span:
    """The segment of an invocation."""
    return Span(
        trace_id=TRACE,
        span_id=new_span_id(),
        name=name,
        kind=SpanKind.SERVER,
        start_ns=start_ns,
        end_ns=9,
        attributes={"aws.xray.origin": FUNCTION},
    )


def test_events_of_one_trace_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """As those of a bus to which a traced function has written: the first one takes the spans of all."""
    monkeypatch.setattr(serve, "SPANS_WAIT_S", 300)
    told: list[tuple[str, list[str]]] = []

    def show(request: Answered, trace: Trace | None) -> None:
        told.append((request.route, [span.name for span in trace.spans] if trace is not None else []))

    with contextlib.closing(Requests(show)) as requests:
        requests.spans([function("first", 1), function("second", 2)])
        for route in ("one", "two"):
            requests.answered(answered(route))
        eventually(lambda: len(told) == 2)
    assert told == [("one", ["first", "second"]), ("two", [])]


def test_the_end_waits_for_no_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has been answered is told of all the same."""
    monkeypatch.setattr(serve, "SPANS_WAIT_S", 300)
    told: list[str] = []
    with contextlib.closing(Requests(lambda request, _: told.append(request.route))) as requests:
        requests.answered(answered("one"))
    assert told == ["one"]
