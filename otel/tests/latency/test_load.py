"""Files as accounts: the accounts of rows equal those of whole spans, for any spans in any lines."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambda_latency.cli.inputs import Files
from lambda_latency.cli.request import Request
from lambda_latency.latency import SILENT, Component, breakdown_of, load
from lambda_latency.trace import (
    Attributes,
    Event,
    Problem,
    Scope,
    Source,
    Span,
    SpanKind,
    Status,
    Trace,
    dump_line,
    read_traces,
)
from lambda_latency.trace.model.keys import READ
from tests.draws import draws
from tests.latency.generated import few, hundred, slow_order, timed_out
from tests.latency.system import order
from tests.trace.trees import trees

COLD_START = Component("cold start")
# Values that rules distinguish, some that they do not, and some with an unusual encoding.
TEXTS = st.sampled_from(
    [
        "GET",
        "aws-api",
        "DynamoDB",
        "PutItem",
        "dynamodb",
        "postgresql",
        "/orders/{id}",
        "https://pay.example/v1/7?x=1",
        "https://pay.example:8443/",
        "http://[::1",
        "a/b//c",
        "AWS::Lambda",
        "AWS::Lambda::Function",
        "AWS::ApiGateway::Stage",
        "ThrottlingException",
        "botocore.errorfactory.ConditionalCheckFailedException",
        'a "quoted" {"key":"http.route"} text',
        "größe \\ 日本",
        "",
    ]
)
VALUES = st.one_of(
    TEXTS,
    st.booleans(),
    st.sampled_from([0, 1, 200, 404, 429, 503, 2**60]),
    st.just(0.5),
    st.lists(TEXTS, max_size=2).map(tuple),
    st.dictionaries(st.sampled_from(["http.route", "rpc.system", "x"]), TEXTS, min_size=1, max_size=3),
)
NAMES = st.sampled_from(
    [
        *READ,
        "app.id",
        "app.note",
    ]
)
DECORATIONS = st.tuples(
    st.dictionaries(NAMES, VALUES, max_size=8),
    st.sampled_from(list(SpanKind)),
    st.sampled_from(list(Status)),
    st.sampled_from(["", "An error occurred (ThrottlingException) when calling", "failed"]),
    st.sampled_from(["step", "Invocation", "Overhead", "Initialization", "init", "TLS 1.3", "POST /orders"]),
    st.sampled_from(["", "lambda_latency.runtime", "opentelemetry.instrumentation.requests"]),
    st.sampled_from([None, True, False]),
    st.sampled_from(["", "An error occurred (SlowDown) when", "x", "attempt"]),
)


def _decorated(spans: list[Span], decorations: list[tuple[Any, ...]]) -> list[Span]:
    decorated = []
    for number, span in enumerate(spans):
        attributes, kind, status, message, name, scope, remote, event = decorations[number % len(decorations)]
        decorated.append(
            replace(
                span,
                attributes=attributes,
                kind=kind,
                status=status,
                status_message=message,
                name=name,
                scope=Scope(str(scope)),
                parent_remote=remote if span.parent_id is not None else None,
                events=_events(span, str(event)),
                resource=Attributes({"faas.name": "Create"} if number % 3 else {"service.name": "orders"}),
            )
        )
    return decorated


def _events(span: Span, message: str) -> tuple[Event, ...]:
    if message != "attempt":
        return (Event("exception", span.start_ns, {"exception.message": message}),) if message else ()
    first_ns, last_ns = span.start_ns + 1, (span.end_ns or span.start_ns) - 1
    return Event("attempt", first_ns, {"attempt": 1, "retry.delay_ms": 1e-6}), Event("attempt", last_ns, {"attempt": 2})


def _same(path: Path) -> None:
    """Assert that the accounts and problems of a file's rows equal those of its spans."""
    problems: list[Problem] = []
    accounts = sorted(load([Source(str(path), path)], problems), key=lambda breakdown: breakdown.trace_id)
    traces, expected = read_traces(path)
    ended = [trace for trace in traces if not trace.tree.is_running]
    assert accounts == sorted(map(breakdown_of, ended), key=lambda breakdown: breakdown.trace_id)
    assert sorted(problem.reason for problem in problems) == sorted(problem.reason for problem in expected)


@settings(max_examples=draws(500), deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(trees(), st.lists(DECORATIONS, min_size=1, max_size=6), st.integers(1, 5))
def test_accounts_of_rows_equal_those_of_spans(
    tmp_path_factory: pytest.TempPathFactory, spans: list[Span], decorations: list[tuple[Any, ...]], lines: int
) -> None:
    """Attributes that rules read and others, in several lines, on random trees."""
    path = tmp_path_factory.getbasetemp() / "random.jsonl"
    decorated = _decorated(spans, decorations)
    path.write_text("".join(dump_line(decorated[start::lines]) for start in range(lines)))
    _same(path)


GATEWAY, LAMBDA, FUNCTION = "AWS::ApiGateway::Stage", "AWS::Lambda", "AWS::Lambda::Function"


def test_accounts_of_rows_of_the_order_system_equal_those_of_spans(tmp_path: Path) -> None:
    """Slow, timed out, cold: all sample traces in one file."""
    path = tmp_path / "traces.jsonl"
    traces = {trace.trace_id: trace for trace in (*few(), *hundred(), slow_order(), timed_out(), order(200))}
    path.write_text("".join(dump_line(trace.spans) for trace in traces.values()))
    _same(path)


def test_an_initialization_below_the_service_is_no_cold_start(tmp_path: Path) -> None:
    """Only one below the function is, also if the traces have equal shapes."""
    path = tmp_path / "traces.jsonl"
    traces: list[Span] = []
    for number, in_function in enumerate((False, True, False), 1):
        spans = [
            ("gateway", SpanKind.SERVER, GATEWAY, None, number, 100),
            ("service", SpanKind.SERVER, LAMBDA, 0, 5, 95),
            ("function", SpanKind.SERVER, FUNCTION, 1, 40, 90),
            ("Initialization", SpanKind.INTERNAL, None, 2 if in_function else 1, 10, 35),
        ]
        traces += [
            replace(
                _of(f"{n + 1:016x}", None if above is None else f"{above + 1:016x}", name, kind, origin, start, end),
                trace_id=f"{number:032x}",
            )
            for n, (name, kind, origin, above, start, end) in enumerate(spans)
        ]
    path.write_text(dump_line(traces))
    accounts = sorted(load([Source(str(path), path)], []), key=lambda breakdown: breakdown.trace_id)
    assert [dict(breakdown.components).get(COLD_START) for breakdown in accounts] == [None, 30, None]


def test_an_init_before_the_request_belongs_to_its_outermost_span() -> None:
    """Also if three hundred other spans come before the root span in the file."""
    service, steps = "0" * 15 + "1", [f"{number:016x}" for number in range(100, 400)]
    spans = [
        *(_of(span_id, service, "step", SpanKind.INTERNAL, None, 60 + n, 61 + n) for n, span_id in enumerate(steps)),
        _of(service, None, "service", SpanKind.SERVER, LAMBDA, 50, 900),
        _of("0" * 15 + "2", service, "function", SpanKind.SERVER, FUNCTION, 60, 890),
        _of("0" * 15 + "3", "0" * 15 + "2", "Initialization", SpanKind.INTERNAL, None, 10, 59),
    ]
    assert dict(breakdown_of(Trace(spans)).components)[COLD_START] == 9


def _of(
    span_id: str, parent_id: str | None, name: str, kind: SpanKind, origin: str | None, start: int, end: int
) -> Span:
    attributes = {} if origin is None else {"aws.xray.origin": origin}
    return Span(
        trace_id="1" * 32,
        span_id=span_id,
        parent_id=parent_id,
        name=name,
        kind=kind,
        start_ns=start,
        end_ns=end,
        attributes=attributes,
    )


def test_without_outlines_all_else_is_equal(tmp_path: Path) -> None:
    """A report without a baseline leaves them out; one with a baseline compares them."""
    path = tmp_path / "orders.jsonl"
    path.write_text("".join(dump_line(trace.spans) for trace in hundred()))
    with_outlines = load([Source(path.name, path)], []).in_order()
    of_report, of_comparison = (
        Files([path], Request([path], against=against), lambda _: path, SILENT).breakdowns().in_order()
        for against in (None, str(path))
    )
    assert list(of_comparison) == list(with_outlines)
    assert list(of_report) == [breakdown._replace(outline=()) for breakdown in with_outlines]
    assert any(breakdown.outline for breakdown in with_outlines)
