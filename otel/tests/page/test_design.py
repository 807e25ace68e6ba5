"""What a person sees at a glance: nothing cut, nothing beside its place, every picture says what it shows."""

from collections.abc import Callable

import pytest

from tests.page.browser import Browser
from tests.page.samples import LARGE, SAMPLES

WIDTHS = (360, 768, 1024, 1200, 1366, 1440, 1600)
OUTSIDE = """
const right = (one) => one.getBoundingClientRect().right;
return [...document.querySelectorAll("section :is(table, .flame, .fall, .chart svg)")]
  .filter((one) => one.checkVisibility() && right(one) > right(one.closest("section")) + 0.5)
  .map((one) => `${one.tagName} ${one.getAttribute("class")} in ${one.closest("section").id}`);
"""
# The vertical distance between the middle of a bar and the middle of its cell.
OFF_CENTRE = """
const middle = (one) => { const { top, bottom } = one.getBoundingClientRect(); return (top + bottom) / 2; };
return [...document.querySelectorAll(".parts tbody .fill")].filter((one) => one.checkVisibility())
  .map((one) => Math.abs(middle(one) - middle(one.closest("td")))).filter((far) => far > 1);
"""
# Words of a flame graph of which less than three letters can be seen.
STUMPS = """
const found = [];
for (const frame of document.querySelectorAll(".frame")) {
  const words = document.createRange();
  words.selectNodeContents(frame.querySelector(".isolated"));
  const [box, text] = [frame.getBoundingClientRect(), words.getBoundingClientRect()];
  const seen = Math.min(box.right, text.right) - Math.max(box.left, text.left);
  if (seen > 0 && seen < Math.min(text.width, 24)) found.push([frame.textContent, Math.round(seen)]);
}
return found;
"""
COLOURS = (
    "return [...document.querySelectorAll('.parts-of-one li')].map((one) => [one.querySelector('.isolated')"
    "?.textContent, one.querySelector('.swatch') && getComputedStyle(one.querySelector('.swatch')).backgroundColor])"
)


@pytest.mark.parametrize("state", ["shop", "rich", "changed", "same", "long", "services"])
def test_nothing_is_beside_its_section(browser: Browser, page: Callable[[str], str], state: str) -> None:
    """Tables and pictures end where their section ends."""
    browser.show(page(state))
    outside = {}
    for width in WIDTHS:
        browser.size(width)
        browser.settle()
        outside[width] = browser.run(OUTSIDE)
    assert {width: beside for width, beside in outside.items() if beside} == {}


def test_bars_stand_in_the_middle_of_their_rows(browser: Browser, page: Callable[[str], str]) -> None:
    """Wide and narrow."""
    for width in (1600, 360):
        browser.size(width)
        browser.show(page("shop"))
        assert (width, browser.run(OFF_CENTRE)) == (width, [])


def test_the_pieces_of_the_bar_lie_on_one_line(browser: Browser, page: Callable[[str], str]) -> None:
    """Those without room for their time, too."""
    browser.size(1280)
    browser.show(page("ten-thousand"))
    tops = browser.run(
        "return [...document.querySelectorAll('.piece .fill')].map((e) => e.getBoundingClientRect().top)"
    )
    assert (len(tops), len({*tops})) == (6, 1)


def test_names_break_after_a_dot(browser: Browser, page: Callable[[str], str]) -> None:
    """A host that does not fit beside its time, on a phone."""
    browser.size(360)
    browser.show(page("three"))
    name = "document.querySelectorAll('.row-head .title b')[1]"
    script = (
        f"const lines = [...{name}.childNodes].map((piece) => {{ const words = document.createRange(); "
        "words.selectNodeContents(piece); return [piece.textContent, words.getClientRects().length]; }); return lines"
    )
    pieces = [(text, lines) for text, lines in browser.run(script) if text]
    assert pieces == [("payments.", 1), ("example.", 1), ("com", 1)]


def test_frames_without_room_have_no_words(browser: Browser, page: Callable[[str], str]) -> None:
    """A single letter says nothing; the tooltip and the name for screen readers stay."""
    for state in ("rich", "changed"):
        browser.size(360)
        browser.show(page(state))
        assert (state, browser.run(STUMPS)) == (state, [])
    assert browser.run("return [...document.querySelectorAll('.frame')].every((one) => one.ariaLabel.length > 3)")


def test_the_two_strips_say_what_they_are(browser: Browser, page: Callable[[str], str]) -> None:
    """The request's own critical path, and that of a typical one."""
    browser.show(page("shop"))
    says = browser.text("#overview-says")
    assert says.startswith("The critical path, ")
    assert "; below it that of a typical request of the route, " in says
    assert browser.count("#overview-says") == 1


def test_services_have_colours_of_their_own(browser: Browser, page: Callable[[str], str]) -> None:
    """The code of three services is not one orange."""
    browser.show(page("shop"))
    colours = {name: colour for name, colour in browser.run(COLOURS) if name and name.endswith("own code")}
    assert len(colours) == 3
    assert len(set(colours.values())) == 3


def test_a_short_window_is_told_in_seconds(browser: Browser, page: Callable[[str], str]) -> None:
    """Requests of one minute do not begin and end at the same time."""
    browser.show(page("even"))
    assert browser.text("#head .of-all") == "60 requests · 2026-11-24 22:40:00\u201322:40:53 UTC"


def test_minus_is_one_sign_everywhere(browser: Browser, page: Callable[[str], str]) -> None:
    """The table of changes has the sign of the other tables, not a hyphen."""
    browser.show(page("changed"))
    cells = browser.run("return [...document.querySelectorAll('table.change td')].map((one) => one.textContent)")
    assert [cell for cell in cells if cell.startswith("-") or " -" in cell] == []
    assert any("\u2212" in cell for cell in cells)


# The words in the window.
WORDS = """
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
let words = 0;
for (let text = texts.nextNode(); text !== null; text = texts.nextNode()) {
  const one = text.parentElement;
  if (!one.checkVisibility() || one.closest("script, style, noscript, option, .skip, .unseen") !== null) continue;
  const range = document.createRange();
  range.selectNodeContents(text);
  const { top, bottom, width } = range.getBoundingClientRect();
  if (top < innerHeight && bottom > 0 && width > 0) words += text.data.split(/\\s+/).filter(Boolean).length;
}
return words;
"""
# Instants of the waterfall's axis that its picture cuts.
BEYOND = """
const right = (one) => one.getBoundingClientRect().right;
return [...document.querySelectorAll(".heads svg text")]
  .filter((one) => right(one) > right(one.closest("svg")) + 0.5).map((one) => one.textContent);
"""
CUT = """
return [...document.querySelectorAll(arguments[0])].filter((one) => one.checkVisibility()
  && (one.scrollWidth > one.clientWidth || one.previousElementSibling.getBoundingClientRect().right
    > one.getBoundingClientRect().right - one.scrollWidth + 0.5)).map((one) => one.textContent);
"""


def test_on_a_phone_a_finding_opens_below_its_row(browser: Browser, page: Callable[[str], str]) -> None:
    """None is open at first, so that all rows are in sight; names of calls are not broken into letters."""
    browser.size(360, height=800)
    browser.show(page("three"))
    rows = "[...document.querySelectorAll('.row-of-finding')]"
    assert browser.run(f"return {rows}.every((one) => one.getBoundingClientRect().bottom <= innerHeight)")
    assert browser.count(".changes") == 0
    browser.click("#finding-1")
    assert browser.run(f"return {rows}[1].contains(document.getElementById('beside'))")
    tall = "[...document.querySelectorAll('.changes td')].filter((one) => one.clientHeight > 60).length"
    assert browser.run(f"return {tall}") == 0
    browser.click("#finding-1")
    assert browser.count(".changes") == 0


def test_the_first_screen_holds_the_findings_in_few_words(browser: Browser, page: Callable[[str], str]) -> None:
    """At 1280 x 800: at most 230 words, each finding in sight."""
    browser.size(1280, height=800)
    for state in ("three", "depends", "fifty", "classes", "all-failed"):
        browser.show(page(state))
        assert (state, browser.run(WORDS) <= 230) == (state, True)
        rows = "[...document.querySelectorAll('.row-of-finding')]"
        assert browser.run(f"return {rows}.every((one) => one.getBoundingClientRect().bottom <= innerHeight)")


def test_durations_of_hours_have_room(browser: Browser, page: Callable[[str], str]) -> None:
    """In the list and in the waterfall, whose columns are as wide as the longest of them."""
    browser.show(page("hours"))
    cut = {}
    for width in WIDTHS:
        browser.size(width)
        browser.settle()
        cut[width] = browser.run(CUT, ".inner .took, .span-row :is(.waited-ms, .took-ms)")
        cut[width] += browser.run(BEYOND)
    assert {width: texts for width, texts in cut.items() if texts} == {}


def test_a_picture_is_not_drawn_into_a_few_pixels(browser: Browser, page: Callable[[str], str]) -> None:
    """As while a print begins; the console stays clean."""
    browser.show(page("rich"))
    browser.size(400)
    browser.run("document.getElementById('sections').style.width = '2px'")
    browser.settle()
    assert browser.console() == []


def test_the_search_shows_its_whole_hint(browser: Browser, page: Callable[[str], str]) -> None:
    """On a phone, too."""
    browser.size(360)
    browser.show(page("rich"))
    room = (
        "const one = document.getElementById('search');"
        "const ruler = document.createElement('canvas').getContext('2d');"
        "ruler.font = getComputedStyle(one).font;"
        "return one.clientWidth - 16 - ruler.measureText(one.placeholder).width"
    )
    assert browser.run(room) >= 0


def test_on_paper_a_deep_request_is_cut_and_says_so(browser: Browser, page: Callable[[str], str]) -> None:
    """One page, however many spans the request has; on the screen nothing is cut."""
    browser.size(1200)
    browser.show(page("shop"))
    assert browser.count("#printed") == 0
    browser.print_media()
    assert browser.text("#printed") == "12 of 27 rows."
    assert browser.count("#printed") == 1
    assert browser.pages() == 1


def test_starts_of_several_days_are_whole(browser: Browser, page: Callable[[str], str]) -> None:
    """Month, day and time of day have room in the list."""
    browser.show(page("ten-thousand"))
    for width in (360, 1600):
        browser.size(width)
        browser.settle()
        cut = (
            "return [...document.querySelectorAll('.inner .start')].filter((one) => one.scrollWidth > one.clientWidth)"
        )
        assert (width, browser.run(f"{cut}.length")) == (width, 0)


def test_without_a_part_the_median_is_that_of_the_rest(browser: Browser, page: Callable[[str], str]) -> None:
    """The line of the median moves with the marks."""
    browser.show(page("shop"))
    browser.click("#view-length")
    median = browser.run("return document.querySelector('.median').textContent")
    browser.run("document.getElementById('what-if').open = true")
    browser.click("#without-0")
    shorter = browser.run("return document.querySelector('.median').textContent")
    assert median.startswith("p50 ")
    assert shorter.startswith("p50 ")
    assert int(median[4:].split("\u202f")[0]) - int(shorter[4:].split("\u202f")[0]) > 100


WINDOWS = (320, 360, 414, 520, 640, 768, 800, 960, 1024, 1280, 1359, 1360, 1600, 1920, 2200)
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
    browser.size(WINDOWS[-1])
    browser.show(page(state))
    overflows = {}
    for width in reversed(WINDOWS):
        browser.size(width)
        browser.settle()
        scrolls, beside = browser.run(BESIDE, width)
        if scrolls > width or beside:
            overflows[width] = (scrolls, beside[:5])
    assert overflows == {}


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
