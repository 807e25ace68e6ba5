"""Pictures of the report's page for a person to look at: its parts at four widths, light, dark, on paper.

Each row is a sheet: the widths 360, 768, 1280 and 1920 in light, 1280 in dark, and print. Another version's command
(`--command`) makes the sheets of that version from the same traces, to hold them beside each other.

Usual time: 3 minutes.
"""

import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from lab.commands import browser_programs
from lambda_latency.trace import Trace, dump_line
from tests.latency.system import order
from tests.page import firsts
from tests.page.browser import Browser
from tests.page.samples import even, many, rich

WIDTHS = (360, 768, 1280, 1920)
LOOKS = [*((width, "") for width in WIDTHS), (1280, "dark"), (1280, "print")]
TALL = 1000  # pixels of a picture
TRACES: dict[str, Callable[[], list[Trace]]] = {
    "rich": rich,
    "even": even,
    "many": lambda: many(3000),
    "classes": firsts.three_classes,
    "fifty": firsts.fifty,
    "order": lambda: [order(45)],
    "flow": firsts.flow,
    "instant": firsts.instant,
    "slow": firsts.all_slow,
    "failed": firsts.all_failed,
    "late": firsts.late,
    "heavy": firsts.heavy,
}
FROM_300 = "const one = document.getElementById('from'); one.value = '300'; one.dispatchEvent(new Event('input'))"
TYPED = """
const one = document.getElementById("search"); one.focus(); one.value = "{}"; one.dispatchEvent(new Event("input"))
"""


@dataclass(frozen=True, slots=True)
class PageRow:
    """A part of the design: the traces that show it, an act on their page, and the element that the picture is of."""

    traces: str
    selector: str = ""
    act: str = ""
    fragment: str = ""
    against: str = ""
    until: str = ""  # what is true when the act is done
    scrolled: bool = False  # to the element, as a person does it


ROWS = {
    "cards": PageRow("classes"),
    "change": PageRow("rich", against="even"),
    "colours": PageRow("classes", "#distribution"),
    "what-if": PageRow("classes", "#beside", "document.querySelector('.tick input, .saves input')?.click()"),
    "brush": PageRow(
        "classes",
        "#parts",
        FROM_300,
    ),
    "bar": PageRow("classes", "#requests", FROM_300, scrolled=True),
    "search": PageRow(
        "rich",
        "#requests",
        TYPED.format("pay"),
        until="document.getElementById('suggested')?.hidden !== true",
    ),
    "kept": PageRow("many", "#distribution"),
    "bare": PageRow("heavy", "#distribution"),
    "late": PageRow("late", "#request"),
    "parts": PageRow("fifty", "#parts"),
    "flame": PageRow("classes", "#flame", "document.querySelector('.flame [data-frame], .flame .frame')?.click()"),
    "gone": PageRow("rich", fragment="trace=00000000000000000000000000000001"),
    **{name: PageRow(name) for name in ("fifty", "order", "flow", "instant", "slow", "failed")},
}


def main(parser: ArgumentParser) -> int:
    """Make the sheets."""
    parser.add_argument("--folder", type=Path, default=Path("out", "page-rows"), help="of the sheets")
    parser.add_argument(
        "--command", default=str(Path(sys.executable).with_name("lambda-latency")), help="of the report"
    )
    parser.add_argument("--only", choices=ROWS, help="this row alone")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    browser = Browser(*browser_programs())
    try:
        with tempfile.TemporaryDirectory(prefix="page-rows-") as name:
            for row in [options.only] if options.only else ROWS:
                page = _page(ROWS[row], Path(name), options.command)
                pictures = [_picture(browser, page, ROWS[row], look, Path(name)) for look in LOOKS]
                _sheet(browser, pictures, options.folder / f"{row}.png", Path(name))
                print(options.folder / f"{row}.png")
    finally:
        browser.close()
    return 0


def _page(row: PageRow, folder: Path, command: str) -> Path:
    page = folder / f"{row.traces}{row.against}.html"
    if not page.exists():
        more = ["--against", str(_written(row.against, folder))] if row.against else []
        source = str(_written(row.traces, folder))
        command_line = [command, "report", source, *more, "--html", str(page)]
        subprocess.run(command_line, check=True, stdout=subprocess.DEVNULL)
    return page


def _written(name: str, folder: Path) -> Path:
    path = folder / f"{name}.jsonl"
    path.write_text("".join(dump_line(trace.spans) for trace in TRACES[name]()), encoding="utf-8")
    return path


def _picture(browser: Browser, page: Path, row: PageRow, look: tuple[int, str], folder: Path) -> Path:
    width, how = look
    browser.size(width, dark=how == "dark")
    browser.show(page.as_uri() + (f"#{row.fragment}" if row.fragment else ""))
    if row.act:
        browser.run(row.act)
        browser.until(row.until or "true")
        browser.settle()
    if how == "print":
        browser.print_media()
        browser.settle()
    path = folder / f"{len(list(folder.glob('*.png')))}.png"
    if row.scrolled:
        browser.run("document.querySelector(arguments[0]).scrollIntoView()", row.selector)
        browser.settle()
        top = round(browser.run("return scrollY"))
    else:
        above = "return (document.querySelector(arguments[0])?.getBoundingClientRect().top ?? 0) + scrollY"
        top = max(0, round(browser.run(above, row.selector or "body")) - 8)
    browser.picture(path, top=top, height=TALL)
    return path


def _sheet(browser: Browser, pictures: Sequence[Path], path: Path, folder: Path) -> None:
    """The pictures beside each other, at half their size."""
    shown = [
        f'<figure><img src="{escape(path.name)}" width="{width // 2}"><figcaption>{width} {how}</figcaption></figure>'
        for path, (width, how) in zip(pictures, LOOKS, strict=True)
    ]
    sheet = folder / "sheet.html"
    style = "body { display: flex; flex-wrap: wrap; gap: 10px; margin: 10px; background: #888 } figure { margin: 0 }"
    sheet.write_text(f"<!doctype html><style>{style}</style>{''.join(shown)}", encoding="utf-8")
    browser.size(2300)
    browser.show(sheet.as_uri())
    browser.picture(path)
