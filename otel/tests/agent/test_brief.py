"""`report --brief`: the very text of the tools, with the exit statuses of a report."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lambda_latency.agent.budget import MOST, tokens
from lambda_latency.cli import main
from lambda_latency.trace import SpanKind, dump_line
from tests.agent.asking import Tools
from tests.trace.build import MS, node, tree


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
    text = run(f"{name}.jsonl", "--format", "brief")
    assert text == Tools(scenes)("why_slow", {"source": f"{name}.jsonl"}) + "\n"
    assert tokens(text) <= MOST


def test_its_options_are_those_of_why_slow(run: Callable[..., str], scenes: Path) -> None:
    """Route, time, limit."""
    since, until = "2026-11-25T12:30:00Z", "2026-11-25T14:00:00Z"
    options = {"route": "POST /orders", "since": since, "until": until, "slow_ms": 200}
    selection = ("--route", "POST /orders", "--since", since, "--until", until, "--slow", "200")
    text = run("shop.jsonl", *selection, "--format", "brief")
    assert text == Tools(scenes)("why_slow", {"source": "shop.jsonl", **options}) + "\n"


def test_with_a_baseline_it_is_the_text_of_compare(run: Callable[..., str], scenes: Path) -> None:
    """Slower, or the same."""
    for current in ("after.jsonl", "same.jsonl"):
        text = run(current, "--against", "before.jsonl", "--format", "brief")
        assert text == Tools(scenes)("compare", {"source": current, "baseline": "before.jsonl"}) + "\n"


def test_with_a_trace_it_is_the_text_of_show_request(run: Callable[..., str], scenes: Path) -> None:
    """Of one that the brief names."""
    trace_id = run("shop.jsonl", "--format", "brief").partition("a request that timed out: ")[2].partition("\n")[0]
    text = run("shop.jsonl", "--trace", trace_id, "--format", "brief")
    assert text == Tools(scenes)("show_request", {"source": "shop.jsonl", "trace_id": trace_id}) + "\n"


def test_its_command_prints_its_numbers(run: Callable[..., str]) -> None:
    """The command that it names is the report without --brief."""
    text = run("shop.jsonl", "--format", "brief")
    line = next(line for line in text.splitlines() if line.startswith("All numbers above: "))
    assert line == "All numbers above: lambda-latency report shop.jsonl"
    printed = " ".join(run("shop.jsonl").split())
    for sentence in (line.replace('"', "") for line in text.splitlines()[:5]):
        assert sentence in printed


def test_its_numbers_are_those_of_the_json(run: Callable[..., str]) -> None:
    """Renaming changes nothing but names."""
    text, values = run("shop.jsonl", "--format", "brief"), json.loads(run("shop.jsonl", "--format", "json"))
    assert values["classes"][0]["trace_id"] in text
    for group in values["classes"]:
        assert group["sentence"] in text.replace('"', "")


def test_gates_and_files_are_as_without_it(run: Callable[..., str], tmp_path: Path) -> None:
    """A condition on a part by its name holds, and a file has the names of the traces."""
    gate = ("--fail-if", "share(external payments.example.com) > 1%")
    run("shop.jsonl", "--format", "brief", *gate, f"--format=json={tmp_path}/r.json", status=3)
    assert '"' not in json.loads((tmp_path / "r.json").read_text())["classes"][0]["name"]


def test_nothing_readable_is_status_1(run: Callable[..., str], tmp_path: Path) -> None:
    """Without a text."""
    (tmp_path / "empty.jsonl").write_text("")
    assert run(str(tmp_path / "empty.jsonl"), "--format", "brief", status=1) == ""


def test_answers_are_the_same_twice_and_after_a_change_they_are_not(scenes: Path, tmp_path: Path) -> None:
    """A file that was written meanwhile is read again."""
    file = tmp_path / "traces.jsonl"
    file.write_bytes((scenes / "shop.jsonl").read_bytes())
    tools = Tools(tmp_path)
    answer = tools("why_slow")
    assert tools("why_slow") == answer == Tools(tmp_path)("why_slow")
    file.write_bytes((scenes / "search.jsonl").read_bytes())
    assert tools("why_slow") != answer


def test_a_route_is_taken_in_the_form_that_an_answer_prints(scenes: Path) -> None:
    """With its quotes, and without."""
    tools = Tools(scenes)
    plain = tools("why_slow", {"source": "shop.jsonl", "route": "GET /orders/{id}"})
    assert tools("why_slow", {"source": "shop.jsonl", "route": '"GET /orders/{id}"'}) == plain
    assert "--route 'GET /orders/{id}'" in plain


def test_a_cause_that_several_callers_share_has_a_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The network to a service is one cause, whoever calls it."""
    lines = []
    for number in range(120):
        wait = 900 if number % 12 < 2 else 1 + number % 5
        caller = ("shop", "basket")[number % 2]
        search = node("GET /find", 5 + wait, 15 + wait, kind=SpanKind.SERVER, resource={"service.name": "search"})
        call = node("call", 5, 20 + wait, search, kind=SpanKind.CLIENT, resource={"service.name": caller},
                    attributes={"server.address": "10.0.0.9"})  # fmt: skip
        shop = node("GET /shop", 3, 25 + wait, call, kind=SpanKind.SERVER, resource={"service.name": caller})
        front = node("call", 1, 27 + wait, shop, kind=SpanKind.CLIENT, resource={"service.name": "front"},
                     attributes={"server.address": "10.0.0.8"})  # fmt: skip
        root = node("GET /", 0, 30 + wait, front, kind=SpanKind.SERVER, resource={"service.name": "front"})
        spans = tree(root, unit=MS).spans
        lines.append(dump_line([replace(span, trace_id=f"{number + 1:032x}") for span in spans]))
    traces = tmp_path / "t.jsonl"
    traces.write_text("".join(lines))
    assert main(["report", str(traces), "--format", "brief"]) == 0
    assert capsys.readouterr().out.startswith('20 of 120 requests of "GET /" (17 %) wait for the network to "search"')
