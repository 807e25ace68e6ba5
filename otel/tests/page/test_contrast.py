"""The contrast of the style's colours (WCAG 2.2): 4.5 to 1 for text, 3 to 1 for what carries a meaning without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.page.browser import Browser

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
    found = {name: (TEXT, [[("token", name), ("token", on)] for on in grounds]) for name, grounds in TEXTS.items()}
    found |= {f"ink on {tint}": (TEXT, [[("token", "ink"), ("token", tint)]]) for tint in TINTS}
    found |= {name: (MARK, [[("class", name), ("token", on)] for on in ("ground", "panel")]) for name in MARKS}
    found["edge"] = (MARK, [[("token", "edge"), ("token", on)] for on in ("ground", "panel")])
    return found


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_colour_stands_out_from_its_grounds(browser: Browser, page: Callable[[str], str], dark: bool) -> None:
    """As the table says, and as much as its use needs."""
    browser.size(1200, dark=dark)
    browser.show(page("one"))
    found = {name: (least, min(browser.run(RATIOS, several))) for name, (least, several) in pairs().items()}
    assert {name: round(ratio, 2) for name, (least, ratio) in found.items() if ratio < least} == {}
    assert {name: round(ratio, 1) for name, (_, ratio) in found.items()} == {
        name: ratios[dark] for name, ratios in TABLE.items()
    }
