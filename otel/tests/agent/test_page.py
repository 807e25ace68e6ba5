"""The page about assistants: its answers are those of the tools, and its table has every tool."""

from __future__ import annotations

import json
import multiprocessing
import re
from pathlib import Path

import pytest

from lab.agents.scenes import write_scenes
from lambda_latency.agent.tools import ACCOUNT_TOOLS, TOOLS
from tests.agent.asking import Tools

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "ask-an-assistant.md"
ANSWER = re.compile(r"<!-- answer: (\w+) (\{[^\n]*\}) -->\n```text\n(.*?)\n```", re.DOTALL)


def test_its_answers_are_those_of_the_tools(tmp_path: Path) -> None:
    """To the letter; a later call uses ids that an earlier answer has."""
    write_scenes(tmp_path)
    tools, before = Tools(tmp_path), ""
    found = ANSWER.findall(PAGE.read_text(encoding="utf-8"))
    for name, given, text in found:
        arguments = json.loads(given)
        assert tools(name, arguments) == text
        for key in ("trace_id", "span_id"):
            assert arguments.get(key, "") in before
        before += text
    assert [name for name, _, _ in found].count("why_slow") == 2


@pytest.mark.parametrize("name", [*TOOLS, *ACCOUNT_TOOLS])
def test_its_table_has_every_tool(name: str) -> None:
    """With a sentence."""
    assert re.search(rf"^\|[^|]*`{name}`[^|]*\| \S+", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_answer_is_the_same_where_processes_are_spawned(tmp_path: Path) -> None:
    """As on macOS and Windows: nothing that a process has is inherited by another."""
    write_scenes(tmp_path)
    (name, given, text), *_ = ANSWER.findall(PAGE.read_text(encoding="utf-8"))
    before = multiprocessing.get_start_method(allow_none=True)
    multiprocessing.set_start_method("spawn", force=True)
    try:
        assert Tools(tmp_path)(name, json.loads(given)) == text
    finally:
        multiprocessing.set_start_method(before, force=True)
