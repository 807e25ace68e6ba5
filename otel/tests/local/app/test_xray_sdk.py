"""Functions with the X-Ray SDK or Powertools' Tracer: the kit's bridge records their subsegments."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab.apps import HOME, VERSION
from lambda_latency.local.app.prepare.xray_sdk import bridge_variables
from lambda_latency.trace import read_traces
from tests.local.app.conftest import needs_packages

BRIDGE = {"LAMBDA_LATENCY_XRAY_SDK": "bridge"}
HANDLER = """
from aws_xray_sdk.core import xray_recorder
def handler(event, context):
    with xray_recorder.in_subsegment("own part"):
        return 1
"""


@pytest.mark.parametrize(
    ("code", "is_bridged"),
    [
        ("from aws_xray_sdk.core import xray_recorder", True),
        ("import aws_xray_sdk.core.models", True),
        ("def handler():\n    from aws_lambda_powertools import Logger, Tracer", True),
        ("from aws_lambda_powertools.tracing import Tracer", True),
        ("from aws_lambda_powertools import Logger", False),
        ("import boto3  # no aws_xray_sdk", False),
        ("import aws_xray_sdk_of_mine", False),
        ("from aws_xray_sdk.core import (", False),
    ],
)
def test_a_function_with_the_sdk_gets_the_bridge(code: str, is_bridged: bool, tmp_path: Path) -> None:
    """By the imports of its files; its own choice stays."""
    (tmp_path / "app.py").write_text(code)
    assert bridge_variables({}, [tmp_path]) == (BRIDGE if is_bridged else {})
    assert bridge_variables({"LAMBDA_LATENCY_XRAY_SDK": "own"}, [tmp_path]) == {}


@needs_packages
def test_subsegments_of_the_sdk_are_recorded_and_it_is_told(tmp_path: Path) -> None:
    """By the command, without a change of the app."""
    (tmp_path / "app.py").write_text(HANDLER)
    (tmp_path / "template.yaml").write_text(
        f"""\
Transform: AWS::Serverless-2016-10-31
Resources:
  Traced:
    Type: AWS::Serverless::Function
    Properties: {{ Runtime: python{VERSION[0]}.{VERSION[1]}, Handler: app.handler, CodeUri: ., Timeout: 20 }}
"""
    )
    done = subprocess.run(
        [sys.executable, "-m", "lambda_latency", "invoke", "Traced"],
        cwd=tmp_path,
        env={**os.environ, "XDG_CACHE_HOME": str(HOME)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, json.loads(done.stdout)) == (0, 1)
    assert "Traced: the X-Ray SDK is the kit's bridge, which records its subsegments as spans" in done.stderr
    traces, _ = read_traces(tmp_path / "out" / "invoked.jsonl")
    assert "own part" in [span.name for trace in traces for span in trace.spans]
