"""A small project that installs the kit and writes three tests, as a stranger does."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.testing.project import HERE, run

ROOT = HERE.parents[2]
UV = Path(sys.executable).with_name("uv")

TREE = """\
the trace is not the one expected   (- missing   + unexpected   ~ different)
    POST /orders  SERVER
  + ├─ price
    └─ store
the trace as an expectation, to paste:
span('POST /orders', SERVER)[
    span('price'),
    span('store'),
]"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with nothing in it but the kit, its extra for tests and what they need."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    found = folder / "bin" / "python"
    command = [str(UV), "pip", "install", "--quiet", "--python", str(found), f"{ROOT}[testing]"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        if os.environ.get("CI"):
            pytest.fail(done.stderr)
        pytest.skip(f"the package index does not answer: {done.stderr.strip()[-200:]}")
    return found


def test_three_tests_in_under_30_lines_and_one_fails_with_the_diff(python: Path, tmp_path: Path) -> None:
    """No conftest, no line of configuration: the fixtures are there since the kit is installed."""
    assert len((HERE / "shop" / "test_shop.py").read_text().splitlines()) < 30
    outcome = run(tmp_path, project="shop", plugins=(), python=python)
    assert outcome.text.splitlines()[-1].strip("= ").startswith("1 failed, 2 passed")
    assert outcome.tree("test_an_order_is_stored_once") == TREE


USES_NOTHING = """\
import sys

KIT = ("trace", "runtime", "template", "testing.recording")
HEAVY = ("opentelemetry", "yaml", *(f"lambda_latency.{name}" for name in KIT))


def test_nothing():
    pass


def test_what_is_loaded(request):
    assert "lambda_latency.testing.plugin" in sys.modules
    assert [name for name in HEAVY if name in sys.modules] == []
    assert sorted(name for name in sys.modules if name.startswith("lambda_latency")) == [
        "lambda_latency", "lambda_latency.testing", "lambda_latency.testing.plugin"
    ]
"""


def test_a_project_that_uses_nothing_of_it_loads_nothing(python: Path, tmp_path: Path) -> None:
    """Neither OpenTelemetry nor anything of the kit but the plugin's own file."""
    (tmp_path / "test_it.py").write_text(USES_NOTHING)
    outcome = run(tmp_path, plugins=(), python=python)
    assert (outcome.status, outcome.text.splitlines()[-1].strip("= ").partition(" in ")[0]) == (0, "2 passed")
