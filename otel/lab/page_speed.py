"""The speed of the report's page with 10,000 requests: time until it is ready, and until all sections follow a filter.

With one request of 20,000 spans: time until it is open, and of a frame while scrolling. With 100,000 requests: time
until the page is ready. Also a search over the spans of 100 requests, the heap, and the size of an empty page.

The page is a file in headless Chromium, without a network. The last column is the median of the processor time of the
page's main thread until the page is idle, which other programs do not change; it is compared with the limit.

Usual time: 7 minutes.
"""

import tempfile
from argparse import ArgumentParser
from pathlib import Path
from statistics import median

from selenium.webdriver.common.keys import Keys

from lab.commands import browser_programs
from tests.page.browser import Browser
from tests.page.samples import huge, many, page_of

ROUNDS = 5
REQUESTS = 10_000
READY_MS, ACT_MS = 200, 50
SPANS, OPEN_MS, FRAME_MS, HEAP_MB = 20_000, 300, 50, 150
KEPT, SEARCH_MS, EMPTY_KB = 100, 100, 120
MANY, MANY_READY_MS = 100_000, 1_000
# Ready: all elements exist and respond; drawn: the pictures too, which wait for the browser's first frame.
READY = "return ['ready', 'drawn'].map((name) => performance.getEntriesByName(name).at(-1).startTime)"
# The time from the event to the end of its layout, for which a frame has to wait.
ACT = """
const begin = performance.now();
{act};
document.body.getBoundingClientRect();
return performance.now() - begin;
"""
UNFOLD = "document.querySelector('#span-4 .twist').click()"  # repeated spans share a row until they are unfolded
SCROLL = "const box = document.getElementById('fall'); box.scrollTop += 900; box.dispatchEvent(new Event('scroll'))"
TYPE = "const one = document.getElementById('search'); one.value = '{}'; one.dispatchEvent(new Event('input'))"
FOCUS = "focus the search"
ACTS = {
    "sort by time": "document.querySelector('[data-sort=took]').click()",
    "sort by start": "document.querySelector('[data-sort=start]').click()",
    "sort by part": "document.querySelector('[data-sort=part]').click()",
    "filter: slow": "document.getElementById('only-slow').click()",
    "filter: cold": "document.getElementById('only-cold').click()",
    FOCUS: "document.getElementById('search').focus()",
    "search: a letter": TYPE.format("p"),
    "search: a word": TYPE.format("payments"),
    "brush": ("const one = document.getElementById('from'); one.value = '300'; one.dispatchEvent(new Event('input'))"),
    "all again": "document.getElementById('clear').click()",
    "a finding": "document.getElementById('show-0').click()",
    "all once more": "document.getElementById('clear').click()",
    "open a request": "document.querySelector('.inner .row').click()",
}


def main(parser: ArgumentParser) -> int:
    """Measure; status 1 if a time or the heap exceeds its limit."""
    parser.parse_args()
    browser = Browser(*browser_programs())
    try:
        with tempfile.TemporaryDirectory(prefix="page-speed-") as folder:
            path = Path(folder, "report.html")
            path.write_text(page_of(many(REQUESTS)), encoding="utf-8")
            late = _measure(browser, path)
            late |= _measure_small(browser, path)
            path.write_text(page_of(huge(SPANS)), encoding="utf-8")
            late |= _measure_huge(browser, path)
            path.write_text(page_of(many(MANY)), encoding="utf-8")
            return late | _measure_many(browser, path)
    finally:
        browser.close()


def _measure(browser: Browser, path: Path) -> int:
    ready: list[tuple[float, float]] = []
    busy: list[float] = []
    acts: dict[str, list[float]] = {name: [] for name in ACTS}
    acts_busy: dict[str, list[float]] = {name: [] for name in ACTS}
    browser.size(1600)
    for _ in range(ROUNDS):
        browser.show(path.as_uri())
        ready_ms, drawn = browser.run(READY)
        ready.append((float(ready_ms), float(drawn)))
        busy.append(browser.busy_ms())
        for name, act in ACTS.items():
            begin = browser.busy_ms()
            took, used = _act(browser, act)
            browser.settle()
            acts[name].append(took)
            # The spans are read after the event, so that the field has the keyboard at once.
            acts_busy[name].append(browser.busy_ms() - begin if name == FOCUS else used)
        browser.keys(Keys.ESCAPE)
    elements = int(browser.run("return document.querySelectorAll('*').length"))
    print(f"{REQUESTS:,} requests, {path.stat().st_size / 1e6:.1f} MB, {elements:,} elements; {ROUNDS} rounds")
    print(f"{'':24}{'least':>11}{'median':>11}{'most':>11}{'processor':>11}")
    late = [_print_row("ready after navigation", [ready_ms for ready_ms, _ in ready], busy, READY_MS)]
    _print_row("pictures drawn", [drawn for _, drawn in ready], busy)
    late.append(_print_heap(browser))
    late += [_print_row(name, times, acts_busy[name], ACT_MS) for name, times in acts.items()]
    return int(any(late))


def _measure_huge(browser: Browser, path: Path) -> int:
    opened: list[tuple[float, float]] = []
    unfolded: list[tuple[float, float]] = []
    frames: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        browser.show(path.as_uri() + "#trace=none")
        opened.append(_act(browser, "document.querySelector('.inner .row').click()"))
        browser.settle()
        unfolded.append(_act(browser, UNFOLD))
        browser.settle()
        frames.append(max(_act(browser, SCROLL) for _ in range(20)))
    print(f"\none request of {SPANS:,} spans, {path.stat().st_size / 1e6:.1f} MB")
    late = [
        _print_row(name, [took for took, _ in times], [used for _, used in times], limit)
        for name, times, limit in (
            ("open it", opened, OPEN_MS),
            ("unfold its repeats", unfolded, OPEN_MS),
            ("scroll: worst frame", frames, FRAME_MS),
        )
    ]
    late.append(_print_heap(browser))
    return int(any(late))


def _measure_small(browser: Browser, path: Path) -> int:
    """A search over kept requests, at first and again, and the size of a page without requests."""
    path.write_text(page_of([]), encoding="utf-8")
    size = path.stat().st_size / 1000
    print(f"\na page without requests: {size:.0f} kB, at most {EMPTY_KB} kB")
    path.write_text(page_of(many(KEPT)), encoding="utf-8")
    first_searches: list[tuple[float, float]] = []
    next_searches: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        browser.show(path.as_uri())
        first_searches.append(_act(browser, TYPE.format("charges")))
        next_searches.append(_act(browser, TYPE.format("http.method")))
    print(f"\nsearch in the spans of {KEPT} requests")
    late = [
        _print_row(name, [took for took, _ in times], [used for _, used in times], SEARCH_MS)
        for name, times in (("the first search", first_searches), ("another one", next_searches))
    ]
    return int(any(late) or size > EMPTY_KB)


def _print_heap(browser: Browser) -> bool:
    heap = browser.heap_mb()
    print(f"{'heap':24}{heap:8.1f} MB   at most {HEAP_MB} MB")
    return heap > HEAP_MB


def _measure_many(browser: Browser, path: Path) -> int:
    ready: list[float] = []
    busy: list[float] = []
    for _ in range(5):
        browser.show(path.as_uri())
        ready.append(float(browser.run(READY)[0]))
        busy.append(browser.busy_ms())
    print(f"\n{MANY:,} requests, {path.stat().st_size / 1e6:.1f} MB")
    return int(_print_row("ready after navigation", ready, busy, MANY_READY_MS))


def _act(browser: Browser, act: str) -> tuple[float, float]:
    """How long an act takes with its layout, and the processor time of it."""
    begin = browser.busy_ms()
    took = float(browser.run(ACT.format(act=act)))
    return took, browser.busy_ms() - begin


def _print_row(name: str, times: list[float], busy: list[float], limit: int | None = None) -> bool:
    least = min(times)
    bound = "" if limit is None else f"   at most {limit} ms"
    figures = (least, median(times), max(times), median(busy))
    print(f"{name:24}{''.join(f'{figure:8.1f} ms' for figure in figures)}{bound}")
    return limit is not None and median(busy) > limit
