"""Questions that people ask an assistant about slow requests: the answers of three calls have what they ask for."""

import json
import multiprocessing
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lambda_latency.agent.budget import MOST, tokens
from lambda_latency.agent.tools import ACCOUNT_TOOLS, TOOLS
from tests.agent.asking import Tools

MOST_CALLS = 3
TRACE_ID = re.compile(r"a request that waits for [^\n]*?: ([0-9a-f-]{16,36}), ")
ROOT_ID = re.compile(r"\n([0-9a-f]{16}) \| [^\n]* \| \"")
PRICE_ID = re.compile(r"\n([0-9a-f]{16}) \| [^\n]*\"price\"")
SOURCES = {"check_tracing": "path", "query_archive": "archive"}  # how a tool calls its file; `source` for the others


class Call(NamedTuple):
    """A tool and its arguments. The value of a pattern is its first group in the latest answer that has it."""

    tool: str
    arguments: Mapping[str, object]


WHY = Call("why_slow", {})


class Question(NamedTuple):
    """What is asked about a file or a folder of the scenes, the texts that the answers have together, and the calls.

    `scene` is empty where the question names no file.
    """

    text: str
    scene: str
    expected: tuple[str, ...]
    calls: tuple[Call, ...] = (WHY,)


EXAMPLE = Call("show_request", {"trace_id": TRACE_ID})
ROOT = Call("show_span", {"trace_id": TRACE_ID, "span_id": ROOT_ID})
PRICE = Call("show_span", {"trace_id": TRACE_ID, "span_id": PRICE_ID})
COMPARE = Call("compare", {"baseline": "before.jsonl"})
CHECK = Call("check_tracing", {})
TIMED_OUT = Call("list_requests", {"timeouts": True})
FAILED = Call("list_requests", {"errors": True})
ROUTE = Call("why_slow", {"route": "GET /orders/{id}"})
BY_DAY = Call("query_archive", {"question": "by_day"})
QUESTIONS = (
    Question("Why are our requests slow?", "shop.jsonl", ("payments.example.com", "POST /orders")),
    Question("Is the slow part our code, or somebody else's?", "shop.jsonl", ("The cause is external.",)),
    Question("What should we do about the slow checkout?", "shop.jsonl", ("Set a timeout for the call to",)),
    Question("Show me a request that proves it.", "shop.jsonl", ("POST payments.example.com", "took"), (WHY, EXAMPLE)),
    Question(
        "Did anything time out, and at which line?",
        "shop.jsonl",
        ("timed out at 3,000 ms", "functions/table.py:81"),
        (WHY, TIMED_OUT),
    ),
    Question("Which table is throttled?", "shop.jsonl", ("retries", "OrdersTable")),
    Question("Why is GET /orders/{id} slow?", "shop.jsonl", ("retries of", "OrdersTable"), (WHY, ROUTE)),
    Question("Which requests failed?", "shop.jsonl", ("10 of", "502"), (FAILED,)),
    Question("How often do cold starts hurt?", "shop.jsonl", ("cold starts 12",)),
    Question("Since when is the search slow?", "search.jsonl", ("catalog_db", "from 2026-11-25T14:0")),
    Question("Which service behind the shop is slow?", "services.jsonl", ("inventory", "the code of")),
    Question("Which customer has the slow requests?", "tenants.jsonl", ("tenant.id", "acme"), (WHY, EXAMPLE, ROOT)),
    Question(
        "Which line of our own code is slow?",
        "code.jsonl",
        ("the code of", "functions/prices.py", "14"),
        (WHY, EXAMPLE, PRICE),
    ),
    Question("Which line was running when the export timed out?", "export.jsonl", ("functions/report.py:57",)),
    Question("What got slower since last week?", "after.jsonl", ("orders_db", "Slower than the baseline"), (COMPARE,)),
    Question("Did the deployment change anything?", "same.jsonl", ("No difference from the baseline",), (COMPARE,)),
    Question(
        "Why are spans missing in these traces?", "broken.jsonl", ("trace-orphans", "flush before the freeze"), (CHECK,)
    ),
    Question("Will the tracing of this template work?", "app", ("wrapper-missing", "template.yaml"), (CHECK,)),
    Question(
        "How long did POST /orders take on each day?", "archive", ("POST /orders", "2026-11-25", "p95"), (BY_DAY,)
    ),
    Question("Why was the last request slow?", "", ("last/traces.jsonl", "GET /basket", "redis.example.com")),
)


@pytest.fixture
def tools(scenes: Path) -> Tools:
    """The tools on the scenes."""
    return Tools(scenes)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.text)
def test_the_answers_have_the_expected_parts(tools: Tools, question: Question) -> None:
    """All of them, in three calls or fewer, each of at most 2,000 tokens; ids are those that an answer has."""
    answers: list[str] = []
    for tool, arguments in question.calls:
        resolved: dict[str, Any] = {key: read(value, answers) for key, value in arguments.items()}
        if question.scene:
            resolved[SOURCES.get(tool, "source")] = question.scene
        answers.append(tools(tool, resolved))
    text = "\n".join(answers)
    assert [part for part in question.expected if part not in text] == []
    assert len(answers) <= MOST_CALLS
    assert max(map(tokens, answers)) <= MOST


def read(value: object, answers: list[str]) -> object:
    """The value of an argument; that of a pattern is in the answers."""
    if not isinstance(value, re.Pattern):
        return value
    return next(match[1] for answer in reversed(answers) if (match := value.search(answer)))


# ---- The page about assistants: its answers are those of the tools, and its table has every tool ----

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "ask-an-assistant.md"
ANSWER = re.compile(r"<!-- answer: (\w+) (\{[^\n]*\}) -->\n```text\n(.*?)\n```", re.DOTALL)


def test_its_answers_are_those_of_the_tools(tools: Tools) -> None:
    """To the letter; a later call uses ids that an earlier answer has."""
    earlier = ""
    examples = ANSWER.findall(PAGE.read_text(encoding="utf-8"))
    for name, body, text in examples:
        arguments = json.loads(body)
        assert tools(name, arguments) == text
        for key in ("trace_id", "span_id"):
            assert arguments.get(key, "") in earlier
        earlier += text
    assert [name for name, _, _ in examples].count("why_slow") == 2


@pytest.mark.parametrize("name", [*TOOLS, *ACCOUNT_TOOLS])
def test_its_table_has_every_tool(name: str) -> None:
    """With a sentence."""
    assert re.search(rf"^\|[^|]*`{name}`[^|]*\| \S+", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_answer_is_the_same_where_processes_are_spawned(tools: Tools) -> None:
    """As on macOS and Windows: nothing that a process has is inherited by another."""
    (name, body, text), *_ = ANSWER.findall(PAGE.read_text(encoding="utf-8"))
    start_method = multiprocessing.get_start_method(allow_none=True)
    multiprocessing.set_start_method("spawn", force=True)
    try:
        assert tools(name, json.loads(body)) == text
    finally:
        multiprocessing.set_start_method(start_method, force=True)
