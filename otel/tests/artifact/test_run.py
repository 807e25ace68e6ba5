"""The artifacts on the laptop, from folders that nobody can write to: `lambda-latency serve --built`."""

from __future__ import annotations

import http.client
import json
import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from lambda_latency.local.app.read.app import read_app
from lambda_latency.local.app.serve.system import Options, System
from lambda_latency.local.errors import UsageError
from lambda_latency.trace import read_traces
from tests.system.conftest import tree


def ask(root: Path, out: Path) -> tuple[int, object]:
    """Ask a system of the built functions for an order that is not there; the answer, and the traces as trees."""
    printed: list[str] = []
    app = read_app(root / "template.yaml", {}, built=True)
    options = Options(out, sampler=lambda: True)
    system = System(app, options, log=lambda name, line: printed.append(f"{name}: {line}"))
    try:
        connection = http.client.HTTPConnection(urlsplit(system.url).netloc, timeout=60)
        connection.request("GET", "/orders/none")
        response = connection.getresponse()
        answer = response.status, json.loads(response.read())
        connection.close()
        assert system.finish(30)
    finally:
        system.close()
    assert printed == []
    [trace] = read_traces(out / "traces.jsonl").traces
    assert answer == (404, {"error": "not_found", "message": "there is no order 'none'"})
    return answer[0], tree(trace)


TREE = (
    "orders/dev SERVER",
    (
        "GetOrder SERVER",
        (
            "GetOrder SERVER",
            "Initialization INTERNAL",
            "Invocation INTERNAL",
            ("GET /orders/{id} SERVER", "DynamoDB.GetItem CLIENT"),
            "Overhead INTERNAL",
        ),
    ),
)


def test_the_artifact_answers_and_is_traced(built: Path, tmp_path: Path) -> None:
    """On whatever Python runs this."""
    assert ask(built, tmp_path) == (404, TREE)


@pytest.mark.skipif(sys.version_info[:2] != (3, 13), reason="the bytecode in an artifact is of Python 3.13")
def test_the_bytecode_is_what_runs(built: Path, tmp_path: Path) -> None:
    """It is used without a look at the sources, so that a checkout's times or an archive's do not matter."""
    root = tmp_path / "project"
    shutil.copytree(built, root, symlinks=True)
    for artifact in (root / ".aws-sam" / "build").iterdir():
        for module in (*artifact.glob("functions/*.py"), *artifact.glob("python/lambda_latency/runtime/*.py")):
            module.write_text("raise ImportError('compiled again')\n")
    assert ask(root, tmp_path) == (404, TREE)


def test_what_was_not_built_is_said(built: Path, tmp_path: Path) -> None:
    """With what to do."""
    root = tmp_path / "project"
    shutil.copytree(built, root, symlinks=True, ignore=shutil.ignore_patterns(".aws-sam"))
    with pytest.raises(UsageError, match=r"\.aws-sam/build/template\.yaml is not there"):
        read_app(root / "template.yaml", {}, built=True)
