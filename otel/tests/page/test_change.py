"""With a baseline the page begins with what changed: distributions, parts, rates, and both flame graphs in one."""

from pathlib import Path

from lambda_latency.latency import Breakdowns, Component, Report, against, report_of
from lambda_latency.page import build_page, page_values
from lambda_latency.page.change import change_values
from tests.latency.drawn_requests import PAYMENTS, TABLE, request
from tests.page.browser import Browser

THEN = [request(number, {TABLE: 20 + number % 5, PAYMENTS: 80 + number % 7}) for number in range(120)]
NOW = [request(500 + number, {TABLE: 20 + number % 5, PAYMENTS: 180 + number % 7}) for number in range(120)]


def compared() -> Report:
    """A report whose provider became slower by 100 ms."""
    past, current = Breakdowns(THEN), Breakdowns(NOW)
    return report_of(current, lambda _: {}, against=against(current, past, ["before.jsonl"]), baseline=past)


def number_of(part: Component) -> int:
    """The parts of the requests, by number."""
    return [TABLE, PAYMENTS].index(part)


def test_both_distributions_and_both_flame_graphs() -> None:
    """Shares of requests in the same bins; means of a request now and then, a frame as wide as the longer one."""
    values = change_values(compared(), number_of)
    assert values is not None
    assert values["says"] == "before.jsonl: 120 requests then, 120 now."
    bins, frames = values["bins"], values["frames"]
    assert isinstance(bins, dict)
    assert isinstance(frames, list)
    assert len(bins["edges_ns"]) == len(bins["then"]) + 1 == len(bins["now"]) + 1
    assert [round(sum(bins[side]), 2) for side in ("then", "now")] == [1, 1]
    assert [next(i for i, share in enumerate(bins[side]) if share) > 30 for side in ("then", "now")] == [False, True]
    named = {
        name: (depth, round(wide / 1e6), round(now_ns / 1e6), round(then_ns / 1e6), part)
        for depth, name, wide, now_ns, then_ns, part in frames
    }
    assert named["payments.example.com"] == (2, 183, 183, 83, 1)
    assert named["POST /orders"][0] == 0


def test_without_a_baseline_there_is_nothing() -> None:
    """Nor without the requests of one."""
    report = report_of(Breakdowns(NOW), lambda _: {})
    assert change_values(report, number_of) is None


def test_the_page_begins_with_what_changed(browser: Browser, tmp_path: Path) -> None:
    """The first card is the change, the first section its pictures; red takes longer now."""
    values, spans = page_values(compared(), lambda _: {}, command="lambda-latency report", version="1.0")
    path = tmp_path / "report.html"
    path.write_text(build_page(values, spans, "What changed"))
    browser.show(path.as_uri())
    assert browser.text("#sentence") == "Slower than the baseline (120 requests then, 120 now)."
    assert browser.run("return document.querySelector('#sections > section').id") == "change"
    for view in ("length", "time"):
        browser.click(f"#view-{view}")
        assert browser.count(".chart .then") == 1
    red = browser.run("return [...document.querySelectorAll('#change .frame.d3')].map((one) => one.textContent)")
    assert "payments.example.com" in red
    label = "return [...document.querySelectorAll('#change .frame')].at(-1).getAttribute('aria-label')"
    assert "then, " in browser.run(label)
