"""What reports say of durable executions: in text, Markdown, JSON and gates, from one decision."""

import json
import random
from functools import partial
from pathlib import Path

import pytest

from lab.durable.__main__ import Planted, spans_of_set, write
from lab.durable.executions import Form
from lambda_latency.cli import main
from lambda_latency.latency import Report, load, read_gate, report_of
from lambda_latency.text import Style, document, flat, render_markdown, sentence
from lambda_latency.text.cause_groups import unclassified
from lambda_latency.trace import LineIndex, Problem, Source, Span, find_traces, redact

STYLE = Style(unicode=False)


def reported(spans: list[Span], folder: Path) -> Report:
    """The report on the executions of a file with these spans."""
    path = folder / "traces.jsonl"
    write(spans, path, as_xray=False)
    source, index, problems = Source(path.name, path), LineIndex(), list[Problem]()
    breakdowns = load([source], problems, index=index)
    return report_of(breakdowns, partial(find_traces, [source], index=index), problems=problems)


@pytest.fixture
def retried(tmp_path: Path) -> Report:
    """A report on 24 executions, of which 4 repeat a step twice."""
    return reported(spans_of_set(Planted(5, "retried step", 24, Form(traces=True), as_xray=False)), tmp_path)


def test_a_few_slow_executions_are_told_with_their_step_and_its_attempts(retried: Report) -> None:
    """Eight slow requests are needed for a finding that is sure."""
    assert flat(sentence(retried, STYLE)) == (
        "Thin evidence: 4 of 24 executions of ProcessOrder are slow. step charge explains 99 % of the difference "
        "(4,254 ms, 3 attempts)."
    )


def test_many_slow_executions_are_a_finding(tmp_path: Path) -> None:
    """The part takes more: no execution waits for its own step."""
    report = reported(spans_of_set(Planted(5, "retried step", 100, Form(), as_xray=False)), tmp_path)
    assert flat(sentence(report, STYLE)).startswith(
        "12 of 100 executions of ProcessOrder (12 %): the step charge takes 4,"
    )
    assert "more than in a typical one (3 attempts), " in flat(sentence(report, STYLE))
    assert sentence_of_markdown(report) == flat(sentence(report, STYLE)).partition(":")[0]


def sentence_of_markdown(report: Report) -> str:
    """The beginning of the finding in the Markdown report, without its marks."""
    return render_markdown(report).replace("*", "").replace("\\", "").replace("\u202f", " ").partition(":")[0]


def test_a_wait_is_no_cause_and_named_where_it_is_longer(tmp_path: Path) -> None:
    """Nothing is slow: the executions wait for an answer."""
    report = reported(spans_of_set(Planted(5, "long callback", 100, Form(), as_xray=False)), tmp_path)
    [line] = unclassified(report, STYLE)
    assert report.verdict.kind == "even"
    assert line.startswith("Waiting by design, and no cause: ")
    assert " executions of ProcessOrder wait for the callback approval more than 2 times as long as" in line
    waits = document(report, command="", version="")["waits"]
    assert [wait["name"] for wait in json.loads(json.dumps(waits))] == [
        "callback approval", "timer label", "timer settle"
    ]  # fmt: skip


def test_running_executions_are_counted(tmp_path: Path) -> None:
    """They may take long yet."""
    spans = spans_of_set(Planted(5, "", 24, Form(), as_xray=False))
    running = {span.trace_id for span in spans[:1]}
    without_end = [span for span in spans if span.trace_id not in running or span.name != "Workflow"]
    without_end = [span for span in without_end if span.attributes.get("durable.invocation.status") != "SUCCEEDED"
             or span.trace_id not in running]  # fmt: skip
    assert unclassified(reported(without_end, tmp_path), STYLE) == [
        "1 execution of ProcessOrder is still running, and not judged."
    ]


def test_a_report_on_running_executions_alone_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Their spans were read."""
    spans = spans_of_set(Planted(5, "", 24, Form(), as_xray=False))
    invocation = next(span for span in spans if span.name == "Invocation")
    write([invocation], tmp_path / "traces.jsonl", as_xray=False)
    assert main(["report", str(tmp_path / "traces.jsonl")]) == 1
    assert capsys.readouterr().err == (
        f"lambda-latency: {invocation.trace_id}: execution ProcessOrder is still running: not judged\n"
        "  an execution is judged when it has ended: run the command again then\n"
    )


def test_a_gate_judges_the_executions_of_a_function(retried: Report) -> None:
    """Without their waits by design."""
    verdicts = [read_gate(f"p95(execution ProcessOrder) > {limit}").judge(retried).failed for limit in ("2s", "30s")]
    assert verdicts == [True, False]


def test_redacted_executions_are_judged_alike(tmp_path: Path) -> None:
    """A step and its attempts get the same name."""
    spans = spans_of_set(Planted(5, "retried step", 24, Form(by_invocation=True), as_xray=False))
    random.Random(1).shuffle(spans)  # noqa: S311 - a test
    report = reported(list(redact(spans)), tmp_path)
    assert "executions of service-1 are slow. step span-" in flat(sentence(report, STYLE))
    assert ", 3 attempts)." in flat(sentence(report, STYLE))
