"""The README's picture: the upper part of the demo's page, in light and dark."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.page.browser import Browser

__all__ = ["main"]

ROOT = Path(__file__).parents[2]
WIDTH = 1000
LAST = "parts"  # the section at the end of the picture


def main() -> int:
    """Run the demo and take the pictures; status 1 without Chromium and its driver."""
    programs = [shutil.which(name) for name in ("chromium", "chromedriver")]
    if None in programs:
        print("the picture needs chromium and chromedriver: apt install chromium chromium-driver", file=sys.stderr)
        return 1
    subprocess.run([sys.executable, "-m", "lambda_latency", "demo"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    browser = Browser(*map(str, programs))
    try:
        for name, dark in (("report", False), ("report-dark", True)):
            browser.size(WIDTH, dark=dark)
            browser.show((ROOT / "out" / "report.html").as_uri())
            end = browser.run("return document.getElementById(arguments[0]).getBoundingClientRect().bottom", LAST)
            path = ROOT / "docs" / f"{name}.webp"
            browser.picture(path, height=round(end) + 12)
            print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")
    finally:
        browser.close()
    return 0
