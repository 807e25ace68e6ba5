"""Does the page name a difference that is planted, and nothing where there is none?

Usual time: 2 minutes.
"""

from __future__ import annotations

import argparse

from lab.commands import run_test

__all__ = ["main"]


def main() -> int:
    """Run its test with many reports."""
    parser = argparse.ArgumentParser("python -m lab differs", description=__doc__)
    parser.add_argument("--sample", type=int, default=40, metavar="N",
                        help="so many reports with a difference, and so many without (40)")  # fmt: skip
    return run_test("tests/page/test_differs.py", DIFFERS_CASES=parser.parse_args().sample)


if __name__ == "__main__":
    raise SystemExit(main())
