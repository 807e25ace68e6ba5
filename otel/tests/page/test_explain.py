"""The page explains what is chosen: requests by start and length, their parts and attributes against the rest."""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from lambda_latency.trace import SpanKind, Trace
from tests.latency.attributed import Order, attributed
from tests.page.browser import Browser
from tests.page.samples import page_of


@pytest.fixture
def rich(browser: Browser, page: Callable[[str], str]) -> Browser:
    """The browser with a hundred and twenty requests before it."""
    browser.show(page("rich"))
    return browser


@pytest.fixture
def thousand(browser: Browser, page: Callable[[str], str]) -> Browser:
    """The same with a thousand: too many for a mark each."""
    browser.show(page("thousand"))
    return browser


def test_requests_stand_by_start_and_length(rich: Browser) -> None:
    """A mark each, a click opens one; the other picture is in the address."""
    assert rich.run("return [...document.querySelectorAll('.chart .mark')].length") == 120
    starts = "[...document.querySelectorAll('.chart .axis + text')].map((one) => one.textContent)"
    assert [text for text in rich.run(f"return {starts}") if ":" in text] == [
        "22:50",
        "23:00",
        "23:10",
        "23:20",
        "23:30",
    ]
    rich.click(".chart .mark.timeout")
    assert rich.text("#request-title").startswith("POST /orders · 3,010 ms")
    rich.click("#view-length")
    assert rich.count(".handle") == 2
    rich.show(rich.address)
    assert rich.run("return document.getElementById('view-length').getAttribute('aria-pressed')") == "true"
    rich.click("#view-time")
    assert rich.count(".handle") == 4


def test_a_rectangle_chooses_by_start_and_by_length(thousand: Browser) -> None:
    """Both at once, in the address too; a click on the ground takes it away, the tip tells of a cell."""
    assert thousand.text("#parts-title") == "Where the time goes"
    thousand.drag_area(".chart svg", (0.3, 0.05), (0.6, 0.4))
    chosen = thousand.text("#found")
    assert 0 < int(chosen.split()[0]) < 60
    assert [name in thousand.address for name in ("since=", "until=", "from=", "to=")] == [True] * 4
    assert thousand.text("#parts-title") == "Where the time goes: the chosen requests against the rest"
    box = thousand.run(
        "const { width, height } = document.querySelector('.chart .range').getBBox(); return [width, height]"
    )
    assert box[0] > 100
    assert box[1] > 50
    thousand.show(thousand.address)
    assert thousand.text("#found") == chosen
    thousand.keys(Keys.ESCAPE, Keys.ESCAPE)
    assert thousand.text("#found") == "1,000 requests"
    thousand.drag_area(".chart svg", (0.3, 0.3), (0.6, 0.4))  # flat, and a box too
    assert [name in thousand.address for name in ("since=", "until=", "from=", "to=")] == [True] * 4
    thousand.keys(Keys.ESCAPE)
    thousand.drag_area(".chart svg", (0.02, 0.3), (0.04, 0.5))  # in the axis of durations
    assert ["since=" in thousand.address, "from=" in thousand.address] == [False, True]
    thousand.keys(Keys.ESCAPE)
    thousand.drag_area(".chart svg", (0.5, 0.1), (0.5, 0.5))
    assert ["since=" in thousand.address, "from=" in thousand.address] == [False, True]
    thousand.drag_area(".chart svg", (0.5, 0.9), (0.5, 0.9))
    assert thousand.text("#found") == "1,000 requests"


def test_the_rectangle_has_four_handles(thousand: Browser) -> None:
    """Arrow keys move start and length; each says where it is."""
    thousand.focus(".handle[data-side=since]")
    thousand.keys(*[Keys.PAGE_UP] * 5)
    later = int(thousand.text("#found").split()[0])
    assert 400 < later < 600
    assert thousand.run("return document.activeElement.getAttribute('aria-valuetext')").startswith("2026-")
    thousand.focus(".handle[data-side=from]")
    thousand.keys(*[Keys.PAGE_UP] * 6)
    assert 0 < int(thousand.text("#found").split()[0]) < later / 2
    assert thousand.run("return document.activeElement.getAttribute('aria-orientation')") == "vertical"
    thousand.keys(Keys.HOME)
    assert int(thousand.text("#found").split()[0]) == later
    thousand.focus(".handle[data-side=until]")
    thousand.keys(*[Keys.PAGE_DOWN] * 2)
    assert int(thousand.text("#found").split()[0]) < later


def test_what_it_depends_on_is_listed_and_filters(browser: Browser, page: Callable[[str], str]) -> None:
    """The report's sentence; a click chooses the requests of a value, also by the address."""
    browser.show(page("depends"))
    assert "It depends: all 40 have tenant.id = t-3; none of the other requests do." in browser.text(".depends")
    browser.click(".depends button")
    assert browser.text("#found") == "40 of 400 requests · tenant.id = t-3"
    assert "fact=tenant.id" in browser.address
    browser.show(browser.address)
    assert browser.text("#found") == "40 of 400 requests · tenant.id = t-3"
    browser.show(browser.address.split("#", maxsplit=1)[0] + "#fact=nothing")
    assert browser.text("#found") == "400 requests"


SHARDED = "[...document.querySelectorAll('.attributes tbody tr')].map((one) => one.innerText.replace(/\\s+/g, ' '))"


def values_of(number: int) -> dict[str, object]:
    """A shard of eight, and a colour that goes with it."""
    return {"shop.shard": f"s-{number % 8}", "shop.colour": ("red", "blue")[number % 2]}


def calling_with(trace: Trace, attributes: dict[str, object]) -> Trace:
    """The trace, whose calls have attributes more."""
    return Trace(
        replace(span, attributes={**span.attributes, **attributes}) if span.kind is SpanKind.CLIENT else span
        for span in trace.spans
    )


@pytest.mark.parametrize("place", ["first", "call"])
def test_a_box_is_answered_with_the_attribute_that_differs(browser: Browser, tmp_path: Path, place: str) -> None:
    """Of the request, or of the call that it waits for; a box of the slow band chooses what lies in it."""

    def order(number: int, _draw: random.Random) -> Order:
        return Order(number, values_of(number) if place == "first" else {}, {}, {})

    traces = attributed(order, lambda order, _: order.number % 8 == 3)
    if place == "call":
        traces = [calling_with(trace, values_of(number)) for number, trace in enumerate(traces)]
    path = tmp_path / "report.html"
    path.write_text(page_of(traces), encoding="utf-8")
    browser.show(path.as_uri())
    browser.drag_area(".chart svg", (0.08, 0.01), (0.84, 0.15))
    assert browser.text("#found").startswith("50 of 400 requests")
    assert browser.run(f"return {SHARDED}") == [
        "shop.shard = s-3 50 of 50 0 of 350",
        "shop.colour = blue 50 of 50 150 of 350",
    ]
    browser.click(".attributes button")
    assert browser.text("#found") == "50 of 400 requests · shop.shard = s-3"


def test_bars_go_to_either_side_of_a_common_zero(thousand: Browser) -> None:
    """Longer to the right, shorter to the left."""
    thousand.run(
        "const one = document.querySelector('#route'); one.value = '1'; one.dispatchEvent(new Event('change'))"
    )
    thousand.settle()
    bars = thousand.run(
        "return [...document.querySelectorAll('.parts tbody tr')].map((row) => {"
        "const zero = row.querySelector('.diverging'); const bar = row.querySelector('.fill').getBoundingClientRect();"
        "const share = parseFloat(zero.style.getPropertyValue('--zero')) / 100;"
        "const at = zero.getBoundingClientRect().left + zero.clientWidth * share;"
        "return [row.querySelector('.difference').textContent[0], bar.left - at, bar.right - at]; })"
    )
    assert {sign for sign, *_ in bars} == {"+", "\u2212"}
    for sign, start, end in bars:
        assert abs(start if sign == "+" else end) < 1.5


# What a person sees of each section: its words, and the shapes of its pictures.
SEEN = """
const seen = {};
for (const one of document.querySelectorAll("#bar, #facts, section")) {
  const shown = [...one.querySelectorAll("*")].filter((each) => each.checkVisibility());
  seen[one.id] = shown.map((each) => [each.className?.baseVal ?? each.className, each.getAttribute("d"),
    each.getAttribute("style"), each.getAttribute("aria-pressed"), each.children.length ? "" : each.textContent]
    .join("|")).join("\\n");
}
return seen;
"""
FIELD = "const one = document.getElementById('{}'); one.value = '{}'; one.dispatchEvent(new Event('{}'))"
SELECTIONS = {
    "a finding": "document.getElementById('show-0').click()",
    "a route": FIELD.format("route", "1", "change"),
    "a part": FIELD.format("part", "1", "change"),
    "a mark": "document.getElementById('only-cold').click()",
    "a duration": FIELD.format("from", "300", "input"),
    "a start": "document.querySelector('.handle[data-side=since]').dispatchEvent(new KeyboardEvent('keydown', "
    "{ key: 'PageUp', bubbles: true }))",
    "a word": FIELD.format("search", "charges", "input"),
    "a fact": "location.hash = '#fact=cold+start'",
    "a what-if": "document.querySelector('.tick input').click()",
}
# The open request is not one of those that are chosen: it follows what-if alone.
NOT_CHOSEN = {"request"}
ALIKE = {"a start": {"facts"}}  # the later half of these requests has the percentiles of all


@pytest.mark.parametrize("selection", SELECTIONS)
def test_every_section_follows(browser: Browser, page: Callable[[str], str], selection: str) -> None:
    """All sections, all selections."""
    browser.show(page("classes"))
    whole = browser.run(SEEN)
    browser.run(SELECTIONS[selection])
    browser.settle()
    selected = browser.run(SEEN)
    still = NOT_CHOSEN | ALIKE.get(selection, set()) if selection != "a what-if" else set()
    assert sorted(name for name in whole if whole[name] == selected.get(name) and name not in still) == []
    browser.run("document.getElementById('clear').click()")
    browser.settle()
    cleared = browser.run(SEEN)
    moved = {*NOT_CHOSEN, "requests"}  # the list was at the open request, and is at its begin
    assert sorted(name for name in whole if whole[name] != cleared[name] and name not in moved) == []
    assert browser.text("#found") == "600 requests"


def test_two_selections_at_once(browser: Browser, page: Callable[[str], str]) -> None:
    """The bar says both, and one button takes both away."""
    browser.show(page("classes"))
    browser.click("#finding-1")
    browser.click("#show-1")
    browser.click("#only-slow")
    chosen = browser.text("#chosen")
    assert chosen.startswith("17 of 600 chosen: payments.example.com · Slow · ")
    browser.click("#clear")
    assert (browser.text("#found"), browser.count("#bar")) == ("600 requests", 0)
