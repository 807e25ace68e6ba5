"""What the README promises of the report: its numbers, its options, its exit statuses."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from lambda_latency.latency import thresholds

README = (Path(__file__).parents[2] / "README.md").read_text()


def test_the_readme_prints_the_thresholds() -> None:
    """Each as it stands in the code."""
    table = README[README.index("| number | value |") :].split("\n\n")[0]
    assert re.findall(r"\| (\d[^|]*?) \|", table) == [
        f"{thresholds.SLOW_PERCENT}",
        "{} to {}".format(*thresholds.TYPICAL_PERCENT),
        f"{thresholds.LEAST_OF_ROUTE}",
        f"{thresholds.EVEN_WIDTHS}",
        f"{thresholds.NEVER_EVEN_TIMES}",
        f"{thresholds.EVEN_NS // 1_000_000} ms",
        f"{thresholds.ENOUGH_REQUESTS}",
        f"{thresholds.ENOUGH_SLOW}",
        f"{thresholds.DOMINANT_PERCENT} %",
        f"{thresholds.COMPARABLE_REQUESTS}",
        f"{thresholds.TRUST_PERCENT} %",
        f"{thresholds.DRIFT_NS // 1_000_000} ms",
        f"{thresholds.FELT_PERCENT} %",
    ]


def test_the_readme_names_every_option_of_the_report() -> None:
    """And no other."""
    command = [sys.executable, "-m", "lambda_latency", "report", "--help"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    options = set(re.findall(r"--[a-z-]+", told)) - {"--help"}
    rows = README[README.index("| option | what it does |") : README.index("Exit status: 0 fine")]
    assert set(re.findall(r"--[a-z][a-z-]*", rows)) == options
    assert "exit status: 0 fine, 1 failed or nothing readable, 2 usage, 3 a gate says no" in told
    assert "cut to its parent and to that instant" in re.sub(r"\s+", " ", told)
    assert "cut to its parent and to that instant" in re.sub(r"\s+", " ", README)
