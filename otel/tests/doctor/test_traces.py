"""Why a trace is broken: each way injected twice, and traces that are whole."""

from pathlib import Path
from typing import Any

import pytest

from lambda_latency.cli import main
from lambda_latency.doctor import TRACE_RULES, diagnose_traces
from lambda_latency.trace import Scope, Span, SpanKind, Trace, dump_line
from tests.latency.generated import hundred

MS, T0 = 1_000_000, 1_795_560_000_000_000_000
SERVER, CLIENT, CONSUMER, INTERNAL = SpanKind.SERVER, SpanKind.CLIENT, SpanKind.CONSUMER, SpanKind.INTERNAL
FUNCTION = {"faas.name": "shop-get"}
LAMBDA = ("AWS::Lambda", "AWS::Lambda::Function")


def span(number: int, name: str, parent: int | None = None, **values: Any) -> Span:
    """A span of 10 to 90 ms by its number; `origin`, `scope`, `at` (start and end in ms) in short."""
    start, end = values.pop("at", (10, 90))
    attributes = {**values.pop("attributes", {})}
    if "origin" in values:
        attributes["aws.xray.origin"] = values.pop("origin")
    return Span(
        trace_id="6b05a667affeb9dbb0aa7f2b5d5ab5f9",
        span_id=f"{number:016x}",
        parent_id=None if parent is None else f"{parent:016x}",
        parent_remote=values.pop("remote", None if parent is None else False),
        name=name,
        start_ns=T0 + start * MS,
        end_ns=None if end is None else T0 + end * MS,
        attributes=attributes,
        scope=Scope(values.pop("scope", "")),
        **values,
    )


def segments() -> list[Span]:
    """Lambda's own."""
    return [span(1, "shop-get", origin=LAMBDA[0], at=(0, 100)), span(2, "shop-get", 1, origin=LAMBDA[1], at=(5, 95))]


def handler(parent: int | None = 2, **values: Any) -> Span:
    """The function's."""
    return span(3, "GET /", parent, kind=SERVER, resource=FUNCTION, **{"remote": parent is not None or None, **values})


def call(number: int = 4, parent: int = 3, **values: Any) -> Span:
    """What it calls."""
    return span(number, "DynamoDB.GetItem", parent, **{"kind": CLIENT, "resource": FUNCTION, **values})


TIMEOUT: dict[str, Any] = {"attributes": {"lambda.timeout": True}}
WHOLE = [*segments(), handler(), call()]
BROKEN: dict[str, tuple[list[Span], list[Span]]] = {
    "trace-missing": ([], []),
    "trace-orphans": ([*WHOLE, call(5, 77)], [*segments(), handler(), call(4, 88), call(5, 88)]),
    "trace-second-root": ([*WHOLE, span(9, "worker", resource=FUNCTION)],
                          [*WHOLE, span(9, "a", kind=CONSUMER), span(10, "b")]),
    "trace-without-function": (segments(), [*segments(), span(6, "Invocation", 2), span(7, "Overhead", 2)]),
    "trace-without-lambda": ([handler(None), call()], [handler(None)]),
    "trace-hijacked": ([*segments(), handler(99), call()], [*segments(), handler(98), call(), call(5)]),
    "trace-timeout": ([*segments(), handler(**TIMEOUT), call()], [*segments(), handler(), call(**TIMEOUT)]),
    "trace-freeze": ([*segments(), handler(), call(at=(10, None))],
                     [*segments(), handler(), call(attributes={"lambda.provisional": True})]),
    "trace-two-tracers": ([*segments(), handler(), call(scope="a"), call(5, scope="b")],
                          [*segments(), handler(), call(scope="a"), call(5, 4, scope="b", at=(11, 90))]),
}  # fmt: skip


def rules_of(spans: list[Span]) -> list[str]:
    """The rules that find something."""
    return [finding.rule for finding in diagnose_traces("t.jsonl", [Trace(spans)] if spans else [])]


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("rule", BROKEN)
def test_a_broken_trace_is_explained(rule: str, number: int) -> None:
    """By that rule alone."""
    assert rules_of(BROKEN[rule][number]) == [rule]


def test_every_rule_of_traces_is_planted() -> None:
    """In the order of the table."""
    assert list(BROKEN) == [rule.name for rule in TRACE_RULES]


@pytest.mark.parametrize(
    "spans",
    [
        WHOLE,
        [*segments(), handler(), call(scope="a"), call(5, scope="b", at=(90, 95))],
        [*segments(), handler(), call(scope="a"), call(5, scope="a")],
        [*segments(), span(6, "## work", 2)],
        [span(1, "gateway", kind=SERVER), call(2, 1, resource={})],
    ],
    ids=["whole", "one after the other", "two calls of one tracer", "subsegments of the X-Ray SDK", "not of Lambda"],
)
def test_a_whole_trace_has_no_finding(spans: list[Span]) -> None:
    """Whatever it looks like."""
    assert rules_of(spans) == []


def test_a_load_has_its_timeout_and_nothing_else() -> None:
    """One finding a rule, with a trace to look at."""
    traces = hundred()
    (finding,) = diagnose_traces("t.jsonl", traces)
    late = [trace.trace_id for trace in traces if trace.timed_out]
    assert (finding.rule, finding.what) == (
        "trace-timeout",
        f"{len(late)} of {len(traces)} traces, such as {late[0]}: Lambda stopped the function at its timeout",
    )


def test_the_command_reads_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`report --problems` ends with the broken traces, beside what could not be read."""
    path = tmp_path / "traces.jsonl"
    path.write_text(dump_line(WHOLE))
    assert main(["report", str(path), "--problems"]) == 0
    assert capsys.readouterr().out.endswith("\nNo trace is broken.\n")
    path.write_text(f"{dump_line(BROKEN['trace-orphans'][0])}not a trace\n")
    assert main(["report", str(path), "--problems"]) == 4
    out = capsys.readouterr().out
    assert f"{path}:1: error: the trace: 1 spans have a parent" in out
    assert f"skipped: {path}:2: " in out
