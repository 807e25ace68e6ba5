"""The commands that `serve` prints: each can be pasted as it is."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lambda_latency.local.app.read.app import LocalApp, read_app
from lambda_latency.local.app.read.declared import Refused
from lambda_latency.local.app.triggers.calls import instance
from lambda_latency.local.app.triggers.commands import commands, matching_entry, resource_commands

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Globals: { Function: { Runtime: python3.12, Handler: index.handler } }
Resources:
  Rest:
    Type: AWS::Serverless::Api
    Properties:
      StageName: Prod
      Auth: { DefaultAuthorizer: Pool, Authorizers: { Pool: { UserPoolArn: !GetAtt Users.Arn } } }
  Http:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth:
        Authorizers:
          Issuer:
            IdentitySource: $request.header.X-Token
            JwtConfiguration: { issuer: "https://issuer.example", audience: [me] }
  Users: { Type: AWS::Cognito::UserPool }
  Function:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: "def handler(event, context): ..."
      Events:
        Get: { Type: Api, Properties: { RestApiId: !Ref Rest, Path: "/orders/{id}", Method: get } }
        Open: { Type: Api, Properties: { RestApiId: !Ref Rest, Path: /, Method: get, Auth: { Authorizer: NONE } } }
        Put:
          Type: HttpApi
          Properties:
            ApiId: !Ref Http
            Path: /http
            Method: put
            Auth: { Authorizer: Issuer, AuthorizationScopes: [write] }
        Any: { Type: HttpApi, Properties: { ApiId: !Ref Http, Path: /open, Method: ANY } }
"""
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


def printed(
    path: Path,
    resources: dict[str, tuple[str, str]] | None = None,
    refused: dict[str, Refused] | None = None,
    rules: dict[str, tuple[str, dict[str, Any]]] | None = None,
    readers: Mapping[str, set[str]] | None = None,
    out: str = "out",
) -> list[str]:
    """What is printed for an app whose APIs are at http://api; physical ids and types of resources, and the
    functions that get their events; the folder of the traces.
    """
    app: LocalApp = read_app(path, {})
    system: Any = SimpleNamespace(
        app=app,
        urls={api.key: "http://api" for api in app.apis},
        api_key=lambda _: "KEY",
        token=lambda *_: "TOKEN",
        aws_url="http://aws",
        stack=SimpleNamespace(resources=resources or {}, rules=rules or {}, readers=readers or {}),
        store=SimpleNamespace(path=Path(out, "served.jsonl")),
        refused=refused or {},
    )
    return list(commands(system))


def test_a_command_has_a_body_and_a_token_where_its_route_wants_one(tmp_path: Path) -> None:
    """And none for what browsers ask before a request."""
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE.replace("Globals: { ", CORS))
    assert printed(path) == [
        "curl -s http://api/",
        "curl -s -H 'Authorization: TOKEN' http://api/orders/1",
        "curl -s -X PUT -d '{}' -H 'Content-Type: application/json' -H 'X-Token: TOKEN' http://api/http",
        "curl -s http://api/open",
        "lambda-latency invoke Function",
    ]


def test_a_route_is_called_as_its_example_or_its_definition_says(tmp_path: Path) -> None:
    """An example event of the route first; then examples of the definition; else a path parameter is 1."""
    definition = {
        "openapi": "3.0.1",
        "paths": {
            "/users/{id}": {
                "parameters": [{"name": "id", "in": "path", "schema": {"type": "string", "example": "a b"}}],
                "get": _integrated(),
                "put": _integrated(
                    requestBody={"content": {"application/json": {"examples": {"one": {"value": {"name": "it's"}}}}}}
                ),
            },
            "/users/{id}/posts/{post}": {
                "get": _integrated(parameters=[{"name": "post", "in": "path", "schema": {"enum": ["first", "last"]}}])
            },
            "/events/{name+}": {"x-amazon-apigateway-any-method": _integrated()},
            "/events/all": {"get": _integrated()},
            "/long": {"post": _integrated()},
        },
    }
    event = {"httpMethod": "POST", "path": "/events/a/b", "body": "eyJhIjoxfQ==", "isBase64Encoded": True}
    (tmp_path / "events").mkdir()
    for name, example in {
        "any": event,
        "all": {"httpMethod": "GET", "path": "/events/all", "queryStringParameters": {"q": "1"}, "body": "{}"},
        "long": {"httpMethod": "POST", "path": "/long", "body": "x" * 501},
    }.items():
        (tmp_path / "events" / f"{name}.json").write_text(json.dumps(example))
    path = tmp_path / "template.yaml"
    api = {"Type": "AWS::Serverless::Api", "Properties": {"StageName": "dev", "DefinitionBody": definition}}
    work = {
        "Type": "AWS::Serverless::Function",
        "Properties": {"Runtime": "python3.12", "Handler": "index.a", "InlineCode": "def a(b, c): ..."},
    }
    path.write_text(json.dumps({"Transform": "AWS::Serverless-2016-10-31", "Resources": {"Rest": api, "Work": work}}))
    json_ = "-H 'Content-Type: application/json'"
    assert [line for line in printed(path) if line.startswith("curl")] == [
        "curl -s 'http://api/events/all?q=1'",
        "curl -s -X POST -d '{\"a\":1}' http://api/events/a/b",
        "curl -s -X POST -d '{}' http://api/long",
        "curl -s http://api/users/a%20b",
        f'curl -s -X PUT -d \'{{"name": "it\'"\'"\'s"}}\' {json_} http://api/users/a%20b',
        "curl -s http://api/users/1/posts/first",
    ]


def test_a_command_is_right_for_any_path_of_an_event_and_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The path of an event is not encoded; an example event is found from the folder in which the command is typed."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "my app" / "template.yaml"
    (path.parent / "events").mkdir(parents=True)
    path.write_text(
        """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Work:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: index.a
      InlineCode: "def a(b, c): ..."
      Events: { Get: { Type: Api, Properties: { Path: "/activities/{id}", Method: get } } }
"""
    )
    event = {"httpMethod": "GET", "path": "/activities/#1%202 é?", "queryStringParameters": {"q": "a b"}}
    (path.parent / "events" / "get it.json").write_text(json.dumps(event))
    assert printed(path, out="my out") == [
        "curl -s 'http://api/activities/%231%202%20%C3%A9%3F?q=a+b'",
        "lambda-latency invoke Work 'my app/events/get it.json' --out 'my out'",
    ]


def _integrated(**operation: Any) -> dict[str, Any]:
    """An operation that calls the function `Work`."""
    uri = "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Work.Arn}/invocations"
    integration = {"type": "aws_proxy", "httpMethod": "POST", "uri": {"Fn::Sub": uri}}
    return {**operation, "x-amazon-apigateway-integration": integration}


@pytest.mark.parametrize(
    ("kind", "auth", "headers"),
    [
        (
            "HttpApi",
            {"AuthorizerPayloadFormatVersion": "2.0", "Identity": {"Headers": ["X-Key", "X-Two"]}},
            "X-Key X-Two",
        ),
        ("HttpApi", {"AuthorizerPayloadFormatVersion": "2.0"}, ""),
        ("Api", {"Identity": {"Header": "X-Token"}}, "X-Token"),
        ("Api", {"FunctionPayloadType": "REQUEST", "Identity": {"Headers": ["X-A"], "QueryStrings": ["q"]}}, "X-A"),
    ],
    ids=["http", "without", "token", "request"],
)
def test_a_lambda_authorizer_gets_the_headers_that_it_is_called_for(
    tmp_path: Path, kind: str, auth: dict[str, Any], headers: str
) -> None:
    """Without them API Gateway answers 401 and does not call it."""
    work = {
        "Type": "AWS::Serverless::Function",
        "Properties": {
            "Runtime": "python3.12",
            "Handler": "index.a",
            "InlineCode": "def a(b, c): ...",
            "Events": {
                "Get": {
                    "Type": kind,
                    "Properties": {
                        "Path": "/get",
                        "Method": "get",
                        ("ApiId" if kind == "HttpApi" else "RestApiId"): {"Ref": "Api"},
                    },
                }
            },
        },
    }
    authorizers = {
        "Auth": {"DefaultAuthorizer": "Mine", "Authorizers": {"Mine": {**auth, "FunctionArn": "arn:aws:lambda:::f"}}}
    }
    api = {"Type": f"AWS::Serverless::{kind}", "Properties": {"StageName": "dev", **authorizers}}
    path = tmp_path / "template.yaml"
    path.write_text(json.dumps({"Transform": "AWS::Serverless-2016-10-31", "Resources": {"Api": api, "Work": work}}))
    options = "".join(f"-H '{name}: token' " for name in headers.split())
    assert printed(path)[0] == f"curl -s {options}http://api/get"


def test_a_route_of_a_refused_function_is_not_called(tmp_path: Path) -> None:
    """It would answer 502."""
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE)
    refused = {"Function": Refused("Function", "Function", "why")}
    assert printed(path, refused=refused) == []


def test_a_route_without_a_function_gets_json(tmp_path: Path) -> None:
    """A mapping template is chosen by the type of the body; a queue that keeps the order wants a group."""
    path = tmp_path / "template.yaml"
    path.write_text(RAW)
    resources = {"Queue": ("http://aws/1/q.fifo", "AWS::SQS::Queue"), "Topic": ("arn:t", "AWS::SNS::Topic")}
    aws = "aws --endpoint-url http://aws --region us-east-1"
    send = f"{aws} sqs send-message --queue-url http://aws/1/q.fifo --message-body '{{}}'"
    assert printed(path, resources, readers={"sqs:q.fifo": {"F"}, "sns:t": {"F"}}) == [
        "curl -s -X POST -d '{}' -H 'Content-Type: application/json' http://api/",
        f"{send} --message-group-id 1 --message-deduplication-id $(date +%s)",
        f"{aws} sns publish --topic-arn arn:t --message '{{}}'",
    ]


def test_an_item_for_a_table_with_a_stream_has_its_keys(tmp_path: Path) -> None:
    """Of their types; a table without a stream calls no function, and one whose types are not known has no command."""
    path = tmp_path / "template.yaml"
    path.write_text(
        """\
Resources:
  Streamed: &table
    Type: AWS::DynamoDB::Table
    Properties: &properties
      StreamSpecification: { StreamViewType: NEW_IMAGE }
      AttributeDefinitions: [{ AttributeName: day, AttributeType: N }, { AttributeName: id, AttributeType: S }]
      KeySchema: [{ AttributeName: id, KeyType: HASH }, { AttributeName: day, KeyType: RANGE }]
  Plain: { <<: *table, Properties: { <<: *properties, StreamSpecification: !Ref AWS::NoValue } }
  Unknown: { <<: *table, Properties: { <<: *properties, AttributeDefinitions: !Ref Somewhere } }
Parameters: { Somewhere: { Type: String, Default: x } }
""".replace("!Ref AWS::NoValue", "{}")
    )
    resources = {name: (name.lower(), "AWS::DynamoDB::Table") for name in ("Streamed", "Plain", "Unknown")}
    item = json.dumps({"id": {"S": "1"}, "day": {"N": "1"}})
    put = f"dynamodb put-item --table-name streamed --item '{item}'"
    readers = {"dynamodb:streamed": {"F"}, "dynamodb:unknown": {"F"}}
    assert printed(path, resources, readers=readers) == [f"aws --endpoint-url http://aws --region us-east-1 {put}"]
    assert printed(path, resources) == []


def test_a_resource_that_nobody_reads_has_no_command(tmp_path: Path) -> None:
    """Such as a dead letter queue, a topic without a subscription, or a stream whose function does not run here."""
    path = tmp_path / "template.yaml"
    path.write_text("Resources: { Topic: { Type: AWS::SNS::Topic } }")
    resources = {
        "Queue": ("http://aws/1/work", "AWS::SQS::Queue"),
        "Dead": ("http://aws/1/dead", "AWS::SQS::Queue"),
        "Topic": ("arn:aws:sns:us-east-1:1:news", "AWS::SNS::Topic"),
        "Stream": ("clicks", "AWS::Kinesis::Stream"),
    }
    aws = "aws --endpoint-url http://aws --region us-east-1"
    send = f"{aws} sqs send-message --queue-url http://aws/1/work --message-body '{{}}'"
    readers = {"sqs:work": {"F"}, "sqs:news": {"F"}, "kinesis:clicks": {"node"}}
    assert printed(path, resources, {"Node": Refused("Node", "node", "why")}, readers=readers) == [send]


def test_an_event_for_a_rule_is_one_that_it_matches(tmp_path: Path) -> None:
    """On the rule's own bus; a rule for events of AWS has no command, and a bus without a rule neither."""
    path = tmp_path / "template.yaml"
    path.write_text("Resources: { Topic: { Type: AWS::SNS::Topic } }")
    rules: dict[str, tuple[str, dict[str, Any]]] = {
        "mine": ("orders", {"source": ["shop"], "detail": {"state": ["paid"]}}),
        "default": ("default", {"source": ["shop"]}),
        "object": ("default", {"source": ["aws.s3"]}),
    }
    resources = {"Bus": ("orders", "AWS::Events::EventBus"), **{name: (name, "AWS::Events::Rule") for name in rules}}
    put = "aws --endpoint-url http://aws --region us-east-1 events put-events --entries"
    paid = json.dumps({"state": "paid"})
    mine = [{"Source": "shop", "DetailType": "test", "Detail": paid, "EventBusName": "orders"}]
    default = [{"Source": "shop", "DetailType": "test", "Detail": "{}"}]
    readers = {f"events:{name}": {"F"} for name in rules}
    assert printed(path, resources, rules=rules, readers=readers) == [
        f"{put} '{json.dumps(event)}'" for event in (mine, default)
    ]


def test_a_load_balancer_has_a_command(tmp_path: Path) -> None:
    """Of its address alone: its rules may lead to several functions."""
    path = tmp_path / "template.yaml"
    path.write_text("Resources: { Web: { Type: AWS::ElasticLoadBalancingV2::LoadBalancer } }")
    assert printed(path) == ["curl -s http://api/"]


def test_a_function_gets_the_example_whose_name_is_like_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one where none is; those of folders, too."""
    monkeypatch.chdir(tmp_path)
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


def test_a_function_gets_the_example_of_its_kind_of_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many apps name examples after services."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "template.yaml"
    path.write_text(
        """\
Transform: AWS::Serverless-2016-10-31
Globals: { Function: { Runtime: python3.12, Handler: index.a } }
Resources:
  Stream: { Type: AWS::Kinesis::Stream, Properties: { ShardCount: 1 } }
  Work:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: "def a(b, c): ..."
      Events: { A: { Type: Kinesis, Properties: { Stream: !GetAtt Stream.Arn, StartingPosition: LATEST } } }
  Daily:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: "def a(b, c): ..."
      Events: { A: { Type: Schedule, Properties: { Schedule: rate(1 day) } } }
"""
    )
    (tmp_path / "events").mkdir()
    for name in ("apigateway", "kinesis_event", "schedule"):
        (tmp_path / "events" / f"{name}.json").write_text("{}")
    assert printed(path) == [
        "lambda-latency invoke Work events/kinesis_event.json",
        "lambda-latency invoke Daily events/schedule.json",
    ]


@pytest.mark.parametrize(
    ("rules", "key"),
    [
        ([{"Name": "suffix", "Value": ".pdf"}], "FILE.pdf"),
        ([{"Name": "Prefix", "Value": "in/"}, {"Name": "Suffix", "Value": ".png"}], "in/FILE.png"),
        ([{"Name": "prefix", "Value": {"Ref": "Folder"}}], "in/FILE"),
        ([{"Name": "prefix", "Value": {"Fn::GetAtt": ["Bucket", "Arn"]}}], ""),
        ({"Fn::If": ["Is", [], []]}, ""),
        ([], ""),
    ],
)
def test_an_object_has_a_key_that_its_notification_accepts(tmp_path: Path, rules: Any, key: str) -> None:
    """No function would be called for another one."""
    conf = {"Event": "s3:ObjectCreated:*", "Function": "arn", "Filter": {"S3Key": {"Rules": rules}}}
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"NotificationConfiguration": {"LambdaConfigurations": [conf]}}}
    folder = {"Type": "String", "Default": "in/"}
    path = tmp_path / "template.yaml"
    conditions = {"Is": {"Fn::Equals": ["a", "b"]}}
    text = {"Parameters": {"Folder": folder}, "Conditions": conditions, "Resources": {"Bucket": bucket}}
    path.write_text(json.dumps(text))
    aws = "aws --endpoint-url http://aws --region us-east-1"
    assert printed(path, {"Bucket": ("b", "AWS::S3::Bucket")}) == [f"{aws} s3 cp FILE s3://b/{key}"]
    bucket["Properties"] = {}
    path.write_text(json.dumps(text))
    assert printed(path, {"Bucket": ("b", "AWS::S3::Bucket")}) == []  # an object would call no function


def test_a_printed_command_is_one_for_a_shell(tmp_path: Path) -> None:
    """Its words are those that curl gets."""
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE)
    line = next(line for line in printed(path) if "PUT" in line).replace("curl", "printf '%s\\n'", 1)
    words = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True).stdout.splitlines()
    assert (words[:5], words[-1]) == (["-s", "-X", "PUT", "-d", "{}"], "http://api/http")
    assert json.loads(words[4]) == {}


def test_resources_are_listed_and_filled(tmp_path: Path) -> None:
    """One command lists them all, one fills a table and one a bucket; an app without data has none."""
    path = tmp_path / "template.yaml"
    path.write_text(
        """\
Resources:
  Orders:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{ AttributeName: id, AttributeType: S }, { AttributeName: at, AttributeType: N }]
      KeySchema: [{ AttributeName: id, KeyType: HASH }, { AttributeName: at, KeyType: RANGE }]
  Files: { Type: AWS::S3::Bucket }
"""
    )
    system: Any = SimpleNamespace(
        app=read_app(path, {}),
        aws_url="http://aws",
        stack=SimpleNamespace(
            resources={"Orders": ("orders-1", "AWS::DynamoDB::Table"), "Files": ("files-1", "AWS::S3::Bucket")}
        ),
    )
    aws = "aws --endpoint-url http://aws --region us-east-1"
    query = "--query 'StackResources[].[LogicalResourceId,PhysicalResourceId]' --output text"
    assert list(resource_commands(system)) == [
        f"{aws} cloudformation describe-stack-resources --stack-name {system.app.name} {query}",
        f"""{aws} dynamodb put-item --table-name orders-1 --item '{{"id": {{"S": "1"}}, "at": {{"N": "1"}}}}'""",
        f"{aws} s3 cp FILE s3://files-1/",
    ]
    system.stack.resources = {"F": ("f", "AWS::Lambda::Function")}
    assert list(resource_commands(system)) == []


@pytest.mark.parametrize(
    ("pattern", "entry"),
    [
        ({}, ("my.app", "test", {})),
        ({"source": ["shop", "other"]}, ("shop", "test", {})),
        (
            {"source": [{"prefix": "com.shop"}], "detail-type": ["Order Created"], "detail": {"state": ["paid"]}},
            ("com.shop", "Order Created", {"state": "paid"}),
        ),
        ({"detail": {"order": {"total": [{"numeric": [">", 10]}]}}}, ("my.app", "test", {"order": {"total": 11}})),
        ({"detail": {"n": [{"numeric": ["<", 10, ">=", 5]}]}}, ("my.app", "test", {"n": 9})),
        ({"detail": {"name": [{"suffix": ".png"}, 1]}}, ("my.app", "test", {"name": ".png"})),
        ({"detail": {"name": [{"prefix": {"equals-ignore-case": "A"}}]}}, ("my.app", "test", {"name": "A"})),
        ({"detail": {"path": [{"wildcard": "a*/b"}]}}, ("my.app", "test", {"path": "a/b"})),
        (
            {"detail": {"a": [{"anything-but": ["x"]}], "b": [{"exists": True}], "c": [{"exists": False}]}},
            ("my.app", "test", {"a": "other", "b": "1"}),
        ),
        ({"detail": {"$or": [{"a": [1]}, {"b": [2]}], "c": [None]}}, ("my.app", "test", {"a": 1, "c": None})),
        ({"detail": {"a": []}, "source": [], "region": ["us-east-1"]}, ("my.app", "test", {"a": ""})),
    ],
)
def test_an_entry_matches_its_pattern(pattern: dict[str, Any], entry: tuple[str, str, Any]) -> None:
    """The first alternative of each field."""
    matching = matching_entry(pattern)
    assert matching is not None
    assert (matching["Source"], matching["DetailType"], json.loads(matching["Detail"])) == entry


def test_an_event_of_a_service_of_aws_cannot_be_sent() -> None:
    """PutEvents refuses such a source, on AWS and in the emulator."""
    assert matching_entry({"source": ["aws.s3"], "detail-type": ["Object Created"]}) is None


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "object", "required": ["a"], "properties": {"a": {"type": "integer", "minimum": 3}}}, {"a": 3}),
        ({"type": "array", "minItems": 1, "items": {"enum": ["x", "y"]}}, ["x"]),
        ({"$ref": "#/definitions/a", "definitions": {"a": {"type": "string", "minLength": 6}}}, "textxx"),
        ({"allOf": [{"required": ["b"], "properties": {"b": {"type": "boolean"}}}]}, {"b": True}),
        ({"oneOf": [{"type": "number", "minimum": 1, "exclusiveMinimum": True}]}, 2),
        ({"type": ["string", "null"], "format": "date"}, "2026-01-01"),
        ({"required": ["c"], "properties": {"c": {"example": 7}}}, {"c": 7}),
        ({"$ref": "#/nowhere"}, {}),
    ],
)
def test_a_value_that_a_model_accepts(schema: dict[str, Any], expected: Any) -> None:
    """With what is required and no more."""
    assert instance(schema) == expected
