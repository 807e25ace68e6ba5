"""Pictures of each state of the page, at four widths, light and dark."""

from __future__ import annotations

from pathlib import Path

from lab.commands import browser_programs
from lambda_latency.latency import Terms
from lambda_latency.live import RunningPage
from tests.live.states import STATES
from tests.page.browser import Browser

WIDTHS = (360, 768, 1280, 1920)
OPENS = ("timeout", "error")  # states of which the newest request is opened
ROW = "document.querySelector('.row:not([hidden])')"


def draw(folder: Path) -> None:
    """Write the pictures into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    browser = Browser(*browser_programs(), offline=False)
    try:
        for state, make in STATES.items():
            page = RunningPage(Terms)
            browser.show(page.address)
            browser.until("document.getElementById('link').textContent === 'connected'")
            make(page)
            if state != "empty":
                browser.until(f"{ROW} !== null && document.getElementById('evidence').textContent !== ''")
            if state in OPENS:
                browser.run(f"{ROW}.click()")
                browser.until("document.getElementById('fall') !== null")
            for width in WIDTHS:
                for dark in (False, True):
                    browser.size(width, dark=dark)
                    browser.settle()
                    browser.picture(folder / f"{state}-{width}-{'dark' if dark else 'light'}.png")
            page.close()
    finally:
        browser.close()
