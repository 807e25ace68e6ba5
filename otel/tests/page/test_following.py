"""Every section follows the store: each way to choose requests changes its content, or it says that it stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.page.browser import Browser

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
    "a finding": "document.getElementById('show-1').click()",
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


@pytest.mark.parametrize("selection", SELECTIONS)
def test_every_section_follows(browser: Browser, page: Callable[[str], str], selection: str) -> None:
    """All sections, all selections."""
    browser.show(page("classes"))
    before = browser.run(SEEN)
    browser.run(SELECTIONS[selection])
    browser.settle()
    after = browser.run(SEEN)
    still = NOT_CHOSEN if selection != "a what-if" else set()
    assert sorted(name for name in before if before[name] == after.get(name) and name not in still) == []
    browser.run("document.getElementById('clear').click()")
    browser.settle()
    again = browser.run(SEEN)
    moved = {*NOT_CHOSEN, "requests"}  # the list was at the open request, and is at its begin
    assert sorted(name for name in before if before[name] != again[name] and name not in moved) == []
    assert browser.text("#found") == "600 requests"


def test_two_selections_at_once(browser: Browser, page: Callable[[str], str]) -> None:
    """The bar says both, and one button takes both away."""
    browser.show(page("classes"))
    browser.click("#show-1")
    browser.click("#only-slow")
    told = browser.text("#chosen")
    assert told.startswith("16 of 600 chosen: Slow requests payments.example.com · Slow · ")
    browser.click("#clear")
    assert (browser.text("#found"), browser.count("#bar")) == ("600 requests", 0)
