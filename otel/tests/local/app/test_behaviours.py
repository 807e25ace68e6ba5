"""What API Gateway, function URLs and load balancers do of their own accord: each row with the page that says so.

The app of `behaviours/` has a route for each. Nothing was deployed: a row is what the page says, not what was seen.
"""

import json
import shutil
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lab.apps import VERSION
from lambda_latency.local.app.read.app import read_app
from lambda_latency.local.app.triggers.calls import SIGNATURE
from tests.local.app.conftest import Shop, needs_packages, up
from tests.local.calls import Reply, call
from tests.sandbox.state import until

pytestmark = needs_packages
GATEWAY = "https://docs.aws.amazon.com/apigateway/latest/developerguide/"
LAMBDA = "https://docs.aws.amazon.com/lambda/latest/dg/"
PROXY = GATEWAY + "set-up-lambda-proxy-integrations.html"
HTTP = GATEWAY + "http-api-develop-integrations-lambda.html"
BINARY = GATEWAY + "lambda-proxy-binary-media.html"
AUTHORIZER = GATEWAY + "apigateway-use-lambda-authorizer.html"
HTTP_AUTHORIZER = GATEWAY + "http-api-lambda-authorizer.html"
RESPONSES = GATEWAY + "supported-gateway-responses.html"
ROUTES = GATEWAY + "http-api-develop-routes.html"
VALIDATION = GATEWAY + "api-gateway-method-request-validation.html"
COGNITO = GATEWAY + "apigateway-integrate-with-cognito.html"
JWT = GATEWAY + "http-api-jwt-authorizer.html"
CORS = GATEWAY + "http-api-cors.html"
KEYS = GATEWAY + "api-gateway-setup-api-key-with-console.html"
URLS = LAMBDA + "urls-invocation.html"
BALANCER = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html"
GATEWAY_STAGE = "AWS::ApiGateway::Stage"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
SIGNED = {"Authorization": SIGNATURE}
PICTURE = b"\x89PNG\x00\xff"
REFUSED = "User is not authorized to access this resource with an explicit deny in an identity-based policy"


@dataclass(frozen=True)
class Claim:
    """A request, and what the page says of its answer: the status, and parts of the JSON body by their paths, such as
    `requestContext.stage`; `text` is a whole body that is no JSON.
    """

    api: str
    request: str
    status: int
    source: str
    answer: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    text: bytes | None = None
    answered: Mapping[str, str] = field(default_factory=dict)  # headers of the answer

    def __str__(self) -> str:
        return f"{self.api} {self.request} {' '.join(self.headers.values())[:20]}"


ROWS = [
    # REST API: the event
    Claim("Rest", "GET /open?a=1&a=2", 200, PROXY, {"queryStringParameters": {"a": "2"}}),
    Claim("Rest", "GET /open?a=1&a=2", 200, PROXY, {"multiValueQueryStringParameters": {"a": ["1", "2"]}}),
    Claim("Rest", "GET /open?b=%20x", 200, PROXY, {"queryStringParameters.b": " x"}),
    Claim("Rest", "GET /open", 200, PROXY, {"queryStringParameters": None, "body": None, "pathParameters": None}),
    Claim("Rest", "GET /open", 200, PROXY, {"stageVariables": {"colour": "blue"}, "requestContext.stage": "dev"}),
    Claim("Rest", "GET /open", 200, PROXY, {"requestContext.path": "/dev/open", "path": "/open", "resource": "/open"}),
    Claim("Rest", "GET /open", 200, PROXY, {"headers.X-My-Header": "v"}, {"X-My-Header": "v"}),
    Claim("Rest", "GET /open", 200, PROXY, {"requestContext.identity.userAgent": "me"}, {"User-Agent": "me"}),
    Claim("Rest", "GET /open", 200, PROXY, {"requestContext.identity.sourceIp": "127.0.0.1"}),
    Claim("Rest", "GET /open", 200, PROXY, {"requestContext.identity.accessKey": None, "version": "absent"}),
    Claim("Rest", "PUT /open", 200, PROXY, {"httpMethod": "PUT"}),
    Claim("Rest", "POST /open", 200, PROXY, {"body": "x=1", "isBase64Encoded": False}, FORM, b"x=1"),
    Claim("Rest", "POST /open", 200, BINARY, {"isBase64Encoded": True, "body": "if8="}, {"Content-Type": "image/png"},
        b"\x89\xff"),
    Claim("Rest", "GET /ids/7", 200, PROXY, {"pathParameters": {"order-id": "7"}, "resource": "/ids/{order-id}"}),
    Claim("Rest", "GET /ids/x%20y", 200, PROXY, {"pathParameters.order-id": "x y"}),
    Claim("Rest", "GET /ids/x%2Fy", 200, PROXY, {"resource": "/ids/{order-id}", "pathParameters.order-id": "x/y"}),
    Claim("Rest", "GET /rest/a/b", 200, PROXY, {"pathParameters": {"path": "a/b"}, "resource": "/rest/{path+}"}),
    # REST API: the answer
    Claim("Rest", "GET /binary", 200, BINARY, text=PICTURE, headers={"Accept": "image/png"}),
    Claim("Rest", "GET /binary", 200, BINARY, text=b"iVBORwD/"),
    Claim("Rest", "GET /many", 201, PROXY, text=b"ok", answered={"Set-Cookie": "a=1, b=2"}),
    Claim("Rest", "GET /boom", 502, PROXY, {"message": "Internal server error"}),
    Claim("Rest", "GET /boom", 502, RESPONSES, answered={"X-Failed": "1"}),
    Claim("Rest", "GET /text", 502, PROXY, {"message": "Internal server error"}),
    Claim("Rest", "GET /fast", 200, PROXY, text=b"ok", headers={"Origin": "https://a"},
        answered={"Access-Control-Allow-Origin": "absent"}),
    Claim("Rest", "OPTIONS /fast", 200, GATEWAY + "how-to-cors.html", answered={
        "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "GET,POST",
        "Access-Control-Allow-Headers": "X"}),
    Claim("Rest", "GET /nothing", 403, RESPONSES, {"message": "Missing Authentication Token"}),
    Claim("Rest", "PATCH /fast", 403, RESPONSES, {"message": "Missing Authentication Token"}),
    Claim("Rest", "HEAD /fast", 403, RESPONSES),
    Claim("Rest", "GET //fast", 403, RESPONSES, {"message": "Missing Authentication Token"}),
    Claim("Rest", "GET /ids//7", 403, RESPONSES, {"message": "Missing Authentication Token"}),
    # REST API: who calls
    Claim("Rest", "GET /token", 418, RESPONSES, {"message": "Unauthorized"}, answered={"X-Own": "1"}),
    Claim("Rest", "GET /token", 403, AUTHORIZER, {"Message": REFUSED}, {"Authorization": "no"}),
    Claim("Rest", "GET /token", 200, AUTHORIZER, {
        "requestContext.authorizer": {"principalId": "me", "who": "me", "n": "3"}}, {"Authorization": "yes"}),
    Claim("Rest", "GET /token", 418, AUTHORIZER, {"message": "Unauthorized"}, {"Authorization": "unknown"}),
    Claim("Rest", "GET /token", 500, AUTHORIZER, {"message": None}, {"Authorization": "broken"}),
    Claim("Rest", "GET /who", 418, AUTHORIZER, {"message": "Unauthorized"}),
    Claim("Rest", "GET /who", 200, AUTHORIZER, {"requestContext.authorizer.who": "me"}, {"X-Who": "yes"}),
    Claim("Rest", "GET /pool", 418, COGNITO, {"message": "Unauthorized"}),
    Claim("Rest", "GET /pool", 418, COGNITO, {"message": "Unauthorized"}, {"Authorization": "a.b.c"}),
    Claim("Rest", "GET /pool", 200, COGNITO, {"requestContext.authorizer.claims.token_use": "id"},
        {"Authorization": "TOKEN"}),
    Claim("Rest", "GET /away", 418, AUTHORIZER, {"message": "Unauthorized"}),
    Claim("Rest", "GET /away", 200, AUTHORIZER, {"requestContext.authorizer.tenant": "1"}, {"Authorization": "any"}),
    Claim("Rest", "GET /away-pool", 418, COGNITO, {"message": "Unauthorized"}),
    Claim("Rest", "GET /away-pool", 200, COGNITO, {"requestContext.authorizer.claims.token_use": "id"},
        {"Authorization": "TOKEN"}),
    Claim("Rest", "GET /key", 403, KEYS, {"message": "Forbidden"}),
    Claim("Rest", "GET /key", 403, KEYS, {"message": "Forbidden"}, {"x-api-key": "another"}),
    Claim("Rest", "GET /key", 200, KEYS, {"requestContext.identity.apiKey": "KEY"}, {"x-api-key": "KEY"}),
    Claim("Rest", "GET /iam", 403, RESPONSES, {"message": "Missing Authentication Token"}),
    Claim("Rest", "GET /iam", 200, GATEWAY + "permissions.html", {
        "requestContext.identity.accountId": "123456789012"}, SIGNED),
    Claim("Rest", "POST /valid?q=1", 200, VALIDATION, {"resource": "/valid"}, JSON, b'{"name": "x"}'),
    Claim("Rest", "POST /valid", 400, VALIDATION, {"message": "Missing required request parameters: [q]"}, JSON,
        b'{"name": "x"}'),
    Claim("Rest", "POST /valid?q=1", 400, VALIDATION, {"message": "Invalid request body"}, JSON, b"{}"),
    Claim("Rest", "POST /valid?q=1", 400, VALIDATION, {"message": "Invalid request body"}, JSON, b"no"),
    # HTTP API: the event
    Claim("Http", "GET /open?a=1&a=2", 200, HTTP, {"queryStringParameters": {"a": "1,2"}}),
    Claim("Http", "GET /open?a=1&b=%20x", 200, HTTP, {"rawQueryString": "a=1&b=%20x", "rawPath": "/open"}),
    Claim("Http", "GET /open", 200, HTTP, {"cookies": ["a=b", "c=d"], "headers.cookie": "absent"},
        {"Cookie": "a=b; c=d"}),
    Claim("Http", "GET /open", 200, HTTP, {"cookies": "absent", "body": "absent", "pathParameters": "absent"}),
    Claim("Http", "GET /open", 200, HTTP, {"stageVariables": {"colour": "red"}, "version": "2.0"}),
    Claim("Http", "GET /open", 200, HTTP, {"headers.x-my-header": "v"}, {"X-My-Header": "v"}),
    Claim("Http", "GET /open", 200, HTTP, {"routeKey": "ANY /open", "requestContext.http.method": "GET"}),
    Claim("Http", "GET /open", 200, HTTP, {"requestContext.domainPrefix": "127", "requestContext.stage": "$default"}),
    Claim("Http", "POST /open", 200, HTTP, {"body": "eD0x", "isBase64Encoded": True}, FORM, b"x=1"),
    Claim("Http", "POST /open", 200, HTTP, {"body": '{"a":1}', "isBase64Encoded": False}, JSON, b'{"a":1}'),
    Claim("Http", "GET /ids/7", 200, HTTP, {"pathParameters": {"order-id": "7"}, "routeKey": "GET /ids/{order-id}"}),
    Claim("Http", "GET /ids/x%2Fy", 200, HTTP, {"pathParameters": {"order-id": "x/y"}}),
    Claim("Http", "GET /old?a=1&a=2", 200, HTTP, {"version": "1.0", "resource": "/old", "httpMethod": "GET"}),
    Claim("Http", "GET /old?a=1&a=2", 200, HTTP, {
        "queryStringParameters": {"a": "2"}, "multiValueQueryStringParameters": {"a": ["1", "2"]}}),
    Claim("Http", "GET /old", 200, HTTP, {"headers.cookie": "a=b", "stageVariables.colour": "red"}, {"Cookie": "a=b"}),
    # HTTP API: the answer
    Claim("Http", "GET /binary", 200, HTTP, text=PICTURE),
    Claim("Http", "GET /many", 201, HTTP, text=b"ok", answered={"Set-Cookie": "a=1, b=2"}),
    Claim("Http", "GET /old/many", 201, HTTP, text=b"ok", answered={"Set-Cookie": "a=1, b=2"}),
    Claim("Http", "GET /old/text", 500, HTTP, {"message": "Internal Server Error"}),
    Claim("Http", "GET /text", 200, HTTP, text=b"no object", answered={"Content-Type": "application/json"}),
    Claim("Http", "GET /boom", 500, HTTP, {"message": "Internal Server Error"}),
    Claim("Http", "GET /nothing", 404, ROUTES, {"message": "Not Found"}),
    Claim("Http", "HEAD /fast", 404, ROUTES),
    Claim("Http", "GET //fast", 404, ROUTES, {"message": "Not Found"}),
    Claim("Http", "OPTIONS /open", 204, CORS, text=b"", headers={"Origin": "https://a"}, answered={
        "Access-Control-Allow-Origin": "https://a", "Access-Control-Allow-Methods": "GET,POST",
        "Access-Control-Allow-Headers": "x"}),
    Claim("Http", "GET /fast", 200, CORS, text=b"ok", headers={"Origin": "https://a"},
        answered={"Access-Control-Allow-Origin": "https://a"}),
    Claim("Http", "GET /fast", 200, CORS, text=b"ok", headers={"Origin": "https://b"},
        answered={"Access-Control-Allow-Origin": "absent"}),
    # HTTP API: who calls
    Claim("Http", "GET /jwt", 401, JWT, {"message": "Unauthorized"}),
    Claim("Http", "GET /jwt", 401, JWT, {"message": "Unauthorized"}, {"Authorization": "Bearer a.b.c"}),
    Claim("Http", "GET /jwt", 200, JWT, {
        "requestContext.authorizer.jwt.claims.token_use": "id", "requestContext.authorizer.jwt.scopes": None},
        {"Authorization": "TOKEN"}),
    Claim("Http", "GET /lambda", 401, HTTP_AUTHORIZER, {"message": "Unauthorized"}),
    Claim("Http", "GET /lambda", 403, HTTP_AUTHORIZER, {"message": "Forbidden"}, {"Authorization": "no"}),
    Claim("Http", "GET /lambda", 200, HTTP_AUTHORIZER, {
        "requestContext.authorizer": {"lambda": {"who": "me", "n": 3}}}, {"Authorization": "yes"}),
    Claim("Http", "GET /iam", 403, GATEWAY + "http-api-access-control-iam.html", {"message": "Forbidden"}),
    Claim("Http", "GET /iam", 200, GATEWAY + "http-api-access-control-iam.html", {
        "requestContext.authorizer.iam.accountId": "123456789012"}, SIGNED),
    # function URLs
    Claim("Answer", "PUT /any/path?a=1", 200, URLS, {"rawPath": "/any/path", "requestContext.http.method": "PUT"}),
    Claim("Answer", "GET /", 200, URLS, {"routeKey": "$default", "pathParameters": "absent", "version": "2.0"}),
    Claim("Answer", "GET /boom", 502, URLS, {"message": "Internal Server Error"}),
    Claim("Answer", "GET /text", 200, URLS, text=b"no object"),
    Claim("Answer", "GET /binary", 200, URLS, text=PICTURE),
    Claim("Answer", "GET /many", 201, URLS, text=b"ok", answered={"Set-Cookie": "a=1, b=2"}),
    Claim("Answer", "HEAD /fast", 200, URLS),
    Claim("Signed", "GET /", 403, LAMBDA + "urls-auth.html", {"Message": "Forbidden"}),
    Claim("Signed", "GET /", 200, LAMBDA + "urls-auth.html", {"rawPath": "/"}, SIGNED),
    # load balancers
    Claim("Balancer", "GET /any?a=1", 200, BALANCER, {"httpMethod": "GET", "path": "/any"}),
    Claim("Balancer", "GET /any?a=%20x", 200, BALANCER, {"queryStringParameters": {"a": "%20x"}}),
    Claim("Balancer", "POST /any", 200, BALANCER, {"body": "text", "isBase64Encoded": False}, body=b"text"),
    Claim("Balancer", "GET /fast", 200, BALANCER, text=b"ok"),
    Claim("Balancer", "GET /boom", 502, BALANCER),
    Claim("Balancer", "GET /text", 502, BALANCER),
]  # fmt: skip


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The app of `behaviours/`, up."""
    folder = tmp_path_factory.mktemp("behaviours")
    shutil.copytree(Path(__file__).with_name("behaviours"), folder, dirs_exist_ok=True)
    path = folder / "template.yaml"
    path.write_text(path.read_text().replace("python3.11", f"python{VERSION[0]}.{VERSION[1]}"))
    with up(read_app(path, {}), folder, authorizer_context='{"tenant": "1"}') as shop:
        yield shop


def asked(app: Shop, row: Claim) -> Reply:
    """The answer to the request of a row; `TOKEN` and `KEY` are those of the emulator."""
    method, _, path = row.request.partition(" ")
    api = next(api for api in app.system.app.apis if api.key == row.api)
    headers = dict(row.headers)
    if headers.get("Authorization") == "TOKEN":
        headers["Authorization"] = app.system.token(api, api.routes[row.request])
    if headers.get("x-api-key") == "KEY":
        headers["x-api-key"] = app.system.api_key(api)
    return call(app.port(row.api), method, path, row.body, headers)


def part(value: Any, path: str) -> Any:
    """The part of an object at a path; `absent` without one."""
    for name in path.split("."):
        if not isinstance(value, dict) or name not in value:
            return "absent"
        value = value[name]
    return value


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_request_is_answered_as_aws_documents(app: Shop, row: Claim) -> None:
    """The status, the parts of the event or of the message, and the headers."""
    reply = asked(app, row)
    observed = {path: part(reply.json, path) for path in row.answer} if row.answer else {}
    if observed.get("requestContext.identity.apiKey"):
        observed["requestContext.identity.apiKey"] = "KEY"
    assert (reply.status, observed) == (row.status, dict(row.answer))
    assert {name: reply.headers.get(name, "absent") for name in row.answered} == dict(row.answered)
    assert row.text is None or reply.body == row.text


def test_a_plans_quota_is_counted(app: Shop) -> None:
    """The third request of a day is refused.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html
    """
    api = next(api for api in app.system.app.apis if api.key == "Limited")
    headers = {"x-api-key": app.system.api_key(api)}
    replies = [call(app.port("Limited"), "GET", "/limited", headers=headers) for _ in range(3)]
    assert [reply.status for reply in replies] == [200, 200, 429]
    assert replies[2].json == {"message": "Limit Exceeded"}


def test_an_authorizers_answer_is_cached_by_its_token(app: Shop) -> None:
    """The second request with a token calls no authorizer (`AUTHORIZER`)."""
    row = Claim("Rest", "GET /token", 403, AUTHORIZER, headers={"Authorization": "cached"})
    statuses = [asked(app, row).status for _ in range(2)]
    app.event("Guard", '"cached"')
    assert statuses == [403, 403]
    assert sum('"cached"' in json.dumps(event) for event in app.events("Guard")) == 1


def test_the_events_of_authorizers_are_those_of_aws(app: Shop) -> None:
    """Names of headers in lower case for format 2.0, as sent for a REST API."""
    asked(app, Claim("Http", "GET /lambda", 403, HTTP_AUTHORIZER, headers={"Authorization": "first", "X-Tenant": "1"}))
    asked(app, Claim("Rest", "GET /who", 403, AUTHORIZER, headers={"X-Who": "second", "X-Tenant": "1"}))
    of_http, of_rest = app.event("Guard", '"first"'), app.event("Guard", '"second"')
    assert (of_http["headers"]["authorization"], of_http["headers"]["x-tenant"], of_http["identitySource"]) == (
        "first",
        "1",
        ["first"],
    )
    assert (of_rest["headers"]["X-Who"], of_rest["headers"]["X-Tenant"], of_rest["type"]) == ("second", "1", "REQUEST")


def test_header_lines_of_one_name_are_values(app: Shop) -> None:
    """A list in a REST API's event (`PROXY`), joined in an HTTP API's (`HTTP`)."""
    events = []
    for api in ("Rest", "Http"):
        with socket.create_connection(("127.0.0.1", app.port(api))) as connection:
            connection.sendall(b"GET /open HTTP/1.1\r\nHost: a.b\r\nX-A: 1\r\nX-A: 2\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        events.append(json.loads(answer.partition(b"\r\n\r\n")[2]))
    of_rest, of_http = events
    assert (of_rest["multiValueHeaders"]["X-A"], of_rest["headers"]["X-A"]) == (["1", "2"], "2")
    assert (of_http["headers"]["x-a"], of_rest["requestContext"]["domainName"]) == ("1,2", "a.b")


def test_one_wrong_handler_leaves_out_one_function(app: Shop) -> None:
    """The others are served."""
    refused = app.system.refused["Wrong"]
    assert (list(app.system.refused), "has no 'absent'" in refused.why) == (["Wrong"], True)


def has_gateway(app: Shop, trace_id: str) -> bool:
    """Whether the gateway's span of a trace is stored."""
    return GATEWAY_STAGE in {span.origin for span in app.trace(trace_id, 4).spans}


def test_every_request_has_one_trace_that_the_gateway_begins(app: Shop) -> None:
    """Of a REST API, an HTTP API, a function URL and a load balancer: one root, with route and status."""
    for api, path, route in (
        ("Rest", "/ids/9", "GET /ids/{order-id}"),
        ("Http", "/ids/9", "GET /ids/{order-id}"),
        ("Answer", "/nine", "GET /nine"),
        ("Balancer", "/nine", "GET /nine"),
    ):
        reply = call(app.port(api), "GET", path)
        trace_id = reply.headers["X-Amzn-Trace-Id"].removeprefix("Root=1-").replace("-", "")
        assert until(partial(has_gateway, app, trace_id), 60)  # the spans may come in any order
        trace = app.trace(trace_id, 4)
        (root,) = trace.local_roots
        method, _, path_of_route = route.partition(" ")
        assert {name: root.attributes[name] for name in ("http.request.method", "http.route", "http.status_code")} == {
            "http.request.method": method,
            "http.route": path_of_route,
            "http.status_code": 200,
        }
        assert len({span.span_id for span in trace.spans}) == len(trace.spans)
