"""The collector of `make collector`."""

import os
import subprocess
from pathlib import Path

import pytest

from lambda_latency.local.spans.collector import BUILT

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def program() -> Path:
    """Where it is. CI builds it: there, a test that needs it must not be skipped."""
    path = ROOT / BUILT
    if path.is_file():
        return path
    if os.environ.get("CI"):
        pytest.fail(f"{path} is missing, and CI is set: make collector must run before the tests")
    pytest.skip(f"{BUILT} is not here: make collector builds it, where Go is")


def validate(program: Path, config: Path, **variables: str) -> tuple[int, str]:
    """What the collector says to a file: its exit status, and its words."""
    command = [str(program), "validate", f"--config={config}"]
    answer = subprocess.run(command, env=variables, capture_output=True, check=False, text=True, timeout=60)
    return answer.returncode, answer.stdout + answer.stderr
