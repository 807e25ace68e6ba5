"""A small run over every fault, as `python -m lab faults` does a large one."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from lab.promises import MUTATIONS, Mutation

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(("export", "invocations"), [("collector", 300), ("otlp", 100)])
def test_every_span_of_a_run_over_all_faults_is_accounted_for(export: str, invocations: int) -> None:
    """Exported, rejected by X-Ray, or in memory at a kill; no orphan, no secret, and each trace where Lambda said."""
    command = [sys.executable, "-m", "lab", "faults", "--invocations", str(invocations), "--outage", "3"]
    command += ["--export", export]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, "WRONG" in done.stdout) == (0, False), done.stdout + done.stderr
    sums = {
        fact: int(number.replace(",", ""))
        for fact, number in re.findall(r"(lost|orphans|secrets) ([\d,]+)", done.stdout)
    }
    assert sums == {"lost": 0, "orphans": 0, "secrets": 0}
    assert len(re.findall(r"^  (?:collector|otlp|handler|header|freeze|event|daemon)", done.stdout, re.MULTILINE)) >= 20


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: f"{mutation.promise} {mutation.without}")
def test_each_text_stands_once_in_its_file_and_its_test_is_there(mutation: Mutation) -> None:
    """A text that has moved would end the run after minutes."""
    assert (ROOT / "otel" / "lambda_latency" / "runtime" / mutation.file).read_text().count(mutation.text) == 1
    file, _, function = mutation.test.partition("[")[0].partition("::")
    assert f"def {function}(" in (ROOT / "otel" / "tests" / "runtime" / file).read_text()
