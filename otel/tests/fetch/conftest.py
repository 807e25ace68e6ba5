"""The command in a process of its own, as a person runs it, with nobody's own AWS configuration; the laptop's X-Ray."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fetch.standin import KNOWN, XRay
from tests.xray.conftest import xray as laptop  # noqa: F401 - a fixture

ROOT = Path(__file__).parents[3]
Run = Callable[..., "subprocess.CompletedProcess[str]"]
Start = Callable[..., XRay]


def environment(home: Path, **more: str) -> dict[str, str]:
    """The variables of a person who has no AWS configuration but what is named."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **plain,
        "HOME": str(home),
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "*",
        "PYTHONPATH": str(ROOT / "otel"),
        **more,
    }


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """`lambda-latency` with some arguments, by default with keys and a region that the stand-in knows."""

    def start(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        known = {"AWS_ACCESS_KEY_ID": KNOWN, "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
        command = [sys.executable, "-m", "lambda_latency", *arguments]
        env = {key: value for key, value in environment(tmp_path, **{**known, **variables}).items() if value}
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=120)

    return start


@pytest.fixture
def start() -> Iterator[Start]:
    """Makes stand-ins for X-Ray, and ends them."""
    made: list[XRay] = []

    def make(*arguments: Any, **settings: Any) -> XRay:
        made.append(XRay(*arguments, **settings))
        return made[-1]

    yield make
    for one in made:
        one.close()
