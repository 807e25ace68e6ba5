"""`report --brief`: the very text of the tools, with the exit statuses of a report."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.agents.scenes import write_scenes
from lambda_latency.agent.budget import MOST, tokens
from lambda_latency.cli import main
from tests.agent.asking import Tools


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the scenes."""
    folder = tmp_path_factory.mktemp("scenes")
    write_scenes(folder)
    return folder


@pytest.fixture
def run(scenes: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a report in the folder; returns what it prints."""
    monkeypatch.chdir(scenes)

    def run(*words: str, status: int = 0) -> str:
        assert main(["report", *words]) == status
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize("name", ["shop", "search", "services", "tenants", "code", "export", "broken", "last/traces"])
def test_it_is_the_text_of_why_slow(run: Callable[..., str], scenes: Path, name: str) -> None:
    """To the letter; within 2,000 tokens."""
    text = run(f"{name}.jsonl", "--brief")
    assert text == Tools(scenes)("why_slow", {"source": f"{name}.jsonl"}) + "\n"
    assert tokens(text) <= MOST


def test_its_options_are_those_of_why_slow(run: Callable[..., str], scenes: Path) -> None:
    """Route, time, limit."""
    given = {"route": "POST /orders", "since": "2026-11-25T12:30:00Z", "until": "2026-11-25T14:00:00Z", "slow_ms": 200}
    words = ("--route", "POST /orders", "--since", given["since"], "--until", given["until"], "--slow", "200")
    text = run("shop.jsonl", *map(str, words), "--brief")
    assert text == Tools(scenes)("why_slow", {"source": "shop.jsonl", **given}) + "\n"


def test_with_a_baseline_it_is_the_text_of_compare(run: Callable[..., str], scenes: Path) -> None:
    """Slower, or the same."""
    for now in ("after.jsonl", "same.jsonl"):
        text = run(now, "--against", "before.jsonl", "--brief")
        assert text == Tools(scenes)("compare", {"source": now, "baseline": "before.jsonl"}) + "\n"


def test_with_a_trace_it_is_the_text_of_show_request(run: Callable[..., str], scenes: Path) -> None:
    """Of one that the brief names."""
    trace_id = run("shop.jsonl", "--brief").partition("a request that timed out: ")[2].partition("\n")[0]
    text = run("shop.jsonl", "--trace", trace_id, "--brief")
    assert text == Tools(scenes)("show_request", {"source": "shop.jsonl", "trace_id": trace_id}) + "\n"


def test_its_command_prints_its_numbers(run: Callable[..., str]) -> None:
    """The command that it names is the report without --brief."""
    text = run("shop.jsonl", "--brief")
    line = next(line for line in text.splitlines() if line.startswith("All numbers above: "))
    assert line == "All numbers above: lambda-latency report shop.jsonl"
    printed = " ".join(run("shop.jsonl").split())
    for sentence in (line.replace('"', "") for line in text.splitlines()[:5]):
        assert sentence in printed


def test_its_numbers_are_those_of_the_json(run: Callable[..., str]) -> None:
    """Renaming changes nothing but names."""
    text, values = run("shop.jsonl", "--brief"), json.loads(run("shop.jsonl", "--json", "-"))
    assert values["classes"][0]["trace_id"] in text
    for one in values["classes"]:
        assert one["sentence"] in text.replace('"', "")


def test_gates_and_files_are_as_without_it(run: Callable[..., str], tmp_path: Path) -> None:
    """A condition on a part by its name holds, and a file has the names of the traces."""
    run(
        "shop.jsonl",
        "--brief",
        "--fail-if",
        "share(external payments.example.com) > 1%",
        "--json",
        f"{tmp_path}/r.json",
        status=3,
    )
    assert '"' not in json.loads((tmp_path / "r.json").read_text())["classes"][0]["name"]


def test_nothing_readable_is_status_1(run: Callable[..., str], tmp_path: Path) -> None:
    """Without a text."""
    (tmp_path / "empty.jsonl").write_text("")
    assert run(str(tmp_path / "empty.jsonl"), "--brief", status=1) == ""


def test_two_texts_do_not_fit_standard_output(run: Callable[..., str]) -> None:
    """A usage error."""
    assert run("shop.jsonl", "--brief", "--json", "-", status=2) == ""


def test_answers_are_the_same_twice_and_after_a_change_they_are_not(scenes: Path, tmp_path: Path) -> None:
    """A file that was written meanwhile is read again."""
    file = tmp_path / "traces.jsonl"
    file.write_bytes((scenes / "shop.jsonl").read_bytes())
    tools = Tools(tmp_path)
    first = tools("why_slow")
    assert tools("why_slow") == first == Tools(tmp_path)("why_slow")
    file.write_bytes((scenes / "search.jsonl").read_bytes())
    assert tools("why_slow") != first


def test_a_route_is_taken_in_the_form_that_an_answer_prints(scenes: Path) -> None:
    """With its quotes, and without."""
    tools = Tools(scenes)
    plain = tools("why_slow", {"source": "shop.jsonl", "route": "GET /orders/{id}"})
    assert tools("why_slow", {"source": "shop.jsonl", "route": '"GET /orders/{id}"'}) == plain
    assert "--route 'GET /orders/{id}'" in plain
