"""No violation that axe-core finds, in any state of the page; it comes from npm, for the tests alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.page.samples import LARGE, SAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.page.browser import Browser

AXE = Path(__file__).parents[3] / "build/npm/node_modules/axe-core/axe.min.js"
STATES = [name for name in SAMPLES if name not in LARGE]
RUN = """
const done = arguments[arguments.length - 1];
const told = ({ id, nodes }) => [id, nodes.slice(0, 3).map((one) => one.html.slice(0, 160))];
axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => done(violations.map(told)));
"""


@pytest.fixture(scope="module")
def axe() -> str:
    """The script, where `make check-page` has installed it; in CI it has to be there."""
    if not AXE.exists():
        reason = "no axe-core: make check-page installs it (needs Node.js)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return AXE.read_text(encoding="utf-8")


def violations(browser: Browser, axe: str) -> list[list[object]]:
    """What it finds on the page as it is."""
    if not browser.run("return 'axe' in window"):
        browser.run(f"{axe}; window.axe = axe;")
    return list(browser.wait_for(RUN))


@pytest.mark.parametrize("state", STATES)
def test_no_violation_in_any_state(browser: Browser, page: Callable[[str], str], axe: str, state: str) -> None:
    """Light and wide, dark and narrow."""
    found = {}
    for width, dark in ((1600, False), (360, True)):
        browser.size(width, dark=dark)
        browser.show(page(state))
        found[width] = violations(browser, axe)
    assert found == {1600: [], 360: []}


def test_no_violation_in_use(browser: Browser, page: Callable[[str], str], axe: str) -> None:
    """With attributes open, requests chosen, parts ticked, a search in spans, the dialog of keys."""
    browser.show(page("rich"))
    browser.run("document.getElementById('what-if').open = true")
    for selector in ("#row-0", ".span-row .span-name .isolated", "#only-slow", "#without-0", "#path-only", "#help"):
        browser.click(selector)
        assert (selector, violations(browser, axe)) == (selector, [])
    browser.click("#close-keys")
    browser.click("#view-length")
    browser.click(".stack summary")
    browser.focus("#span-search")
    browser.keys("payments")
    assert violations(browser, axe) == []
