"""What an assistant is told of durable executions: the step by its name, its attempts, and the function's name."""

import pytest

from lab.durable.__main__ import Planted, spans_of_set, write
from lab.durable.executions import Form
from tests.agent.asking import Tools


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Tools:
    """The tools on executions with a retried step, with a long callback, and without a cause."""
    folder = tmp_path_factory.mktemp("executions")
    for name, cause in {"retried": "retried step", "callback": "long callback", "before": ""}.items():
        write(spans_of_set(Planted(5, cause, 100, Form(), as_xray=False)), folder / f"{name}.jsonl", as_xray=False)
    return Tools(folder)


def test_why_slow_names_the_step_its_attempts_and_the_function(tools: Tools) -> None:
    """An attempt's number is no reason for it, and the context around a step is nothing that ran instead of it."""
    sentence, _, step, *_ = tools("why_slow", {"source": "retried.jsonl"}).splitlines()
    assert sentence == (
        '12 of 100 executions of "ProcessOrder" (12 %): the step "charge" takes 4,264 ms more than in a typical one '
        '(3 attempts), 97 % of the excess. Most of it is in the span "charge" (4,086 ms in the example). Most of it is '
        'a wait between attempts. The example made 3 calls to "charge", of which 2 failed ("error", "error"): retries. '
        "The cause is internal."
    )
    command = "All numbers above: lambda-latency report retried.jsonl --route 'execution ProcessOrder'"
    assert command in tools("why_slow", {"source": "retried.jsonl", "route": 'execution "ProcessOrder"'}).splitlines()
    assert step == (
        'Next: Find out why "charge" fails, and limit the attempts of its retry strategy: each adds a wait.'
    )


def test_a_wait_by_design_is_named_and_no_cause(tools: Tools) -> None:
    """It has the longest time of all."""
    answer = tools("why_slow", {"source": "callback.jsonl"})
    assert answer.startswith("Nothing stands out.\n")
    assert answer.splitlines()[2].startswith(
        'Waiting by design, and no cause: 13 of 100 executions of "ProcessOrder" wait for the "callback approval" more '
        "than 2 times as long as a typical one (63 s), "
    )


def test_compare_names_the_step_that_is_slow_since_the_baseline(tools: Tools) -> None:
    """And its attempts."""
    answer = tools("compare", {"source": "retried.jsonl", "baseline": "before.jsonl"})
    assert answer.startswith(
        'Slower than the baseline (100 requests then, 100 now): 12 of 100 executions of "ProcessOrder" (12 %): the '
        'step "charge" takes 4,264 ms more than in a typical one; none did then. The cause is internal. Executions of '
        '"ProcessOrder" take '
    )
    assert (
        '\nThe 12 executions in which the step "charge" takes longer (3 attempts) have 97 % of the excess. ' in answer
    )
    assert "durable.attempt" not in answer


def test_an_execution_is_listed_and_drawn(tools: Tools) -> None:
    """By the route that the answers print, or by its name."""
    for route in ("execution ProcessOrder", 'execution "ProcessOrder"'):
        listed = tools("list_requests", {"source": "retried.jsonl", "route": route, "limit": 1}).splitlines()
        assert listed[0] == "100 of 100 requests match; the slowest first"
        trace_id, _, took, shown, _, _, part = listed[3].split(" | ")
        assert (took, shown, part) == ("4,967 ms", 'execution "ProcessOrder"', 'step "charge" 4,378 ms')
    drawn = tools("show_request", {"source": "retried.jsonl", "trace_id": trace_id})
    assert drawn.startswith(f'{trace_id} execution "ProcessOrder" took ')
    assert [line for line in drawn.splitlines() if line.endswith('"charge attempt 3"')]
