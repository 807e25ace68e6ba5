"""`lambda-latency demo` in the folder of an app: its example events and its routes that read."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lab.apps import VERSION
from lambda_latency.local.app.read.app import read_app
from lambda_latency.local.app.triggers.calls import FunctionCall, HttpCall, load_calls
from lambda_latency.trace import read_traces
from tests.local.app.conftest import needs_packages
from tests.local.app.test_serve import lambda_latency

TEMPLATE = f"""\
Transform: AWS::Serverless-2016-10-31
Globals: {{ Function: {{ Runtime: python{VERSION[0]}.{VERSION[1]}, Handler: index.handler, Timeout: 20 }} }}
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: |
        def handler(event, context):
            if event["httpMethod"] == "POST" and event["body"] != "[1]":
                raise ValueError("no")
            return {{"statusCode": 200, "body": "{{}}"}}
      Events:
        Get: {{ Type: Api, Properties: {{ Path: "/orders/{{id}}", Method: get }} }}
        List: {{ Type: Api, Properties: {{ Path: /orders, Method: get }} }}
        Post: {{ Type: Api, Properties: {{ Path: /orders, Method: post }} }}
  MakeThumbnail:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: "def handler(event, context): return event['name']"
"""
POST = {"httpMethod": "POST", "path": "/orders", "body": "[1]", "headers": {"content-type": "application/json"}}
QUERY = {"httpMethod": "GET", "path": "/orders", "queryStringParameters": {"limit": "a b"}}
EVENTS: dict[str, Any] = {
    "post-order": POST,
    "list-orders": QUERY,
    "elsewhere": {**POST, "path": "/elsewhere"},
    "thumbnail": {"name": "picture"},
    "unknown": {"name": "of nobody"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The app."""
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    (tmp_path / "events").mkdir()
    for name, event in EVENTS.items():
        (tmp_path / "events" / f"{name}.json").write_text(json.dumps(event))
    (tmp_path / "events" / "broken.json").write_text("{")
    return tmp_path


def test_a_load_is_of_examples_and_of_routes_that_read(folder: Path) -> None:
    """An example of a route stands for it; one that fits nothing is left out."""
    app = read_app(folder / "template.yaml", {})
    system: Any = SimpleNamespace(app=app, refused={}, urls={api.key: "http://api" for api in app.apis})
    kind = (("Content-Type", "application/json"),)
    assert load_calls(system) == [
        HttpCall("ServerlessRestApi", "GET", "/orders?limit=a+b"),
        HttpCall("ServerlessRestApi", "POST", "/orders", kind, "[1]"),
        FunctionCall("MakeThumbnail", b'{"name": "picture"}'),
        HttpCall("ServerlessRestApi", "GET", "/orders/1"),
    ]


@needs_packages
def test_an_app_is_called_and_reported_on(folder: Path) -> None:
    """Every call is traced but the first ones; the report says where the time goes."""
    status, printed, said = lambda_latency(folder, "demo", "--requests", "8")
    assert (status, [line for line in said if "Error" in line]) == (0, [])
    assert "8 calls of 4 kinds, 0 of them failed." in printed
    traces = read_traces(folder / "out" / "traces.jsonl").traces
    functions = sorted({span.name for trace in traces for span in trace.spans if span.origin == "AWS::Lambda"})
    assert (len(traces), functions) == (8, ["MakeThumbnail", "Orders"])
    assert (folder / "out" / "report.html").is_file()


@needs_packages
def test_an_app_without_anything_to_call_says_so(folder: Path) -> None:
    """Status 1, with what to do about it; nothing is left of the run."""
    for path in (folder / "events").iterdir():
        path.unlink()
    text = TEMPLATE[: TEMPLATE.index("  Orders:")] + TEMPLATE[TEMPLATE.index("  MakeThumbnail:") :]
    (folder / "template.yaml").write_text(text)
    assert lambda_latency(folder, "demo") == (
        1,
        "",
        [
            "lambda-latency: template.yaml has no GET route and no example event: there is nothing to call",
            "  put example events into events/, as for `sam local invoke`, each named after its function",
        ],
    )
    assert not list((folder / "out").glob("*traces*"))


def test_a_collector_is_for_functions_that_send_to_one(folder: Path) -> None:
    """Status 2."""
    status, _, said = lambda_latency(folder, "demo", "--collector", "none")
    assert (status, said[0]) == (2, "lambda-latency: --collector is for functions that send to a collector")
