"""The commands that `serve` prints: each can be pasted as it is."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lambda_latency.local.app.read import App, read_app
from lambda_latency.local.app.tokens import Guard, authorize, token
from lambda_latency.local.app.triggers import commands
from tests.local.app.test_tokens import TEMPLATE

SCOPED = Guard("Issuer", "X-Token", True, "https://issuer.example", ("me", "others"), ("read", "write"))
RAW = """\
Resources:
  Rest: { Type: AWS::ApiGateway::RestApi }
  Send:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Rest
      ResourceId: !GetAtt Rest.RootResourceId
      HttpMethod: POST
      Integration: { Type: AWS, Uri: !Sub "arn:aws:apigateway:${AWS::Region}:sns:action/Publish" }
"""
CORS = "Globals: { Api: { Cors: \"'*'\" }, "


def printed(path: Path, resources: dict[str, tuple[str, str]] | None = None) -> list[str]:
    """What is printed for an app whose gateways listen at http://api; physical ids and types of resources."""
    app: App = read_app(path, {})
    system: Any = SimpleNamespace(
        app=app,
        gateways=[SimpleNamespace(url="http://api")] * len(app.apis),
        urls={},
        aws_url="http://aws",
        stack=SimpleNamespace(resources=resources or {}),
        refused={},
    )
    return list(commands(system))


def test_a_command_has_a_body_and_a_token_where_its_route_wants_one(tmp_path: Path) -> None:
    """And none for what browsers ask before a request."""
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE.replace("Globals: { ", CORS))
    lines = [re.sub(r"e30\.[\w.-]+", "TOKEN", line) for line in printed(path)]
    assert lines == [
        "curl -s http://api/",
        "curl -s -X PUT -d '{}' -H 'X-Token: TOKEN' http://api/http",
        "curl -s http://api/open",
        "curl -s -H 'Authorization: TOKEN' 'http://api/orders/{id}'",
        "lambda-latency invoke Function",
    ]


def test_a_route_without_a_function_gets_json(tmp_path: Path) -> None:
    """A mapping template is chosen by the type of the body; a queue that keeps the order wants a group."""
    path = tmp_path / "template.yaml"
    path.write_text(RAW)
    resources = {"Queue": ("http://aws/1/q.fifo", "AWS::SQS::Queue"), "Topic": ("arn:t", "AWS::SNS::Topic")}
    aws = "aws --endpoint-url http://aws --region us-east-1"
    send = f"{aws} sqs send-message --queue-url http://aws/1/q.fifo --message-body '{{}}'"
    assert printed(path, resources) == [
        "curl -s -X POST -d '{}' -H 'Content-Type: application/json' http://api/",
        f"{send} --message-group-id 1 --message-deduplication-id $(date +%s)",
        f"{aws} sns publish --topic-arn arn:t --message '{{}}'",
    ]


def test_samcli_has_no_route_without_a_function(tmp_path: Path) -> None:
    """It would answer 502 before the emulator is asked; it takes such a method for one of a function."""
    path = tmp_path / "template.yaml"
    path.write_text(RAW)
    ((_, api),) = read_app(path, {}).apis
    assert (api.template.api.routes, dict(api.template.routes)) == ([], {})


def test_a_function_gets_the_example_whose_name_is_like_its_own(tmp_path: Path) -> None:
    """The first one where none is; those of folders, too."""
    path = tmp_path / "template.yaml"
    path.write_text(
        "Transform: AWS::Serverless-2016-10-31\nResources:\n"
        + "".join(
            f"  {name}:\n    Type: AWS::Serverless::Function\n"
            "    Properties: { Runtime: python3.12, Handler: index.a, InlineCode: 'def a(b, c): ...' }\n"
            for name in ("GetOrderFunction", "ThumbnailMaker", "Other")
        )
    )
    for name in ("create-order", "get-order", "files/thumbnail"):
        file = tmp_path / "events" / f"{name}.json"
        file.parent.mkdir(exist_ok=True, parents=True)
        file.write_text("{}")
    assert printed(path) == [
        "lambda-latency invoke GetOrderFunction events/get-order.json",
        "lambda-latency invoke ThumbnailMaker events/files/thumbnail.json",
        "lambda-latency invoke Other events/create-order.json",
    ]


@pytest.mark.parametrize("guard", [SCOPED, Guard("Pool", "Authorization", is_http=False)])
def test_a_token_that_is_printed_opens_its_route(guard: Guard) -> None:
    """With the issuer, the audience and the scopes that the route wants."""
    event: dict[str, Any] = {"headers": {guard.header: token(guard)}, "requestContext": {}}
    assert authorize({"GET /": guard}, event, "GET /") is None


def test_a_printed_command_is_one_for_a_shell(tmp_path: Path) -> None:
    """Its words are those that curl gets."""
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE)
    line = next(line for line in printed(path) if "PUT" in line).replace("curl", "printf '%s\\n'", 1)
    words = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True).stdout.splitlines()
    assert (words[:5], words[-1]) == (["-s", "-X", "PUT", "-d", "{}"], "http://api/http")
    assert json.loads(words[4]) == {}
