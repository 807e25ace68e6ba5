"""Path parameters that are no identifiers: the function gets them by their own names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lambda_latency.local.app.read.app import read_app
from lambda_latency.local.gateway.api_gateway import Gateway
from lambda_latency.local.sandbox.function import Outcome
from lambda_latency.local.xray.segments import TraceHeader
from tests.local.calls import call

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Globals: { Function: { Runtime: python3.12, Handler: index.handler } }
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: "def handler(event, context): ..."
      Events:
        Get: { Type: KIND, Properties: { Path: "/jobs/{job-id}/{part}/{rest-of-it+}", Method: get } }
"""
ROUTE = "/jobs/{job-id}/{part}/{rest-of-it+}"


@pytest.mark.parametrize(
    ("kind", "named"),
    [("Api", {"resource": ROUTE, "resourcePath": ROUTE}), ("HttpApi", {"routeKey": f"GET {ROUTE}"})],
)
def test_a_path_parameter_may_have_a_hyphen(tmp_path: Path, kind: str, named: dict[str, str]) -> None:
    """Of a REST API and of an HTTP API; the other parameters stay as they are."""
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE.replace("KIND", kind))
    ((_, api),) = read_app(path, {}).apis
    events: list[Any] = []

    def invoke(_function: str, event: bytes, _header: TraceHeader, _route: str) -> Outcome:
        events.append(json.loads(event))
        return Outcome(b'{"statusCode": 200, "body": "{}"}')

    gateway = Gateway(api.template, invoke, lambda: True, record=lambda _: None, answered=lambda _: None)
    reply = call(int(gateway.url.rpartition(":")[2]), "GET", "/jobs/7/two/a/b")
    gateway.close()
    (event,) = events
    assert (reply.status, event["pathParameters"]) == (200, {"job-id": "7", "part": "two", "rest-of-it": "a/b"})
    context = event["requestContext"]
    assert {name: event.get(name, context.get(name)) for name in named} == named
