"""Carried away: what-if by ticks, a link, Markdown, a picture."""

from collections.abc import Callable

import pytest

from tests.page.browser import Browser

THIN = "Thin evidence: 8 of 104 requests of GET /orders/"  # whose braces Markdown escapes
# The clipboard of a browser that may write to it: `window.written` is what it has.
CLIPBOARD = """
Object.defineProperty(navigator, "clipboard", {
  value: { writeText: (text) => { window.written = text; return Promise.resolve(); } },
});
"""
NO_CLIPBOARD = 'Object.defineProperty(navigator, "clipboard", { value: undefined });'
# The picture that a click saves: its size, and how many colours are in it.
PICTURE = """
URL.createObjectURL = (blob) => {
  createImageBitmap(blob).then((image) => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.width, image.height];
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, image.width, image.height);
    const colours = new Set();
    for (let at = 0; at < data.length; at += 4) colours.add(data[at] * 65536 + data[at + 1] * 256 + data[at + 2]);
    window.saved = [blob.type, image.width, image.height, colours.size];
  });
  return "#";
};
HTMLAnchorElement.prototype.click = function () { window.named = this.download; };
"""


@pytest.fixture
def rich(browser: Browser, page: Callable[[str], str]) -> Browser:
    """The browser with a hundred and twenty requests before it."""
    browser.show(page("rich"))
    return browser


def open_menu(browser: Browser) -> None:
    """Show what can be copied and saved."""
    browser.run("document.getElementById('carry').open = true")


def lengths(browser: Browser) -> list[float]:
    """Where the marks are, from above."""
    marks = browser.run("return [...document.querySelectorAll('.chart .mark')].map((one) => one.getBBox().y)")
    return [float(top) for top in marks]


def test_ticking_a_part_redraws_what_is_left(rich: Browser) -> None:
    """With the same number as Python's line; of several together, in the address, and back."""
    rich.run("document.getElementById('what-if').open = true")
    line = rich.text(".saves li")
    best = line.rpartition("→ ")[2].removesuffix(" at best)")
    whole = lengths(rich)
    assert rich.count("#bar") == 0
    rich.click("#without-0")
    assert rich.text("#chosen") == f"What if: without payments.example.com: p95 980 ms → {best} at best"
    less = lengths(rich)
    assert sum(less) > sum(whole) + 100
    rich.click(".saves li:nth-child(2) input")
    assert sum(lengths(rich)) > sum(less)
    assert rich.address.count("without=") == 2
    rich.show(rich.address)
    ticked = "return [...document.querySelectorAll('.saves input')].map((one) => one.checked)"
    assert rich.run(ticked) == [True, True, False, False]
    rich.run("document.getElementById('what-if').open = true")
    rich.drag_area(".chart svg", (0.5, 0.02), (0.5, 0.3))
    assert rich.text("#found") == "0 of 120 requests"  # a range is of what is left: none is as slow any more
    rich.click("#clear")
    assert lengths(rich) == whole
    rich.click("#view-length")
    columns = rich.run("return document.querySelectorAll('.chart .mark').length")
    rich.click("#without-0")
    assert rich.run("return document.querySelectorAll('.chart .mark').length") == columns == 120


def test_a_link_and_markdown_are_copied(rich: Browser) -> None:
    """The view as it is, and the report that a pull request can take; the button says so."""
    rich.run(CLIPBOARD)
    rich.click("#only-slow")
    open_menu(rich)
    rich.click("#copy-link")
    assert rich.run("return window.written") == "#only=slow"  # others have the file elsewhere
    assert "only=slow" in rich.address
    open_menu(rich)
    rich.click("#copy-markdown")
    assert rich.run("return window.written").startswith(THIN)
    assert rich.text("#copy-markdown") == "Copied"
    rich.until("document.getElementById('copy-markdown').textContent === 'Copy the report as Markdown'")


def test_without_a_clipboard_the_text_is_selected(rich: Browser) -> None:
    """Where a page may not write to it."""
    rich.run(NO_CLIPBOARD)
    assert rich.count("#carried") == 0
    open_menu(rich)
    rich.click("#copy-markdown")
    assert (rich.focused, rich.count("#carried")) == ("carried", 1)
    assert rich.run("return document.activeElement.value").startswith(THIN)


@pytest.mark.parametrize("view", ["time", "length"])
def test_a_picture_is_saved(rich: Browser, view: str) -> None:
    """Headline, source, findings and chart, as large as two of them side by side are readable."""
    rich.click(f"#view-{view}")
    rich.run(PICTURE)
    open_menu(rich)
    rich.click("#save-picture")
    rich.until("window.saved !== undefined")
    kind, width, height, colours = rich.run("return window.saved")
    assert (kind, width, rich.run("return window.named")) == ("image/png", 2400, "lambda-latency.png")
    assert 800 < height < 2400
    assert colours > 50


def test_a_value_of_a_span_is_copied(rich: Browser) -> None:
    """By a drawn sign, whatever fonts there are; then it says that it is done."""
    rich.run(CLIPBOARD)
    rich.click(".span-row:first-child")
    assert rich.text(".details .copy") == ""
    assert rich.count(".details .copy svg path") == rich.count(".details .copy") > 0
    rich.click(".details .copy")
    rich.until("document.querySelector('.details .copy').textContent === '✓'")
    assert rich.run("return window.written") == rich.text(".details .value")
