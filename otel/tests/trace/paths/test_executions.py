"""The spans of a durable execution as the tree of one request, for both classes of AWS's plugin."""

import random
from dataclasses import replace

import pytest

from lab.durable.executions import Form, Group, Invoke, Operation, Pause, Player, Step
from lambda_latency.latency import Analyzer, Breakdown, Breakdowns, Calls, Component
from lambda_latency.trace import Problem, Span, SpanKind, Status, Trace, traces_of
from lambda_latency.trace.model.compact_span import compact_spans_of

FORMS = (
    Form(),
    Form(by_invocation=True),
    Form(of_kit=True),
    Form(by_invocation=True, of_kit=True),
    Form(on_lambda=True),
    Form(by_invocation=True, on_lambda=True, of_kit=True),
    Form(traces=True),
    Form(by_invocation=True, traces=True, of_kit=True),
)
OPERATIONS: list[Operation] = [
    Step("reserve", [40.0]),
    Pause("settle", 5.0),
    Step("charge", [90.0, 90.0, 100.0]),
    Group("quotes", [[Step("quote-1", [30.0])], [Step("quote-2", [60.0])]]),
    Pause("approval", 60.0, "CALLBACK"),
]


def played(form: Form, operations: list[Operation] = OPERATIONS) -> list[Span]:
    """The spans of one execution."""
    player = Player(form, "ProcessOrder", random.Random(1))  # noqa: S311 - a simulation
    player.play(operations)
    return player.spans


def breakdowns_of(spans: list[Span]) -> tuple[list[Breakdown], list[str]]:
    """The breakdowns of spans with one trace id, and the reasons of problems."""
    breakdowns, problems = Breakdowns(), list[Problem]()
    Analyzer(breakdowns).add(next(iter({span.trace_id for span in spans})), compact_spans_of(spans), problems)
    return list(breakdowns), [problem.reason for problem in problems]


def joined(spans: list[Span]) -> list[Span]:
    """The spans of the only trace that remains when those of the execution are joined."""
    [trace] = traces_of(spans)
    return list(trace.spans)


def tree_of(trace: Trace) -> list[str]:
    """The names of the spans of a request, indented by depth."""
    return [f"{'  ' * depth}{span.name}" for span, depth in trace.tree.by_depth()]


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_an_execution_is_one_request_whose_time_goes_to_its_steps(form: Form) -> None:
    """Attempts and the waits between them belong to the step; waits by design are calls, and no time."""
    [breakdown], problems = breakdowns_of(joined(played(form)))
    assert (breakdown.route, breakdown.error, breakdown.timed_out) == ("execution ProcessOrder", False, False)
    assert problems == []
    ms = {component.label: round(ns / 1e6, -1) for component, ns in breakdown.components}
    steps = {label: ms[label] for label in ("step charge", "step reserve", "step quote-2")}
    assert steps == {
        "step charge": pytest.approx(4_350, abs=120),
        "step reserve": pytest.approx(40, abs=20),
        "step quote-2": pytest.approx(60, abs=20),
    }
    assert ms.get("step quote-1", 0) == 0
    assert ms.keys() - steps <= {"step quote-1", "replay", "own code", "Lambda service", "Lambda overhead"}
    assert sum(dict(breakdown.components).values()) == breakdown.wall_ns


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_attempts_and_waits_are_calls(form: Form) -> None:
    """Attempts after the first are retries of the step; a wait by design is a call with its time."""
    [breakdown], _ = breakdowns_of(joined(played(form)))
    calls = dict(breakdown.calls)
    assert calls[Component("step", "charge")] == Calls(1, errors=2, retries=2)
    waited = {edge.component.name: sum(durations) for edge, durations in breakdown.durations_ns}
    assert waited["timer settle"] == pytest.approx(5e9, rel=0.02)
    assert waited["callback approval"] == pytest.approx(60e9, rel=0.02)


def test_operations_are_below_their_invocations() -> None:
    """The plugin records them below the execution; what an invocation runs over again is a span of its own."""
    [trace] = traces_of(played(Form(), [Step("reserve", [40.0]), Pause("settle", 5.0), Step("charge", [100.0])]))
    assert tree_of(trace) == [
        "execution ProcessOrder",
        "  DurableExecutionRoot",
        "  Invocation",
        "    reserve",
        "      reserve attempt 1",
        "    settle",
        "  settle",
        "  Invocation",
        "    replay",
        "    charge",
        "      charge attempt 1",
    ]


@pytest.mark.parametrize("is_recorded", [True, False])
def test_a_function_that_an_execution_invokes_is_below_it(is_recorded: bool) -> None:
    """It is below the wait for it; without the plugin nothing records the operation that is its parent."""
    spans = played(Form(), [Step("reserve", [40.0]), Pause("settle", 5.0)])
    [settle] = [span for span in spans if span.name == "settle"]
    begin_ns = settle.start_ns + 2 * 10**9
    attributes = {"aws.xray.origin": "AWS::Lambda"}
    called = replace(
        settle, name="Price", kind=SpanKind.SERVER, attributes=attributes, span_id="cd" * 8,
        start_ns=begin_ns, end_ns=begin_ns + 10**9, parent_id=settle.span_id if is_recorded else "ab" * 8,
    )  # fmt: skip
    [trace] = traces_of([*spans, called])
    tree = tree_of(trace)
    below = ["  settle", "    Price"] if is_recorded else ["  settle", "  Price"]
    assert tree[-4:] == ["    settle", *below, "  Invocation"]


def test_an_execution_waits_for_a_function_from_its_start() -> None:
    """The invocation that begins the wait ends later."""
    spans = played(Form(), [Invoke("price", "Price", [Step("list", [40.0])])])
    [price] = [span for span in spans if span.name == "price"]
    begin_ns = min(span.start_ns for span in spans if ":Price:" in str(span.attributes["durable.execution.arn"]))
    [trace] = traces_of(spans)
    [waiting] = [span for span in trace.tree.added if span.name == "price"]
    assert price.start_ns <= begin_ns == waiting.start_ns < waiting.end_ns == price.end_ns


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_the_operations_of_flat_branches_are_below_them(form: Form) -> None:
    """The plugin records a branch beside its operations, and it ends after them."""
    quotes = Group("quotes", [[Step("quote-1", [30.0])], [Step("quote-2", [600.0])]], is_flat=True)
    [trace] = traces_of(joined(played(form, [quotes])))
    tree = tree_of(trace)
    below = [line.strip() for line in tree[[line.strip() for line in tree].index("quotes") :]]
    assert below == ["quotes", "quotes 2", "quote-2", "quote-2 attempt 1", "quotes 1", "quote-1", "quote-1 attempt 1"]
    [breakdown], _ = breakdowns_of(list(trace.spans))
    assert dict(breakdown.components)[Component("step", "quote-2")] == pytest.approx(600e6, rel=0.4)


@pytest.mark.parametrize("is_flat", [True, False])
def test_a_branch_that_outlives_its_group_is_waited_for(is_flat: bool) -> None:
    """The invocation ends after it, and the plugin ends what has not ended with the invocation."""
    quotes = Group("quotes", [[Step("quote-1", [30.0])], [Step("quote-2", [600.0])]], is_flat=True)
    spans = played(Form(by_invocation=True), [quotes])
    by_name = {span.name: span for span in spans}
    opened = {"quotes 2", "quote-2"}
    for name in opened:
        started = {**by_name[name].attributes, "durable.operation.status": "STARTED"}
        by_name[name] = replace(by_name[name], attributes=started, end_ns=by_name["Invocation"].end_ns)
    by_name["quotes"] = replace(by_name["quotes"], end_ns=by_name["quotes 1"].end_ns)
    if not is_flat:
        by_name["quote-2"] = replace(by_name["quote-2"], parent_id=by_name["quotes 2"].span_id)
    [breakdown], _ = breakdowns_of([*by_name.values()])
    assert dict(breakdown.components)[Component("step", "quote-2")] == pytest.approx(600e6, rel=0.4)
    assert dict(breakdown.components)[Component("own code", "")] < 30e6


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_what_runs_after_a_callback_was_created_is_not_waited_for_by_design(form: Form) -> None:
    """Its submitter's time is that of a step; the callback is open all the while."""
    approval = Pause("approval", 60.0, "CALLBACK", Step("submitter", [500.0]))
    [breakdown], _ = breakdowns_of(joined(played(form, [Step("reserve", [40.0]), approval])))
    assert dict(breakdown.components)[Component("step", "submitter")] == pytest.approx(500e6, rel=0.4)
    assert sum(dict(breakdown.components).values()) == breakdown.wall_ns < 2e9


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_an_arranged_execution_that_is_stored_is_arranged_as_before(form: Form) -> None:
    """An archive stores the spans of traces."""
    [trace] = traces_of(played(form))
    [stored] = traces_of(trace.spans)
    assert tree_of(stored) == tree_of(trace)
    assert breakdowns_of(list(stored.spans)) == breakdowns_of(list(trace.spans))


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_an_execution_without_its_end_is_told_and_not_judged(form: Form) -> None:
    """The span of the execution is recorded at its end, in the last invocation."""
    spans = joined(played(form))
    last_ns = max(span.start_ns for span in spans if "durable.invocation.first" in span.attributes)
    without_end = [span for span in spans if span.start_ns < last_ns - 10**9 and span.name != "Workflow"]
    assert breakdowns_of(without_end) == ([], ["execution ProcessOrder is still running: not judged"])


def test_an_execution_of_a_function_without_a_name_is_an_execution() -> None:
    """X-Ray's subsegments without a segment name no function."""
    spans = [replace(span, resource={}) for span in joined(played(Form()))]
    arn = {"durable.execution.arn": "24521387/1"}
    [breakdown], _ = breakdowns_of([replace(span, attributes={**span.attributes, **arn}) for span in spans])
    assert breakdown.route == "execution an unnamed function"


@pytest.mark.parametrize("also", [{"durable.invocation.first": True}, {"durable.operation.type": "STEP"}, {}], ids=str)
def test_the_span_of_an_execution_is_no_part_of_it(also: dict[str, object]) -> None:
    """Whatever else its attributes say, and where the handler's span, which is around its invocation, has them."""
    arn = {"durable.execution.arn": "a/1"}
    attributes: dict[str, object] = {**arn, "durable.execution.status": "SUCCEEDED", **also}
    outer = Span(
        trace_id="1" * 32,
        span_id="1" * 16,
        name="outer",
        kind=SpanKind.SERVER,
        start_ns=10,
        end_ns=90,
        attributes=attributes,
    )
    invocation = {**arn, "durable.invocation.first": True}
    inner = replace(outer, span_id="2" * 16, parent_id=outer.span_id, name="inner", attributes=invocation)
    [breakdown], problems = breakdowns_of([outer, inner])
    assert (breakdown.wall_ns, problems) == (80, [])


def test_an_execution_fails_with_its_last_invocation() -> None:
    """An invocation that failed before is repeated."""

    spans = joined(played(Form()))
    failed = [replace(span, status=Status.ERROR) if span.name == "Workflow" else span for span in spans]
    assert [breakdown.error for spans in (spans, failed) for breakdown in breakdowns_of(spans)[0]] == [False, True]
