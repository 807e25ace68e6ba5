"""The pages about the verdict and the critical path, compared with the code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from lambda_latency.latency.judge import thresholds

EXPLANATION = Path(__file__).parents[2] / "docs" / "explanation"


def test_the_page_lists_the_thresholds() -> None:
    """Each value is that of the code."""
    text = (EXPLANATION / "verdict.md").read_text()
    table = text[text.index("| number | value |") :].split("\n\n")[0]
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


def test_the_help_and_the_page_define_the_critical_path_alike() -> None:
    """Both use the same words."""
    command = [sys.executable, "-m", "lambda_latency", "report", "--help"]
    help_text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    page = (EXPLANATION / "critical-path.md").read_text()
    assert "cut to its parent and to that instant" in re.sub(r"\s+", " ", help_text)
    assert "cut to its parent and to that instant" in re.sub(r"\s+", " ", page)
    statuses = "exit status: 0 fine, 1 failed or nothing readable, 2 usage, 3 a --fail-if condition was met or doctor"
    assert statuses in re.sub(r"\s+", " ", help_text)
