"""The page explains what is chosen: requests by start and length, their parts and attributes against the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.page.browser import Browser


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


def differs(browser: Browser) -> list[list[str]]:
    """The rows below the parts: what differs, and the share of either side."""
    rows = "[...document.querySelectorAll('.differs tbody tr')]"
    cells = ".map((row) => [...row.children].filter((one) => one.className !== 'bars').map((one) => one.textContent))"
    return [[str(cell).replace("\u202f", " ") for cell in row] for row in browser.run(f"return {rows}{cells}")]


def test_requests_stand_by_start_and_length(rich: Browser) -> None:
    """A mark each, a click opens one; the other picture is in the address."""
    assert rich.run("return [...document.querySelectorAll('.chart .mark')].length") == 120
    starts = "[...document.querySelectorAll('.chart .axis + text')].map((one) => one.textContent)"
    assert [text for text in rich.run(f"return {starts}") if ":" in text] == ["23:00", "23:30"]
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
    assert thousand.text("#parts-title") == "Where the time goes: slow against typical"
    thousand.drag_area(".chart svg", (0.3, 0.05), (0.6, 0.4))
    few = thousand.text("#found")
    assert 0 < int(few.split()[0]) < 60
    assert [name in thousand.address for name in ("since=", "until=", "from=", "to=")] == [True] * 4
    assert thousand.text("#parts-title") == "Where the time goes: the chosen requests against the rest"
    box = thousand.run(
        "const { width, height } = document.querySelector('.chart .range').getBBox(); return [width, height]"
    )
    assert box[0] > 100
    assert box[1] > 50
    thousand.show(thousand.address)
    assert thousand.text("#found") == few
    thousand.keys(Keys.ESCAPE, Keys.ESCAPE)
    assert thousand.text("#found") == "1,000 requests"
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


def test_what_else_differs_is_ranked_and_filters(thousand: Browser) -> None:
    """Slow requests against the others; a click chooses those of a value, which then is not told of itself."""
    assert differs(thousand) == [
        ["cold start", "43 %", "0 %"],
        ["POST /orders", "94 %", "50 %"],
    ]
    thousand.click(".differs tbody tr:nth-child(1) button")
    assert thousand.text("#found") == "29 of 1,000 requests · cold start"
    assert "fact=cold+start" in thousand.address
    assert "cold start" not in [row[0] for row in differs(thousand)]
    thousand.show(thousand.address)
    assert thousand.text("#found") == "29 of 1,000 requests · cold start"
    thousand.click("#clear")
    thousand.click("#only-error")
    assert differs(thousand)[:1] == []
    thousand.show(thousand.address.split("#", maxsplit=1)[0] + "#fact=nothing")
    assert thousand.text("#found") == "1,000 requests"


def test_a_few_requests_say_that_they_are_few(rich: Browser) -> None:
    """No attribute is claimed of one request."""
    rich.click("#only-error")
    assert rich.text("#differs") == "What else differsToo few requests (1) to say what else differs."
    rich.click("#clear")
    assert rich.text("#differs") == "What else differsNothing else differs by more than chance."


def test_bars_go_to_either_side_of_a_common_zero(thousand: Browser) -> None:
    """Longer to the right, shorter to the left."""
    thousand.run(
        "const one = document.querySelector('#route'); one.value = '1'; one.dispatchEvent(new Event('change'))"
    )
    thousand.settle()
    told = thousand.run(
        "return [...document.querySelectorAll('.parts tbody tr')].map((row) => {"
        "const zero = row.querySelector('.diverging'); const bar = row.querySelector('.fill').getBoundingClientRect();"
        "const share = parseFloat(zero.style.getPropertyValue('--zero')) / 100;"
        "const at = zero.getBoundingClientRect().left + zero.clientWidth * share;"
        "return [row.querySelector('.difference').textContent[0], bar.left - at, bar.right - at]; })"
    )
    assert {sign for sign, *_ in told} == {"+", "\u2212"}
    for sign, left, right in told:
        assert abs(left if sign == "+" else right) < 1.5
