"""No violation that axe-core finds, in any state of the page; it comes from npm, for the tests alone."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.page.browser import Browser
from tests.page.samples import LARGE, SAMPLES

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
    by_width = {}
    for width, dark in ((1600, False), (360, True)):
        browser.size(width, dark=dark)
        browser.show(page(state))
        by_width[width] = violations(browser, axe)
    assert by_width == {1600: [], 360: []}


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


TEXT, MARK = 4.5, 3.0
GROUNDS = ("ground", "panel", "sunk", "chosen", "tint")
TEXTS: dict[str, tuple[str, ...]] = dict.fromkeys(("ink", "ink-2"), GROUNDS)
TEXTS |= {"ink-3": ("ground", "panel", "chosen"), "focus": ("ground", "panel"), "bad": ("ground", "panel", "chosen")}
TINTS = ("more-1", "more-2", "more-3", "less-1", "less-2", "less-3", "sunk")  # of a flame graph, under ink
MARKS = ("c0", "c1", "c2", "c3", "c4", "c5", "c6", "slow-other")
# The least contrast of each colour on its grounds, in light and in dark.
TABLE = {
    "ink": (15.1, 11.7),
    "ink-2": (6.5, 7.1),
    "ink-3": (4.8, 5.4),
    "focus": (5.7, 8.3),
    "bad": (5.8, 5.9),
    "ink on more-1": (12.6, 10.7),
    "ink on more-2": (10.0, 8.4),
    "ink on more-3": (7.7, 6.3),
    "ink on less-1": (13.5, 9.7),
    "ink on less-2": (11.1, 7.0),
    "ink on less-3": (8.5, 5.1),
    "ink on sunk": (16.0, 13.5),
    "c0": (3.2, 4.8),
    "c1": (6.0, 7.0),
    "c2": (4.0, 8.4),
    "c3": (4.8, 7.6),
    "c4": (5.1, 8.7),
    "c5": (5.3, 7.2),
    "c6": (6.5, 6.4),
    "slow-other": (7.4, 8.9),
    "edge": (3.3, 3.9),
}
# The ratios of `[foreground, background]` pairs of CSS colours, which a canvas resolves to sRGB.
RATIOS = """
const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const probe = document.createElement("i");
document.body.append(probe);
const rgb = ([kind, name]) => {
  probe.className = kind === "class" ? `fill ${name}` : "";
  const style = getComputedStyle(kind === "class" ? probe : document.documentElement);
  context.fillStyle = kind === "class" ? style.backgroundColor : style.getPropertyValue(`--${name}`).trim();
  context.fillRect(0, 0, 1, 1);
  return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
};
const part = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
const ratios = arguments[0].map((pair) => {
  const [a, b] = pair.map((one) => light(rgb(one))).sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
});
probe.remove();
return ratios;
"""


def pairs() -> dict[str, tuple[float, list[list[tuple[str, str]]]]]:
    """By colour the least contrast that it needs, and its pairs."""
    needs = {name: (TEXT, [[("token", name), ("token", on)] for on in grounds]) for name, grounds in TEXTS.items()}
    needs |= {f"ink on {tint}": (TEXT, [[("token", "ink"), ("token", tint)]]) for tint in TINTS}
    needs |= {name: (MARK, [[("class", name), ("token", on)] for on in ("ground", "panel")]) for name in MARKS}
    needs["edge"] = (MARK, [[("token", "edge"), ("token", on)] for on in ("ground", "panel")])
    return needs


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_colour_stands_out_from_its_grounds(browser: Browser, page: Callable[[str], str], dark: bool) -> None:
    """As the table says, and as much as its use needs."""
    browser.size(1200, dark=dark)
    browser.show(page("one"))
    contrasts = {name: (least, min(browser.run(RATIOS, several))) for name, (least, several) in pairs().items()}
    assert {name: round(ratio, 2) for name, (least, ratio) in contrasts.items() if ratio < least} == {}
    assert {name: round(ratio, 1) for name, (_, ratio) in contrasts.items()} == {
        name: ratios[dark] for name, ratios in TABLE.items()
    }
