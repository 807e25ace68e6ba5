"""The page in a browser: rows as they come, the keyboard, hostile names, and no violation that axe-core finds."""

import re
from collections import Counter

import pytest
from selenium.webdriver.common.keys import Keys

from lambda_latency.live import RunningPage
from lambda_latency.live.page_server import document_of
from tests.live.conftest import Pages
from tests.live.shop import line, request_spans
from tests.live.states import STATES, TIMEOUT_ID
from tests.page.browser import Browser
from tests.page.test_access import axe, violations

__all__ = ["axe"]  # a fixture

ROWS = "[...document.querySelectorAll('.row:not([hidden])')]"


def opened(browser: Browser, page: RunningPage, state: str) -> None:
    """The page in a state."""
    STATES[state](page)
    browser.show(page.address)
    browser.until("document.getElementById('link').textContent === 'connected'")
    if state != "empty":
        browser.until(f"{ROWS}.length > 0")


@pytest.mark.parametrize("state", STATES)
def test_no_violation_in_any_state(browser: Browser, pages: Pages, axe: str, state: str) -> None:
    """Light and wide, dark and narrow, and nothing wider than the window."""
    page = pages()
    opened(browser, page, state)
    for width, dark in ((1600, False), (360, True)):
        browser.size(width, dark=dark)
        browser.settle()
        assert (width, violations(browser, axe)) == (width, [])
        assert browser.run("return document.documentElement.scrollWidth <= innerWidth")


def test_a_timeout_is_opened_with_its_line_its_waterfall_and_its_log(
    browser: Browser,
    pages: Pages,
    axe: str,
) -> None:
    """By the keyboard alone, and closed again."""
    page = pages()
    opened(browser, page, "timeout")
    browser.click("#only-timeout")
    browser.until(f"{ROWS}.length === 1")
    assert "functions/table.py:81" in browser.text(".row:not([hidden]) .failed")
    browser.focus("#list")
    browser.keys(Keys.ARROW_DOWN, Keys.ENTER)
    browser.until("document.getElementById('stack') !== null")
    assert "after its limit of 3,000 ms" in browser.text("#stack")
    assert "reading order 4711" in browser.text("#log")
    assert browser.focused == "request-title"
    assert browser.count(".span-row") >= 2
    browser.focus("#fall")
    browser.keys(Keys.ARROW_DOWN, Keys.ENTER)
    assert browser.count(".details") == 1
    assert violations(browser, axe) == []
    browser.keys(Keys.ESCAPE)
    assert (browser.count("#request"), browser.focused) == (0, "list")
    assert TIMEOUT_ID not in browser.address


def test_rows_come_while_one_looks_and_wait_during_a_pause(browser: Browser, pages: Pages) -> None:
    """What came during it is told, and shown after it."""
    page = pages()
    opened(browser, page, "first")
    page.add(line(request_spans(7, route="/later")))
    browser.until(f"{ROWS}.length === 2")
    assert browser.text(".row .route") == "GET /later"
    browser.keys("p")
    page.add(line(request_spans(8), request_spans(9)))
    browser.until("document.getElementById('found').textContent === 'paused, 2 new'")
    assert browser.run(f"return {ROWS}.length") == 2
    browser.keys("p")
    browser.until(f"{ROWS}.length === 4")


def test_the_filter_finds_routes_parts_and_errors(browser: Browser, pages: Pages) -> None:
    """And says how many of how many."""
    page = pages()
    opened(browser, page, "running")
    browser.until("document.getElementById('counts').textContent === '240 requests'")
    browser.keys("/", "declined")
    browser.until("document.getElementById('found').textContent === '11 of 240 requests'")
    browser.run("document.getElementById('query').value = 'nowhere'; "
                "document.getElementById('query').dispatchEvent(new Event('input'))")  # fmt: skip
    assert browser.text("#empty") == "No request fits the filter."


def test_a_clear_shows_what_comes_after_it_and_holds_over_a_reload(browser: Browser, pages: Pages) -> None:
    """The verdict, the file and the report are of these requests, too."""
    page = pages()
    opened(browser, page, "running")
    browser.until("document.getElementById('counts').textContent === '240 requests'")
    browser.click("#clear")
    browser.until("document.getElementById('counts').textContent === '0 requests'")
    page.add(line(request_spans(900, route="/after")))
    browser.until(f"{ROWS}.length === 1")
    address = browser.address
    assert address.endswith("#minutes=15&after=240")
    browser.show(address)
    browser.until(f"{ROWS}.length === 1")
    assert browser.run("return document.getElementById('save').getAttribute('href')") == "save?minutes=0&after=240"


def test_names_from_traces_are_text(browser: Browser, pages: Pages) -> None:
    """No image, no script; nothing of the page parses text as markup."""
    page = pages()
    opened(browser, page, "error")
    browser.until(f"{ROWS}.length === 3")
    browser.click(".row:not([hidden])")
    browser.until("document.getElementById('request-title') !== null")
    assert browser.run("return [document.title, document.images.length]") == ["Live requests", 0]
    assert (
        browser.run("try { document.body.innerHTML = '<b>x</b>'; return 'set' } catch (error) { return error.name }")
        == "TypeError"
    )
    browser.console()  # which has the refusal


def test_a_mark_says_that_the_code_changed_and_compares_on_a_click(browser: Browser, pages: Pages) -> None:
    """The requests before it with those after it."""
    page = pages()
    opened(browser, page, "first")
    page.add(line(*(request_spans(number, 40 + number % 5) for number in range(10, 70))))
    browser.until("document.getElementById('counts').textContent === '61 requests'")
    page.mark("code changed")
    browser.until("document.querySelector('.row.mark') !== null")
    page.add(line(*(request_spans(number, 300 + number % 5) for number in range(100, 160))))
    browser.until("document.getElementById('counts').textContent === '121 requests'")
    browser.run("document.getElementById('list').scrollTop = 60 * 36")
    browser.until("document.querySelector('.row.mark:not([hidden])') !== null")
    browser.click(".row.mark:not([hidden])")
    browser.until("document.getElementById('compared').textContent.includes('Slower than the baseline')")
    assert browser.text("#compared").startswith("Since code changed at ")


def test_the_row_that_one_reads_stays_where_it_is(browser: Browser, pages: Pages) -> None:
    """New rows come above it."""
    page = pages()
    opened(browser, page, "running")
    browser.until("document.getElementById('counts').textContent === '240 requests'")
    browser.run("document.getElementById('list').scrollTop = 50 * 36")
    browser.settle()
    found = ("const box = document.getElementById('list').getBoundingClientRect();"
             "return document.elementFromPoint(box.x + 40, box.y + 20).closest('.row').textContent")  # fmt: skip
    before = browser.run(found)
    page.add(line(*(request_spans(number) for number in range(1_000, 1_040))))
    browser.until("document.getElementById('counts').textContent === '280 requests'")
    browser.settle()
    assert browser.run(found) == before


def test_the_end_of_the_command_is_said(browser: Browser, pages: Pages) -> None:
    """The rows stay."""
    page = pages()
    opened(browser, page, "first")
    page.close()
    browser.until("document.getElementById('link').textContent.startsWith('lambda-latency has ended')")
    assert browser.run(f"return {ROWS}.length") == 1
    browser.console()


DECLARED = re.compile(r"^(?:async )?(?:const|let|function|class) (\w+)", re.MULTILINE)


def test_no_name_is_declared_twice() -> None:
    """A second function of a name would silently replace the first."""
    names = Counter(DECLARED.findall(document_of().body.decode()))
    assert len(names) > 50
    assert [name for name, count in names.items() if count > 1] == []


def test_nothing_of_the_modules_is_left() -> None:
    """No import, no export, no placeholder."""
    body = document_of().body.decode()
    assert not re.search(r"^(import|export) ", body, re.MULTILINE)
    assert not re.search(r"@[A-Z]+@", body)
