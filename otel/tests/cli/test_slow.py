"""What "slow" means with a limit: the option, the setting, and files that hold only slow requests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lambda_latency.cli import main
from lambda_latency.trace import dump_line
from tests.latency.system import order

FAST_MS, SLOW_MS = 200, 900


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with 60 orders, of which ten are slow, and with these ten alone."""
    monkeypatch.chdir(tmp_path)
    lines = [dump_line(order(SLOW_MS if number % 6 == 0 else FAST_MS + number % 7, number=number).spans)
             for number in range(60)]  # fmt: skip
    Path("all.jsonl").write_text("".join(lines))
    Path("slow.jsonl").write_text("".join(lines[::6]))
    Path("sometimes.jsonl").write_text(
        "".join(dump_line(order(FAST_MS + 30 * (number % 6 == 0), number=number).spans) for number in range(60))
    )


def _report(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["report", *arguments, "--json", "-"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_the_setting_is_the_option(capsys: pytest.CaptureFixture[str]) -> None:
    """Both count requests over the limit, which without a limit are not slow beside their route."""
    limited = _report(capsys, "sometimes.jsonl", "--slow", "215")
    Path("lambda-latency.toml").write_text("slow = 215")
    by_setting = _report(capsys, "sometimes.jsonl")
    Path("lambda-latency.toml").unlink()
    fenced = _report(capsys, "sometimes.jsonl", "--slow", "300")
    assert limited["classes"] == by_setting["classes"]
    assert [(one["name"], one["requests"]) for one in limited["classes"]] == [("payments", 10)]
    assert "10 of 60 requests (over 215 ms) wait for the code of payments" in limited["verdict"]["sentence"]
    assert (fenced["classes"], fenced["beside"]["slow"]) == ([], 0)


def test_most_requests_over_the_limit_are_compared_with_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    """If these are much faster; of requests that hardly differ the limit says nothing, and their fence counts."""
    Path("most.jsonl").write_text(
        "".join(dump_line(order(SLOW_MS if number % 5 < 3 else FAST_MS, number=number).spans) for number in range(60))
    )
    Path("alike.jsonl").write_text(
        "".join(dump_line(order(FAST_MS + number % 40, number=number).spans) for number in range(60))
    )
    most, alike = _report(capsys, "most.jsonl", "--slow", "500"), _report(capsys, "alike.jsonl", "--slow", "210")
    assert [(one["name"], one["requests"]) for one in most["classes"]] == [("payments", 36)]
    assert (most["beside"]["whole_routes"], alike["classes"]) == ([], [])
    assert [one["route"] for one in alike["beside"]["whole_routes"]] == ["POST /orders"]
    assert alike["verdict"]["sentence"] == (
        "Nothing stands out. 38 of 60 requests took over 210 ms, which is usual on their routes."
    )


def test_a_file_of_slow_requests_alone_has_none_to_compare_with(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is slow beside the others; over a limit the route is slow as a whole, which is a line and no cause."""
    alone = _report(capsys, "slow.jsonl")
    assert (alone["verdict"]["kind"], alone["classes"], alone["beside"]["whole_routes"]) == ("even", [], [])
    limited = _report(capsys, "slow.jsonl", "--slow", "500")
    assert (limited["verdict"]["kind"], limited["classes"]) == ("even", [])
    [whole] = limited["beside"]["whole_routes"]
    assert (whole["route"], whole["requests"], whole["cell"]["name"]) == ("POST /orders", 10, "payments")
    assert limited["beside"]["sentences"][0].startswith(
        "POST /orders is slow as a whole (limit 500 ms): a typical request takes 900 ms, "
    )


def test_slow_requests_alone_are_told_against_a_baseline(capsys: pytest.CaptureFixture[str]) -> None:
    """As they come from `--xray --slower-than`."""
    Path("fast.jsonl").write_text("".join(dump_line(order(FAST_MS + number % 7, number=number).spans)
                                          for number in range(40)))  # fmt: skip
    against = _report(capsys, "slow.jsonl", "--against", "fast.jsonl")["against"]
    assert (against["answer"], against["causes"][0]["service"]) == ("slower", "payments")
