"""What API Gateway checks before it calls a function: signatures, API keys, parameters and bodies."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lambda_latency.local.app.read.app import LocalApp, read_app
from lambda_latency.local.app.triggers.calls import instance, request_for
from lambda_latency.local.cloud.integrations import Forwarder
from lambda_latency.local.gateway.api_gateway import Gateway
from lambda_latency.local.gateway.contract import SIGNATURE
from lambda_latency.local.sandbox.function import Outcome
from lambda_latency.local.xray.segments import TracingHeader
from tests.local.calls import Reply, call

EVENTS = """\
Transform: AWS::Serverless-2016-10-31
Globals: { Function: { Runtime: python3.12, Handler: index.handler } }
Resources:
  Rest:
    Type: AWS::Serverless::Api
    Properties:
      StageName: Prod
      Models:
        Order:
          type: object
          required: [sku]
          properties: { sku: { type: string }, n: { type: integer, minimum: 1 } }
  Http: { Type: AWS::Serverless::HttpApi, Properties: { Auth: { EnableIamAuthorizer: true } } }
  Function:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: "def handler(event, context): ..."
      Events:
        Post:
          Type: Api
          Properties:
            RestApiId: !Ref Rest
            Path: /orders
            Method: post
            RequestModel: { Model: Order, Required: true, ValidateBody: true, ValidateParameters: true }
            RequestParameters:
              - method.request.querystring.shop: { Required: true }
              - method.request.header.X-Tenant: { Required: true }
        Key:
          Type: Api
          Properties: { RestApiId: !Ref Rest, Path: /key, Method: get, Auth: { ApiKeyRequired: true } }
        Iam:
          Type: Api
          Properties: { RestApiId: !Ref Rest, Path: /iam, Method: get, Auth: { Authorizer: AWS_IAM } }
        Signed:
          Type: HttpApi
          Properties: { ApiId: !Ref Http, Path: /signed, Method: get, Auth: { Authorizer: AWS_IAM } }
"""
DEFINITION = """\
Transform: AWS::Serverless-2016-10-31
Globals: { Function: { Runtime: python3.12, Handler: index.handler } }
Resources:
  Rest:
    Type: AWS::Serverless::Api
    Properties:
      StageName: Prod
      DefinitionBody:
        openapi: 3.0.1
        info: { title: orders, version: "1" }
        x-amazon-apigateway-request-validators:
          all: { validateRequestBody: true, validateRequestParameters: true }
        x-amazon-apigateway-request-validator: all
        components:
          schemas:
            Note: { type: string, nullable: true }
            Order: { type: object, required: [sku], properties: { note: { $ref: "#/components/schemas/Note" } } }
          securitySchemes:
            api_key: { type: apiKey, name: x-api-key, in: header }
            Guard:
              type: apiKey
              name: Authorization
              in: header
              x-amazon-apigateway-authorizer:
                type: token
                authorizerUri: !Sub
                  arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Guard.Arn}/invocations
        paths:
          /orders:
            parameters: [{ name: X-Tenant, in: header, required: true, schema: { type: string } }]
            post:
              security: [{ api_key: [], Guard: [] }]
              requestBody: { content: { application/json: { schema: { $ref: "#/components/schemas/Order" } } } }
              x-amazon-apigateway-integration:
                type: aws_proxy
                httpMethod: POST
                uri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function.Arn}/invocations
          /apart:
            get:
              security: [{ api_key: [] }, { Guard: [] }]
              x-amazon-apigateway-integration:
                type: aws_proxy
                httpMethod: POST
                uri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function.Arn}/invocations
          /broken:
            get:
              security: Guard
              x-amazon-apigateway-integration:
                type: aws_proxy
                httpMethod: POST
                uri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function.Arn}/invocations
  Function:
    Type: AWS::Serverless::Function
    Properties: { InlineCode: "def handler(event, context): ..." }
  Guard:
    Type: AWS::Serverless::Function
    Properties: { InlineCode: "def handler(event, context): ..." }
"""
STATEMENT = {"Effect": "Allow", "Action": ["execute-api:Invoke"], "Resource": ["*"]}
ALLOWED = {"principalId": "me", "policyDocument": {"Version": "2012-10-17", "Statement": [STATEMENT]}}
DENIED = {
    "principalId": "me",
    "policyDocument": {"Version": "2012-10-17", "Statement": [STATEMENT | {"Effect": "Deny"}]},
}
FORBIDDEN = (403, {"message": "Forbidden"})
Called = Callable[..., Reply]


@contextmanager
def served(text: str, folder: Path, authorizer: Outcome | None = None) -> Iterator[tuple[Called, list[Any], LocalApp]]:
    """A function that calls the app, and the events of its functions. `authorizer` is what those of others return."""
    path = folder / "template.yaml"
    path.write_text(text)
    app = read_app(path, {})
    ((_, api),) = app.apis
    events: list[Any] = []

    def invoke(function: str, event: bytes, _header: TracingHeader, _route: str) -> Outcome:
        events.append((function, json.loads(event)))
        if function == "Guard":
            return authorizer or Outcome(json.dumps(ALLOWED).encode())
        return Outcome(b'{"statusCode": 200, "body": "{}"}')

    gateway = Gateway(
        api.template,
        invoke,
        lambda: True,
        record=lambda _: None,
        answered=lambda _: None,
        is_http=api.is_http,
        fallback=_Nothing(),
        authorize=api.refusal,
    )
    port = int(gateway.url.rpartition(":")[2])
    try:
        yield lambda *args, **named: call(port, *args, **named), events, app
    finally:
        gateway.close()


class _Nothing(Forwarder):
    """What is behind an app without an API that has other integrations."""

    def __init__(self) -> None:
        self._routes, self._rest, self._stages = (), "", {}


def seen(reply: Reply) -> tuple[int, Any]:
    return reply.status, reply.json


ORDER = {"X-Tenant": "me", "Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("path", "headers", "body", "expected"),
    [
        ("/orders?shop=1", ORDER, b'{"sku": "tea", "n": 1}', (200, {})),
        ("/orders", {}, b'{"sku": "tea"}', (400, {"message": "Missing required request parameters: [shop, X-Tenant]"})),
        ("/orders?shop=1", ORDER, b'{"sku": 7}', (400, {"message": "Invalid request body"})),
        ("/orders?shop=1", ORDER, b'{"sku": "tea", "n": 0}', (400, {"message": "Invalid request body"})),
        ("/orders?shop=1", ORDER, b"garbage", (400, {"message": "Invalid request body"})),
        ("/orders?shop=1", ORDER, None, (400, {"message": "Invalid request body"})),
        ("/orders?shop=1", {**ORDER, "Content-Type": "text/plain"}, b"garbage", (200, {})),
    ],
)
def test_a_validator_refuses_requests(
    path: str, headers: dict[str, str], body: bytes | None, expected: tuple[int, Any], tmp_path: Path
) -> None:
    """Without a required parameter, or with a body that its model refuses; other content types have no model."""
    with served(EVENTS, tmp_path) as (ask, events, _):
        assert seen(ask("POST", path, body, headers=headers)) == expected
    assert len(events) == (expected[0] == 200)


def test_a_route_with_an_api_key_needs_one(tmp_path: Path) -> None:
    """Any key, because AWS makes their values; the event has it."""
    with served(EVENTS, tmp_path) as (ask, events, _):
        assert seen(ask("GET", "/key")) == FORBIDDEN
        assert seen(ask("GET", "/key", headers={"x-api-key": "mine"})) == (200, {})
    ((_, event),) = events
    assert event["requestContext"]["identity"]["apiKey"] == "mine"


def test_a_templates_own_value_of_a_key_is_the_only_one(tmp_path: Path) -> None:
    """As it is on AWS."""
    key = "  Key: { Type: AWS::ApiGateway::ApiKey, Properties: { Value: the-only-key-of-this-app } }\n"
    with served(EVENTS + key, tmp_path) as (ask, _, _):
        assert seen(ask("GET", "/key", headers={"x-api-key": "mine"})) == FORBIDDEN
        assert seen(ask("GET", "/key", headers={"x-api-key": "the-only-key-of-this-app"})) == (200, {})


def test_a_route_with_iam_needs_a_signature(tmp_path: Path) -> None:
    """Of which only the access key is read; both kinds of APIs tell the function who calls."""
    with served(EVENTS, tmp_path) as (ask, events, _):
        assert seen(ask("GET", "/iam")) == (403, {"message": "Missing Authentication Token"})
        assert seen(ask("GET", "/signed")) == FORBIDDEN
        assert seen(ask("GET", "/iam", headers={"Authorization": SIGNATURE})) == (200, {})
        assert seen(ask("GET", "/signed?X-Amz-Credential=AKIA%2F2026%2Fx")) == (200, {})
    (_, rest_event), (_, http_event) = events
    arn = "arn:aws:iam::123456789012:user/local"
    assert {key: rest_event["requestContext"]["identity"][key] for key in ("accessKey", "userArn", "user")} == {
        "accessKey": "local",
        "userArn": arn,
        "user": "local",
    }
    assert (http_event["requestContext"]["authorizer"]["iam"]["accessKey"], arn) == (
        "AKIA",
        http_event["requestContext"]["authorizer"]["iam"]["userArn"],
    )


def test_a_definition_with_a_key_and_an_authorizer_is_served(tmp_path: Path) -> None:
    """Both in one requirement or in two; the one operation that cannot be read is named, and the others are served."""
    headers = {"x-api-key": "k", "Authorization": "t", "X-Tenant": "me"}
    with served(DEFINITION, tmp_path) as (ask, events, app):
        statuses = [
            ask("POST", "/orders", b'{"sku": "tea", "note": null}', headers=headers).status,
            ask("POST", "/orders", b'{"sku": "tea"}', headers={"Authorization": "t", "X-Tenant": "me"}).status,
            ask("POST", "/orders", b'{"sku": "tea"}', headers={"x-api-key": "k", "X-Tenant": "me"}).status,
            ask("POST", "/orders", b"{}", headers=headers).status,
            ask("GET", "/apart", headers=headers).status,
        ]
    assert statuses == [200, 403, 401, 400, 200]
    assert [function for function, _ in events] == ["Guard", "Function", "Guard", "Guard", "Guard", "Function"]
    (note,) = [line for line in app.notes if "served here" in line]
    assert note.startswith("GET /broken is not served here: Invalid security definition found")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("Unauthorized", (401, {"message": "Unauthorized"})),
        ("no such table", (500, {"message": None})),
    ],
)
def test_an_authorizer_that_raises_is_answered_as_on_aws(error: str, expected: tuple[int, Any], tmp_path: Path) -> None:
    """Not by a failed function's 502; the message `Unauthorized` is how an authorizer refuses."""
    headers = {"x-api-key": "k", "Authorization": "t"}
    with served(DEFINITION, tmp_path, Outcome.failed("Exception", error)) as (ask, events, _):
        assert seen(ask("GET", "/apart", headers=headers)) == expected
    assert [function for function, _ in events] == ["Guard"]


def test_a_caller_whom_the_authorizer_denies_is_not_an_unknown_route(tmp_path: Path) -> None:
    """403, without a call of the function."""
    headers = {"x-api-key": "k", "Authorization": "t"}
    with served(DEFINITION, tmp_path, Outcome(json.dumps(DENIED).encode())) as (ask, events, _):
        assert ask("GET", "/apart", headers=headers).status == 403
    assert [function for function, _ in events] == ["Guard"]


HTTP = """\
Transform: AWS::Serverless-2016-10-31
Globals: { Function: { Runtime: python3.12, Handler: index.handler } }
Resources:
  Http:
    Type: AWS::Serverless::HttpApi
    Properties: { CorsConfiguration: { AllowOrigins: ["*"], AllowMethods: [GET] } }
  Function:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: "def handler(event, context): ..."
      Events: { Get: { Type: HttpApi, Properties: { ApiId: !Ref Http, Path: /, Method: get } } }
"""


def test_an_http_api_answers_404_and_204(tmp_path: Path) -> None:
    """For an unknown route, and for a preflight request."""
    with served(HTTP, tmp_path) as (ask, events, _):
        assert seen(ask("GET", "/nothing")) == (404, {"message": "Not Found"})
        preflight = ask("OPTIONS", "/", headers={"Origin": "https://a.b", "Access-Control-Request-Method": "GET"})
        assert (preflight.status, preflight.body) == (204, b"")
        assert ask("GET", "/").status == 200
    assert len(events) == 1


OWN = """\
Transform: AWS::Serverless-2016-10-31
Globals: { Function: { Runtime: python3.12, Handler: index.handler } }
Resources:
  Rest: { Type: AWS::ApiGateway::RestApi, Properties: { Name: own } }
  Orders:
    Type: AWS::ApiGateway::Resource
    Properties: { RestApiId: !Ref Rest, ParentId: !GetAtt Rest.RootResourceId, PathPart: orders }
  Order:
    Type: AWS::ApiGateway::Model
    Properties: { RestApiId: !Ref Rest, ContentType: application/json, Schema: { type: object, required: [sku] } }
  Validator:
    Type: AWS::ApiGateway::RequestValidator
    Properties: { RestApiId: !Ref Rest, ValidateRequestBody: true, ValidateRequestParameters: true }
  Post:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Rest
      ResourceId: !Ref Orders
      HttpMethod: POST
      AuthorizationType: AWS_IAM
      ApiKeyRequired: true
      RequestValidatorId: !Ref Validator
      RequestModels: { application/json: !Ref Order }
      RequestParameters: { method.request.querystring.shop: true, method.request.querystring.page: false }
      Integration:
        Type: AWS_PROXY
        IntegrationHttpMethod: POST
        Uri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function.Arn}/invocations
  Function:
    Type: AWS::Serverless::Function
    Properties: { InlineCode: "def handler(event, context): ..." }
"""


def test_cloudformations_own_methods_are_checked(tmp_path: Path) -> None:
    """As those of a definition are; the printed request passes all checks."""
    with served(OWN, tmp_path) as (ask, events, app):
        ((_, api),) = app.apis
        request = request_for("POST /orders", 0, api)
        headers, body = dict(request.headers), (request.body or "").encode()
        statuses = [
            ask("POST", request.path, body, headers=headers).status,
            *(
                ask("POST", request.path, body, headers={**headers, name: ""}).status
                for name in ("Authorization", "x-api-key")
            ),
            ask("POST", "/orders", body, headers=headers).status,
            ask("POST", request.path, b"{}", headers=headers).status,
        ]
    assert statuses == [200, 403, 403, 400, 400]
    assert len(events) == 1


def test_without_authorizers_no_request_needs_a_signature(tmp_path: Path) -> None:
    """With the setting authorizers = "off"; validators still apply."""
    path = tmp_path / "template.yaml"
    path.write_text(OWN)
    ((_, api),) = read_app(path, {}, authorizers=False).apis
    contract = api.contract("POST /orders")
    assert (contract.signed, contract.keyed, contract.required) == (False, True, ("querystring.shop",))


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
