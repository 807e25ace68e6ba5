"""The pages about the verdict and the critical path, compared with the code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from lambda_latency.latency.judge import thresholds

EXPLANATION = Path(__file__).parents[3] / "docs" / "explanation"


def test_the_page_lists_the_thresholds() -> None:
    """All of them; each value is that of the code, and each has a reason."""
    text = (EXPLANATION / "verdict.md").read_text()
    table = text[text.index("| name | value | reason |") :].split("\n\n")[0]
    rows = re.findall(r"\| `(\w+)` \| ([^|]+) \| ([^|]+) \|", table)
    assert sorted(name for name, _, _ in rows) == sorted(name for name in vars(thresholds) if name.isupper())
    assert [value for _, value, _ in rows] == [str(getattr(thresholds, name)) for name, _, _ in rows]
    assert all(reason.strip() for _, _, reason in rows)


def test_the_help_and_the_page_define_the_critical_path_alike() -> None:
    """Both use the same words."""
    command = [sys.executable, "-m", "lambda_latency", "report", "--help"]
    help_text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    page = (EXPLANATION / "critical-path.md").read_text()
    assert "cut to its parent and to that instant" in re.sub(r"\s+", " ", help_text)
    assert "cut to its parent and to that instant" in re.sub(r"\s+", " ", page)
    statuses = "exit status: 0 fine, 1 failed or nothing readable, 2 usage, 3 a --fail-if condition was met or doctor"
    assert statuses in re.sub(r"\s+", " ", help_text)
