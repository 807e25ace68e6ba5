"""The comparison itself: what it leaves out, what it tells, and that nothing of the corpus is left out."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from lab.same.case import SAMPLED, SEGMENT, TRACE, Case
from lab.same.corpus import CORPUS
from lab.same.difference import Difference, differences
from lab.same.peer import Request
from lab.same.run import HANDLERS, KIT, Children, Observed, run
from lab.same.tree import names, untraced
from lab.versions import SUBSET
from lambda_latency.local.sandbox.function import Outcome

CASE = Case("plain.nothing")


def observed(answer: str = "null", error: str | None = None, **other: object) -> Observed:
    return Observed(outcomes=[Outcome(answer.encode(), error)], **other)  # type: ignore[arg-type]


def request(**headers: str) -> Request:
    return Request("GET", "/http/x", tuple((name.replace("_", "-"), value) for name, value in headers.items()), b"")


def test_two_answers_that_differ_are_told_with_both_sides() -> None:
    """The payload and the error type."""
    found = differences(CASE, observed('{"a": 1}'), observed('{"a": 2}', "Unhandled"))
    assert found == [Difference("answers", 'None {"a": 1}', 'Unhandled {"a": 2}')]


def test_times_addresses_and_ports_are_no_difference() -> None:
    """Two bare runs do not have them in common."""
    bare = observed('"at 0x7f00aabbccdd"', lines=["2026-01-01T00:00:00.000Z to 127.0.0.1:1234"])
    kit = observed('"at 0x7f00aabbccff"', lines=["2026-01-02T00:00:01.123Z to 127.0.0.1:4321"])
    assert differences(CASE, bare, kit) == []


def test_the_kits_own_lines_and_the_frames_of_tracing_libraries_are_left_out() -> None:
    """A frame with the line of code below it."""
    bare = ["Traceback (most recent call last):", '  File "/x/user.py", line 1, in f', "    g()"]
    ours = [f'  File "{KIT}/lambda_latency/runtime/x.py", line 1, in y', "    return real()",
            '  File "/site-packages/opentelemetry/z.py", line 9, in w', "    wrapped()", "    ^^^^^^^^^"]  # fmt: skip
    kit = [bare[0], *ours, *bare[1:], "[WARNING] lambda-latency: a word of ours"]
    assert differences(CASE, observed(lines=bare), observed(lines=kit)) == []
    assert [one.what for one in differences(CASE, observed(lines=bare), observed(lines=[*kit, "another"]))] == ["log"]


def test_of_a_stack_only_the_users_frames_are_compared() -> None:
    """Others may stand between them."""
    user = f'  File \\"{HANDLERS}/x.py\\", line 1, in f\\n'
    bare = observed(f'{{"errorType": "E", "stackTrace": ["{user}"]}}', "Unhandled")
    kit = observed(f'{{"errorType": "E", "stackTrace": ["  File \\"/wrapt/y.py\\"", "{user}"]}}', "Unhandled")
    assert differences(CASE, bare, kit) == []


@pytest.mark.parametrize(
    ("value", "different"),
    [
        (SAMPLED.replace(f"Parent={SEGMENT}", "Parent=1111111111111111"), False),
        (SAMPLED.replace("Sampled=1", "Sampled=0"), True),
        (SAMPLED.replace("1-674385f0", "1-674385f1"), True),
    ],
)
def test_of_the_tracing_header_only_the_parent_may_be_another(value: str, different: bool) -> None:
    """Root and Sampled are Lambda's."""
    kit = observed(requests=[request(x_amzn_trace_id=value)])
    assert bool(differences(CASE, observed(requests=[request()]), kit)) is different


def test_an_aws_call_keeps_the_lineage() -> None:
    """Lambda's loop detection lives from it."""
    kept = request(authorization="AWS4", x_amzn_trace_id=SAMPLED)
    lost = request(authorization="AWS4", x_amzn_trace_id=SAMPLED.partition(";Lineage")[0])
    bare = observed(requests=[kept])
    assert differences(CASE, bare, observed(requests=[kept])) == []
    assert [one.what for one in differences(CASE, bare, observed(requests=[lost]))] == [
        "x-amzn-trace-id of GET /http/x"
    ]


def test_what_a_row_says_may_differ_is_no_difference() -> None:
    """With its reason, which the table prints."""
    case = Case("plain.nothing", but={"log": "a reason"})
    assert differences(case, observed(), observed(lines=["more"])) == []


def span(
    name: str,
    number: int,
    parent: bytes = bytes.fromhex(SEGMENT),
    kind: Span.SpanKind.ValueType = Span.SPAN_KIND_SERVER,
) -> Span:
    return Span(name=name, span_id=bytes([number] * 8), parent_span_id=parent, trace_id=bytes.fromhex(TRACE), kind=kind)


def test_a_trace_is_right_when_its_names_and_parents_are() -> None:
    """One SERVER span below Lambda's segment; below it what the row names; the init aside."""
    root = span("probe", 1)
    call = span("GET", 2, root.span_id, Span.SPAN_KIND_CLIENT)
    init = span("init", 3, root.span_id, Span.SPAN_KIND_INTERNAL)
    case = Case("x", ("GET",))
    assert (names(Observed(spans=[root, call, init])), untraced(case, Observed(spans=[root, call, init]))) == (
        ("GET",),
        "",
    )
    assert untraced(case, Observed(spans=[root])) == "missing ['GET']"
    assert untraced(case, Observed(spans=[call])) == "0 of 1 SERVER spans"
    assert untraced(case, Observed(spans=[root, call, call])) == "sent twice: ['GET']"
    stray = span("GET", 4, b"elsewher", Span.SPAN_KIND_CLIENT)
    assert untraced(case, Observed(spans=[root, stray])) == "orphans: ['GET']"


def test_every_handler_is_in_the_corpus() -> None:
    """A function of two arguments that is not in the table would never run."""
    told = {case.handler.replace(".", "/") for case in CORPUS}
    written = {
        f"{file.relative_to(HANDLERS).with_suffix('')}/{node.name}"
        for file in HANDLERS.rglob("*.py")
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and [one.arg for one in node.args.args] == ["event", "context"]
    }
    assert written - told == set()


def test_rows_have_names_of_their_own_and_the_subset_names_rows() -> None:
    """Two rows with one handler are told apart by their labels."""
    known = [case.name for case in CORPUS]
    assert len(known) == len(set(known))
    assert set(SUBSET) <= set(known)


def test_a_handler_runs_both_ways() -> None:
    """Under the real runtime client, in a process of its own; the span arrives."""
    case = Case("calls.get", ("GET",))
    with Children() as processes:
        bare = run(case, Path(sys.executable), processes, kit=False)
        kit = run(case, Path(sys.executable), processes, kit=True)
    assert differences(case, bare, kit) == []
    assert untraced(case, kit) == ""
    assert (bare.spans, bare.exits, kit.exits) == ([], [None], [None])
