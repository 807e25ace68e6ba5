"""What several tests of the laptop's system need: child processes that are cleared up."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lambda_latency.local.processes import Processes

ROOT = Path(__file__).parents[3]


@pytest.fixture
def processes() -> Iterator[Processes]:
    """Child processes that do not outlive the test."""
    with Processes() as started:
        yield started
