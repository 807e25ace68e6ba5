"""`adopt --packages bundled`: OpenTelemetry's packages are in the kit's own layer."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lab.apps import VERSION, packages
from lab.bridge.comparison import tree
from lab.bridge.sides import observe
from lambda_latency.adopt import bundle
from tests.adopt.apps import TEMPLATE, adopt, files, make_app
from tests.bridge.test_uses import child

CODE = """\
import sqlite3

from aws_xray_sdk.core import xray_recorder


def handler(event, context):
    with xray_recorder.in_subsegment("block") as subsegment:
        subsegment.put_annotation("key", 1)
    import opentelemetry.sdk
    return opentelemetry.sdk.__path__[0]
"""


def test_a_function_is_traced_without_adots_layer(tmp_path: Path) -> None:
    """On a Python that has Lambda's own packages alone; undone, nothing is left."""
    template = make_app(tmp_path / "app", app_py=CODE)
    before = files(tmp_path / "app")
    assert adopt(template, "--write", "--packages", "bundled")[0] == 0
    text = template.read_text()
    assert ("AWSOpenTelemetryDistroPython" in text, "LambdaLatencyAdot" in text) == (False, False)
    layer = tmp_path / "app" / "lambda-latency-layer"
    assert 2e6 < sum(file.stat().st_size for file in (layer / "python").rglob("*.py")) < 6e6
    assert list(layer.rglob("*.so")) == []  # either processor, every Python
    python, task = packages().runtime(VERSION), tmp_path / "app" / "src"
    chosen = {"LAMBDA_LATENCY_XRAY_SDK": "bridge"}
    seen = observe(python, "app", ["once"], layer=layer, variables=chosen, task=task)["once"]
    assert (seen.answer, tree(seen.documents)) == (
        str(layer / "python" / "opentelemetry" / "sdk"),
        [child("block", annotations={"key": 1})],
    )
    assert adopt(template, "--check")[0] == 0  # which reads from the layer that they are bundled
    assert adopt(template, "--write")[1].startswith("\nfunction")  # no diff
    assert adopt(template, "--undo")[0] == 0
    assert files(tmp_path / "app") == before


def test_a_fourth_layer_of_the_functions_own_has_room(tmp_path: Path) -> None:
    """A function has at most five: without ADOT's there is one more."""
    arns = "".join(f"        - arn:aws:lambda:us-east-1:123456789012:layer:l{n}:1\n" for n in range(3))
    template = make_app(tmp_path, TEMPLATE + "      Layers:\n" + arns)
    assert [adopt(template, *more)[0] for more in ((), ("--packages", "bundled"))] == [4, 0]


def test_packages_that_cannot_be_installed_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pip's own words are said."""

    def fails(*_: Any, **__: Any) -> Any:
        return subprocess.CompletedProcess([], 1, "", "ERROR: no network\n")

    template = make_app(tmp_path)
    before = files(tmp_path)
    monkeypatch.setattr(bundle, "subprocess", SimpleNamespace(run=fails, TimeoutExpired=subprocess.TimeoutExpired))
    status, _, err = adopt(template, "--write", "--force", "--packages", "bundled")
    assert (status, err.splitlines()) == (1, [
        "lambda-latency: pip cannot install OpenTelemetry's packages: ERROR: no network",
        "  or leave out --packages bundled",
    ])  # fmt: skip
    assert files(tmp_path) == before
