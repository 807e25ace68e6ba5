"""Cognito and JWT authorizers: 401 without a token, the claims of one in the event."""

import base64
import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lambda_latency.local.app.read.app import read_app
from lambda_latency.local.gateway.api_gateway import Gateway
from lambda_latency.local.gateway.tokens import TokenGuard, authorize
from lambda_latency.local.sandbox.function import Outcome
from lambda_latency.local.xray.segments import TracingHeader
from tests.local.calls import call

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
POOL, ISSUER = TokenGuard("Pool", "Authorization", is_http=False), TokenGuard("Issuer", "X-Token", is_http=True)
BOB = {"sub": "bob", "iss": "https://issuer.example", "aud": "me", "scope": "write"}
GUARDS = {"GET /orders/{id}": POOL, "PUT /http": ISSUER, "ANY /all": POOL, "ANY $default": POOL}
DEFAULT = {"GET /else": {"routeKey": "$default"}}
REFUSED = {
    "statusCode": 401,
    "headers": {"Content-Type": "application/json"},
    "body": '{"message":"Unauthorized"}',
}


def token(claims: Any) -> str:
    """Signed by nobody."""
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.x"


def test_the_routes_of_a_template_have_their_guards(tmp_path: Path) -> None:
    """By default or by their own choice; it is said that signatures are not checked."""
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE)
    app = read_app(path, {})
    ((_, api),) = app.apis
    assert {route: guard for route, guard in api.guards.items() if not route.startswith("OPTIONS")} == {
        "GET /orders/{id}": POOL,
        "PUT /http": replace(ISSUER, issuer="https://issuer.example", audience=("me",), scopes=("write",)),
    }
    assert [note for note in app.notes if "tokens" in note] == [
        "Issuer: tokens are read, their signatures are not verified",
        "Pool: tokens are read, their signatures are not verified",
    ]


def test_without_authorizers_no_route_has_a_guard(tmp_path: Path) -> None:
    """With the setting authorizers = "off"."""
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE)
    ((_, api),) = read_app(path, {}, authorizers=False).apis
    assert api.guards == {}


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer nothing"}, {"Authorization": "a.b.c"}, {"Authorization": token([])},
     {"Authorization": token({"sub": "ada", "exp": 1})}],
)  # fmt: skip
@pytest.mark.parametrize("route", ["GET /orders/{id}", "POST /all", "GET /else"])
def test_a_caller_without_a_token_is_refused(headers: dict[str, str], route: str) -> None:
    """As by API Gateway; a token of the past is none."""
    answer = authorize(GUARDS, {"headers": headers, "requestContext": {}, **DEFAULT.get(route, {})}, route)
    assert answer is not None
    assert json.loads(answer) == REFUSED


def test_a_rest_apis_event_has_the_claims() -> None:
    """As texts; those of several values with commas."""
    claims = {"sub": "ada", "cognito:groups": ["a", "b"], "email_verified": True, "iat": 7}
    event: dict[str, Any] = {"headers": {"authorization": token(claims)}, "requestContext": {"stage": "Prod"}}
    assert authorize(GUARDS, event, "GET /orders/{id}") is None
    written = {"sub": "ada", "cognito:groups": "a,b", "email_verified": "true", "iat": "7"}
    assert event["requestContext"] == {"stage": "Prod", "authorizer": {"claims": written}}


def test_an_http_apis_event_has_the_claims_and_the_scopes() -> None:
    """Out of the header that the authorizer names."""
    claims = {"sub": "ada", "groups": ["a", "b"], "scope": "read write"}
    event: dict[str, Any] = {"headers": {"x-token": f"Bearer {token(claims)}"}, "requestContext": {}}
    assert authorize(GUARDS, event, "PUT /http") is None
    written = {"sub": "ada", "groups": "[a b]", "scope": "read write"}
    assert event["requestContext"] == {"authorizer": {"jwt": {"claims": written, "scopes": ["read", "write"]}}}


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({}, 0),
        ({"iss": "https://elsewhere.example"}, 401),
        ({"aud": "other"}, 401),
        ({"aud": ["other", "me"]}, 0),
        ({"aud": None, "client_id": "me"}, 0),
        ({"scope": "read"}, 403),
        ({"scope": None}, 403),
        ({"scope": None, "scp": ["read", "write"]}, 0),
    ],
)
def test_a_token_is_for_an_audience_by_an_issuer_and_with_a_scope(changed: dict[str, Any], status: int) -> None:
    """A caller without a scope that the route wants is 403 for an HTTP API, and 401 for a REST API."""
    guard = TokenGuard("Issuer", "X-Token", True, "https://issuer.example", ("me",), ("write",))
    claims = {**BOB, **changed}
    assert guard.refuses(claims) == status
    assert replace(guard, is_http=False).refuses(claims) == min(status, 401)


def test_an_open_route_is_open() -> None:
    """Nothing is added."""
    event: dict[str, Any] = {"headers": {}, "requestContext": {}}
    assert (authorize(GUARDS, event, "GET /"), event) == (None, {"headers": {}, "requestContext": {}})


def test_who_is_refused_does_not_reach_the_function(tmp_path: Path) -> None:
    """Over HTTP, through the gateway; with a token the function gets the claims."""
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE)
    ((_, api),) = read_app(path, {}).apis
    events: list[Any] = []

    def invoke(_function: str, event: bytes, _header: TracingHeader, _route: str) -> Outcome:
        events.append(json.loads(event))
        return Outcome(b'{"statusCode": 200, "body": "{}"}')

    gateway = Gateway(
        api.template,
        invoke,
        lambda: True,
        record=lambda _: None,
        answered=lambda _: None,
        authorize=partial(authorize, api.guards),
    )
    port = int(gateway.url.rpartition(":")[2])
    replies = [
        call(port, "GET", "/orders/1"),
        call(port, "GET", "/orders/1", headers={"Authorization": token({"sub": "ada"})}),
        call(port, "PUT", "/http"),
        call(port, "PUT", "/http", headers={"X-Token": token(BOB)}),
        call(port, "PUT", "/http", headers={"X-Token": token({**BOB, "scope": "read"})}),
    ]
    gateway.close()
    assert [reply.status for reply in replies] == [401, 200, 401, 200, 403]
    assert replies[0].json == {"message": "Unauthorized"}
    assert [event["requestContext"]["authorizer"] for event in events] == [
        {"claims": {"sub": "ada"}},
        {"jwt": {"claims": BOB, "scopes": ["write"]}},
    ]
