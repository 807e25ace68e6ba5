"""How the page looks: nothing beside the window, every text readable, at every width, in light and in dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.page.samples import LARGE, SAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.page.browser import Browser

WIDTHS = (320, 360, 414, 520, 640, 768, 800, 960, 1024, 1280, 1359, 1360, 1600, 1920, 2200)
STATES = [name for name in SAMPLES if name not in LARGE]
# Wider than the window, or wider than what they stand in: texts of pictures too.
BESIDE = """
const words = (one) => `${one.tagName} ${one.getAttribute("class")} ${one.textContent.slice(0, 40)}`;
const seen = (one) => one.checkVisibility() && one.closest(".skip, .stack ol, .patterns, .inner, .heads") === null;
const found = [...document.querySelectorAll("main *, header *, footer *")].filter(seen).filter((one) => {
  const { left, right, width } = one.getBoundingClientRect();
  const box = one.matches(".node text") ? one.parentNode.querySelector("rect") : null;
  return width > 0 && (right > (box?.getBoundingClientRect().right ?? arguments[0] + 0.5) || left < -0.5);
});
return [document.documentElement.scrollWidth, found.map(words)];
"""
# Of each text the contrast between its colour and the first opaque ground behind it (WCAG 2.2, 1.4.3).
CONTRAST = """
const number = (text) => text.match(/[\\d.]+/g).map(Number);
const part = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
const ground = (one) => {
  for (let at = one; at !== null; at = at.parentElement) {
    const colour = number(getComputedStyle(at).backgroundColor);
    if (colour.length === 3 || colour[3] === 1) return colour;
  }
  return number(getComputedStyle(document.documentElement).backgroundColor);
};
const worst = [];
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let text = texts.nextNode(); text !== null; text = texts.nextNode()) {
  const one = text.parentElement;
  if (text.data.trim() === "" || !one.checkVisibility()) continue;
  if (one.closest("script, style, noscript, option, .skip") !== null) continue;
  const style = getComputedStyle(one);
  const colour = number(one.closest("svg") !== null ? style.fill : style.color);
  const [a, b] = [light(colour), light(ground(one))].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < 4.5) worst.push(`${ratio.toFixed(2)} ${one.getAttribute("class")} ${text.data.slice(0, 40)}`);
}
return worst;
"""


@pytest.mark.parametrize("state", STATES)
def test_nothing_is_beside_the_window(browser: Browser, page: Callable[[str], str], state: str) -> None:
    """From 320 to 2,200 pixels, with a request open and its first span told."""
    browser.size(WIDTHS[-1])
    browser.show(page(state))
    found = {}
    for width in reversed(WIDTHS):
        browser.size(width)
        browser.settle()
        scrolls, beside = browser.run(BESIDE, width)
        if scrolls > width or beside:
            found[width] = (scrolls, beside[:5])
    assert found == {}


def test_a_title_is_above_what_chooses_its_picture(browser: Browser, page: Callable[[str], str]) -> None:
    """On a phone they have a line each."""
    browser.size(360)
    browser.show(page("even"))
    boxes = (
        "return ['h2', '.views'].map((one) => document.querySelector(`#distribution ${one}`).getBoundingClientRect())"
    )
    title, views = browser.run(boxes)
    assert (title["bottom"] <= views["top"], title["left"]) == (True, views["left"])


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("state", STATES)
def test_every_text_is_readable(browser: Browser, page: Callable[[str], str], state: str, dark: bool) -> None:
    """4.5 to 1 at least, on the ground of a chosen row too."""
    for width in (1600, 360):
        browser.size(width, dark=dark)
        browser.show(page(state))
        if browser.count(".span-row") > 0:
            browser.click(".span-row .span-name .isolated")
        assert browser.run(CONTRAST) == []
