"""The page in a browser: rows as they come, the keyboard, hostile names, and no violation that axe-core finds."""

import re
import socket
import stat
from contextlib import closing
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from lambda_latency.latency import AnalysisOptions
from lambda_latency.live import RunningPage
from lambda_latency.live.page_server import document_of, retained_token
from tests.live.conftest import Pages
from tests.live.shop import line, request_spans, stack
from tests.live.states import STATES, TIMEOUT_ID
from tests.page.browser import Browser
from tests.page.test_access import axe, violations

__all__ = ["axe"]  # a fixture

ROW = "#list .row:not(.heads):not([hidden])"
ROWS = f"[...document.querySelectorAll('{ROW}')]"


def _shows(browser: Browser, element: str, text: str) -> None:
    """Wait until an element has this text, with ordinary spaces in numbers."""
    browser.until(f"document.getElementById('{element}')?.textContent.replaceAll('\u202f', ' ') === '{text}'")


def opened(browser: Browser, page: RunningPage, state: str) -> None:
    """The page in a state."""
    STATES[state](page)
    browser.show(page.address)
    _shows(browser, "link", "connected")
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
    assert "functions/table.py:81" in browser.text(f"{ROW} .failed")
    browser.focus("#list")
    browser.keys(Keys.ENTER)
    browser.until("document.getElementById('stack') !== null && document.getElementById('log') !== null")
    assert "At the deadline of 3,000 ms this was running" in browser.text("#stack").replace("\u202f", " ")
    assert "reading order 4711" in browser.text("#log")
    assert browser.count(".span-row") >= 2
    assert TIMEOUT_ID in browser.address
    browser.focus("#fall")
    browser.keys(Keys.ARROW_DOWN, Keys.ENTER)
    browser.until("!document.getElementById('details').hidden")
    assert violations(browser, axe) == []
    browser.keys(Keys.ESCAPE, Keys.ESCAPE)
    assert (browser.count(".span-row"), browser.focused) == (0, "list")
    assert TIMEOUT_ID not in browser.address


def test_rows_come_while_one_looks_and_wait_during_a_pause(browser: Browser, pages: Pages) -> None:
    """Their number is said, and they are shown after it."""
    page = pages()
    opened(browser, page, "first")
    page.add(line(request_spans(7, route="/later")))
    browser.until(f"{ROWS}.length === 2")
    assert browser.text(f"{ROW} .route") == "GET /later"
    browser.keys("p")
    page.add(line(request_spans(8), request_spans(9)))
    _shows(browser, "fresh", "paused, 2 new")
    assert browser.run(f"return {ROWS}.length") == 2
    browser.keys("p")
    browser.until(f"{ROWS}.length === 4")


def test_nothing_moves_while_a_request_is_read(browser: Browser, pages: Pages) -> None:
    """What came is shown on demand; the request stays open, and its details too."""
    page = pages()
    opened(browser, page, "first")
    browser.click(ROW)
    browser.until("document.getElementById('fall') !== null")
    browser.focus("#fall")
    browser.keys(Keys.ARROW_DOWN, Keys.ENTER)
    page.add(line(request_spans(8), request_spans(9)))
    _shows(browser, "fresh", "2 new")
    assert browser.run(f"return {ROWS}.length") == 1
    browser.click("#show-fresh")
    browser.until(f"{ROWS}.length === 3")
    browser.until("document.getElementById('details')?.hidden === false")


def test_what_fails_comes_first_and_opens(browser: Browser, pages: Pages) -> None:
    """Before any verdict; a click opens the newest of them. It goes when requests succeed again."""
    page = pages()
    opened(browser, page, "running")
    assert browser.run("return document.getElementById('failing').hidden")
    page.mark("code changed")
    browser.until("document.querySelector('#marks li') !== null")
    page.add(line(*(request_spans(900 + number, status=500, events=[stack()]) for number in range(6))))
    browser.until("document.getElementById('failing').textContent.startsWith('6 of the last 6 requests fail: ')")
    assert "declined" in browser.text("#failing").lower()
    browser.click("#open-failing")
    browser.until("document.getElementById('failure') !== null")
    page.add(line(*(request_spans(950 + number) for number in range(20))))
    browser.until("document.getElementById('failing').hidden")


def test_an_open_tab_finds_the_page_again_after_a_restart(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a port that the user chose; the token is in a file that only the user may read."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    page = RunningPage(AnalysisOptions, port=port)
    try:
        opened(browser, page, "first")
        address = page.address
    finally:
        page.close()
    browser.until("document.getElementById('link').textContent.startsWith('lambda-latency has ended')")
    [token] = tmp_path.glob("lambda-latency/*")
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    page = RunningPage(AnalysisOptions, port=port)
    try:
        assert page.address == address
        _shows(browser, "link", "connected")
        page.add(line(request_spans(5, route="/again")))
        browser.until(f"{ROWS}.length === 1 && {ROWS}[0].textContent.includes('/again')")
        browser.console()
    finally:
        page.close()
        browser.show("about:blank")
    token.chmod(0o644)
    assert retained_token(port) not in address


def test_a_clear_shows_what_comes_after_it_and_holds_over_a_reload(browser: Browser, pages: Pages) -> None:
    """The verdict, the file and the report are of these requests, too."""
    page = pages()
    opened(browser, page, "running")
    _shows(browser, "found", "240 requests")
    browser.click("#live-clear")
    _shows(browser, "sentence", "Waiting for the first request")
    page.add(line(request_spans(900, route="/after")))
    browser.until(f"{ROWS}.length === 1")
    address = browser.address
    assert address.partition("#")[0].endswith("?minutes=15&after=240")
    browser.show(address)
    browser.until(f"{ROWS}.length === 1")
    assert browser.run("return document.getElementById('save').getAttribute('href')") == "save?minutes=0&after=240"


def test_names_from_traces_are_text(browser: Browser, pages: Pages) -> None:
    """No image, no script; nothing of the page parses text as markup."""
    page = pages()
    opened(browser, page, "error")
    browser.until(f"{ROWS}.length === 3")
    browser.click(ROW)
    browser.until("document.getElementById('fall') !== null")
    assert browser.run("return [document.title, document.images.length]") == ["Live requests", 0]
    assert (
        browser.run("try { document.body.innerHTML = '<b>x</b>'; return 'set' } catch (error) { return error.name }")
        == "TypeError"
    )
    browser.console()  # which has the refusal


def test_a_mark_says_that_the_code_changed_and_what_is_slower_since(browser: Browser, pages: Pages) -> None:
    """The requests before it with those after it."""
    page = pages()
    opened(browser, page, "first")
    page.add(line(*(request_spans(number, 40 + number % 5) for number in range(10, 70))))
    _shows(browser, "found", "61 requests")
    page.mark("code changed")
    browser.until("document.querySelector('#marks li') !== null")
    page.add(line(*(request_spans(number, 300 + number % 5) for number in range(100, 160))))
    _shows(browser, "found", "121 requests")
    assert browser.text("#marks li").startswith("code changed at ")
    browser.until("document.querySelector('#marks li').textContent.includes('Slower than the baseline')")


def test_the_row_that_one_reads_stays_where_it_is(browser: Browser, pages: Pages) -> None:
    """New rows come above it."""
    page = pages()
    opened(browser, page, "running")
    browser.until("document.getElementById('show-0') !== null")
    browser.run("document.getElementById('list').scrollTop = 50 * 36")
    browser.settle()
    top = ("document.getElementById('list').scrollIntoView();"
           "const box = document.getElementById('list').getBoundingClientRect();"
           "const row = document.elementFromPoint(box.x + 40, box.y + 60).closest('.row');"
           "return [row.querySelector('.took').textContent, row.getAttribute('aria-rowindex')]")  # fmt: skip
    took, place = browser.run(top)
    page.add(line(*(request_spans(number, 70) for number in range(1_000, 1_040))))
    _shows(browser, "found", "280 requests")
    browser.settle()
    assert browser.run(top) == [took, str(int(place) + 40)]


def test_the_end_of_the_command_is_said(browser: Browser, pages: Pages) -> None:
    """The rows stay."""
    page = pages()
    opened(browser, page, "first")
    page.close()
    browser.until("document.getElementById('link').textContent.startsWith('lambda-latency has ended')")
    assert browser.run(f"return {ROWS}.length") == 1
    browser.console()


def test_the_page_holds_no_data_and_no_placeholder() -> None:
    """Everybody who knows the address of the port may ask for it."""
    body = document_of().body.decode()
    assert '"requests":0' in body
    assert not re.search(r"@[A-Z]+@", body)
