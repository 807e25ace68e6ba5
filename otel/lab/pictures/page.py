"""The README's picture: the upper part of the demo's page, in light and dark.

The demo's times are never the same twice, so pictures cannot be compared. What the page looks like follows from its
styles, its markup and its words: their digest, which is written with the pictures, is compared instead.
"""

import hashlib
import subprocess
import sys
from pathlib import Path

from lab.commands import browser_programs
from lambda_latency.page.build import PAGE
from lambda_latency.text import PAGE_WORDS
from tests.page.browser import Browser

ROOT = Path(__file__).parents[3]
WIDTH = 1000
LAST = "parts"  # the section at the end of the picture
WORDS = ("card.", "carry.", "fact.", "head.", "map.", "mark.", "parts.", "verdict.", "whatif.")  # up to that section
LOOK = Path(__file__).with_name("look.txt")


def main() -> int:
    """Run the demo and take the pictures."""
    programs = browser_programs()
    subprocess.run([sys.executable, "-m", "lambda_latency", "demo"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    browser = Browser(*programs)
    try:
        for name, dark in (("report", False), ("report-dark", True)):
            browser.size(WIDTH, dark=dark)
            browser.show((ROOT / "out" / "report.html").as_uri())
            end = browser.run("return document.getElementById(arguments[0]).getBoundingClientRect().bottom", LAST)
            path = ROOT / "docs" / f"{name}.webp"
            browser.picture(path, height=round(end) + 12)
            print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")
        LOOK.write_text(f"{look()}\n", encoding="ascii")
    finally:
        browser.close()
    return 0


def look() -> str:
    """The digest of what the pictures show, apart from the demo's requests."""
    files = [PAGE / "bundle" / "page.css", PAGE / "page.html"]
    words = [f"{key}={text}" for key, text in sorted(PAGE_WORDS.items()) if key.startswith(WORDS)]
    look_text = "\n".join([*(path.read_text(encoding="utf-8") for path in files), *words])
    return hashlib.sha256(look_text.encode()).hexdigest()
