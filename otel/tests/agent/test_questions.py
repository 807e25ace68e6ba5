"""The golden questions: each is answered in at most three calls, by texts that the tools print."""

from __future__ import annotations

import pytest

from lab.agents.conversations import asked
from lab.agents.questions import MOST_CALLS, QUESTIONS, Question
from lab.agents.scenes import write_scenes
from lambda_latency.agent.budget import MOST, tokens
from tests.agent.asking import Tools


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Tools:
    """The tools on the scenes."""
    folder = tmp_path_factory.mktemp("scenes")
    write_scenes(folder)
    return Tools(folder)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda one: one.asked)
def test_the_answers_have_the_expected_parts(tools: Tools, question: Question) -> None:
    """All of them, in three calls or fewer, each of at most 2,000 tokens."""
    said = asked(question, tools)
    text = "\n".join(one.text for one in said)
    assert [part for part in question.expected if part not in text] == []
    assert len(said) <= MOST_CALLS
    assert max(tokens(one.text) for one in said) <= MOST


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda one: one.asked)
def test_a_later_call_uses_only_what_an_answer_printed(tools: Tools, question: Question) -> None:
    """Ids and routes; the file is the question's."""
    said = asked(question, tools)
    for number, one in enumerate(said):
        before = "\n".join(earlier.text for earlier in said[:number])
        for name in ("trace_id", "span_id", "route", "under"):
            if name in one.arguments:
                assert number
                assert one.arguments[name] in before


def test_there_are_twenty() -> None:
    """Different ones."""
    assert len({question.asked for question in QUESTIONS}) == 20
