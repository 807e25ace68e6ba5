"""The options that the programs about the judge share, and how they end: a table, JSON, an exit status."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.judging.bounds import Score, failed, text, values
from lab.judging.thresholds import replace_thresholds, threshold

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ["add_options", "finish", "parsed"]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add --set and --json."""
    parser.add_argument("--set", dest="thresholds", type=threshold, action="append", default=[], metavar="NAME=NUMBER",
                        help="another threshold of the judge, to see what it buys; may be repeated")  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table and the cases as JSON")


def parsed(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The options, of which `thresholds` is a mapping and has taken effect."""
    options = parser.parse_args()
    options.thresholds = dict(options.thresholds)
    try:
        replace_thresholds(options.thresholds)
    except ValueError as error:
        parser.error(str(error))
    return options


def finish(scores: list[Score], cases: Sequence[Any], options: argparse.Namespace) -> int:
    """Print the table, write it with the cases; returns 1 if a bound does not hold."""
    print(text(scores))
    if options.json is not None:
        found = {"thresholds": options.thresholds, "scores": values(scores), "cases": cases}
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return int(failed(scores))
