"""Follows the tutorials and the how-tos to the letter: each block is run, each output compared with the page's.

In a new environment with the wheel, in the folder that `lambda-latency init` writes. What needs AWS or Docker is
skipped, and named. Status 1 where a page is wrong.

Usual time: 5 minutes; a page takes 10 to 90 seconds.
"""

import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path

from lab.commands import ROOT
from lab.docs.blocks import BlockError, blocks_of
from lab.docs.reader import WrongError, prepare, reading

DOCS = ROOT / "docs"
EXTRAS = "adopt,archive,doctor,fetch,formats,local,testing"


def main(parser: ArgumentParser) -> int:
    """0 if every block of every page does what the page says."""
    all_pages = sorted([*DOCS.glob("tutorial/*.md"), *DOCS.glob("how-to/*.md")])
    parser.add_argument("--page", type=Path, action="append", metavar="FILE", help="this page only; may be repeated")
    pages = parser.parse_args().page or all_pages
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="lambda-latency-docs-") as made:
        print("Building the wheel ...", file=sys.stderr)
        build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", made]
        subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
        wheel = next(Path(made).glob("*.whl"))
        for number, page in enumerate(pages):
            wrong += _follow(page, Path(made, f"page {number}"), wheel)
    return 1 if wrong else 0


def _follow(page: Path, home: Path, wheel: Path) -> bool:
    """Whether a page is wrong. Prints a line, and what is wrong or skipped."""
    began, ran, skipped = time.monotonic(), 0, []
    name = page.resolve().relative_to(ROOT) if page.resolve().is_relative_to(ROOT) else page
    place = ""
    try:
        blocks = list(blocks_of(page.read_text("utf-8")))
        if any("skip" not in block.annotations for block in blocks):
            prepare(home, wheel, EXTRAS)
        with reading(home) as reader:
            for block in blocks:
                place = f":{block.line}"
                if "skip" in block.annotations:
                    skipped.append(f"{block.line}: {block.annotations['skip']}")
                    continue
                reader.follow(block)
                ran += 1
    except (BlockError, WrongError) as error:
        print(f"{name}{place}: {error}")
        return True
    print(f"{name}: {ran} blocks hold, {time.monotonic() - began:.0f} s")
    for reason in skipped:
        print(f"  skipped, line {reason}")
    return False
