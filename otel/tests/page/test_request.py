"""One request: search in its spans, the critical path alone, the overview that zooms, a typical one beside it."""

from collections.abc import Callable

import pytest
from selenium.webdriver.common.keys import Keys

from tests.page.browser import Browser

CONNECTING = "#trace=6b05a667affeb9dbb0aa7f2b00000137"


@pytest.fixture
def request_page(browser: Browser, page: Callable[[str], str]) -> Browser:
    """The browser with a cold request open, which connects and leaves something to do behind it."""
    browser.show(page("rich") + CONNECTING)
    return browser


def names(browser: Browser, rows: str = ".span-row") -> list[str]:
    """The names of some rows of the waterfall."""
    texts = browser.run(
        "return [...document.querySelectorAll(arguments[0])].map((one) => one.querySelector('.isolated').textContent)",
        rows,
    )
    return [str(text) for text in texts]


def test_a_search_marks_spans_and_enter_goes_on(request_page: Browser) -> None:
    """By name and by what their attributes say; Escape takes it away."""
    request_page.focus("#span-search")
    request_page.keys("payments")
    assert request_page.text("#span-found") == "2 of 12 spans"
    assert names(request_page, ".span-row:not(.unfound)") == ["POST payments.example.com"]
    assert names(request_page, ".span-row.current") == ["POST payments.example.com"]
    request_page.keys(Keys.ESCAPE)
    assert request_page.text("#span-found") == ""
    request_page.keys("createorder")
    marked = names(request_page, ".span-row.current")
    request_page.keys(Keys.ENTER)
    assert names(request_page, ".span-row.current") != marked
    request_page.keys("x")
    assert request_page.text("#span-found") == "0 of 12 spans"


def test_the_critical_path_alone(request_page: Browser) -> None:
    """Spans that the request did not wait for are left out, and come back."""
    whole = names(request_page)
    request_page.click("#path-only")
    assert set(names(request_page)) < set(whole) or names(request_page) == whole
    assert request_page.count(".span-row.off") == 0
    request_page.click("#path-only")
    assert names(request_page) == whole


def test_a_drag_over_the_overview_zooms(request_page: Browser) -> None:
    """Into the address too; a click shows the whole request again."""
    request_page.drag("#overview", 0.2, 0.6)
    assert (request_page.count("#whole"), request_page.count("#overview .range")) == (1, 1)
    assert "zoom=" in request_page.address
    request_page.show(request_page.address)
    assert request_page.count("#overview .range") == 1
    request_page.drag("#overview", 0.5, 0.5)
    assert (request_page.count("#whole"), request_page.count("#overview .range")) == (0, 0)


def test_a_typical_request_stands_beside_it(request_page: Browser) -> None:
    """What each call took there, the largest difference first; its strip is on the same axis, a click opens it."""
    rows = request_page.run(
        "return [...document.querySelectorAll('.twin tbody tr')]"
        ".map((row) => [...row.children].map((one) => one.textContent))"
    )
    shown = [[str(cell).replace("\u202f", " ") for cell in row] for row in rows]
    assert shown[:2] == [
        ["POST payments.example.com", "993 ms", "4 ms", "+989 ms"],
        ["cold start", "300 ms", "0 ms", "+300 ms"],
    ]
    assert request_page.text("#overview-says") == (
        "The critical path, 1,460 ms; below it that of a typical request of the route, 130 ms. Drag to zoom."
    )
    request_page.click("#open-twin")
    assert request_page.text("#request-title").strip() == "POST /orders · 130 ms"


def test_events_are_ticks_on_their_span(browser: Browser, page: Callable[[str], str]) -> None:
    """An event of a span is where it happened."""
    browser.show(page("hostile") + "#trace=6b05a667affeb9dbb0aa7f2b00002329")
    assert browser.run("return document.querySelectorAll('.event-mark').length") == 1


def test_the_column_of_names_is_dragged_wider(request_page: Browser) -> None:
    """By its edge in the heads, which nothing covers; the arrow keys move it too."""
    width = "return Number(document.querySelector('#request .edge').getAttribute('aria-valuenow'))"
    initial = request_page.run(width)
    request_page.drag_area("#request .edge", (0.5, 0.5), (8.5, 0.5))
    wider = request_page.run(width)
    assert 80 <= wider - initial <= 110
    request_page.focus("#request .edge")
    request_page.keys(Keys.ARROW_LEFT)
    assert request_page.run(width) == wider - 20
