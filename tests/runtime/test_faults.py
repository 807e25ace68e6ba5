"""A small run over every fault, as `make faults` does a large one."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_every_span_of_a_run_over_all_faults_is_accounted_for() -> None:
    """Exported, or in memory at a kill; no orphan, no secret, and each trace where Lambda said."""
    command = [sys.executable, "-m", "tests.faults", "--invocations", "300", "--outage", "3"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, "WRONG" in done.stdout) == (0, False), done.stdout + done.stderr
    sums = {
        what: int(number.replace(",", ""))
        for what, number in re.findall(r"(lost|orphans|secrets) ([\d,]+)", done.stdout)
    }
    assert sums == {"lost": 0, "orphans": 0, "secrets": 0}
    assert len(re.findall(r"^  (?:collector|handler|header|freeze|event|daemon)", done.stdout, re.MULTILINE)) >= 24
