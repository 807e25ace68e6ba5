"""What is used of samcli: the template read whole, and API Gateway's local half."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from lambda_latency.local.errors import UsageError
from lambda_latency.local.gateway.sam import SamTemplate, gateway_app, read_template
from lambda_latency.local.sandbox.function import Function
from tests.local.conftest import ROOT
from tests.template.deployed import write_variant

PLAIN = {"ORDERS_TABLE": "OrdersTable", "PAYMENTS_URL": "https://payments.invalid", "PAYMENTS_TIMEOUT_MS": "3000"}
TRACED = {
    **PLAIN,
    "AWS_LAMBDA_EXEC_WRAPPER": "/opt/lambda-latency/wrapper",
    "OPENTELEMETRY_COLLECTOR_CONFIG_URI": "/opt/lambda-latency/collector.yaml",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://localhost:4318/v1/traces",
    "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=dev",
}
BY_LAYER = {
    **TRACED,
    "AWS_LAMBDA_EXEC_WRAPPER": "/opt/otel-instrument",
    "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
    "OTEL_PYTHON_DISTRO": "aws_distro",
    "OTEL_PYTHON_CONFIGURATOR": "aws_configurator",
    "OTEL_PROPAGATORS": "xray",
    "OTEL_AWS_APPLICATION_SIGNALS_ENABLED": "false",
}
HANDLERS = {
    "CreateOrder": "functions.orders.create_order",
    "GetOrder": "functions.orders.get_order",
    "ListOrders": "functions.orders.list_order",
    "CancelOrder": "functions.orders.cancel_order",
}
PAYING = {"CreateOrder", "CancelOrder"}  # two calls of the table and one of the payments API


def _functions(variables: dict[str, str]) -> dict[str, Function]:
    return {
        name: Function(name, handler, 18.0 if name in PAYING else 6.0, 512, variables, "JSON", "WARN")
        for name, handler in HANDLERS.items()
    }


def _by_name(template: SamTemplate) -> dict[str, Function]:
    return {function.name: function for function in template.functions}


def test_the_projects_template_is_read_whole(project: SamTemplate) -> None:
    """Routes, names, stage and the table as CreateTable wants it."""
    assert (project.path, project.routes, project.api_name, project.stage, project.tables) == (
        ROOT / "template.yaml",
        {
            "POST /orders": "CreateOrder",
            "GET /orders/{id}": "GetOrder",
            "GET /orders": "ListOrders",
            "POST /orders/{id}/cancel": "CancelOrder",
        },
        "orders",
        "dev",
        (
            {
                "TableName": "OrdersTable",
                "AttributeDefinitions": [
                    {"AttributeName": "order_id", "AttributeType": "S"},
                    {"AttributeName": "customer", "AttributeType": "S"},
                    {"AttributeName": "created_at", "AttributeType": "S"},
                ],
                "KeySchema": [{"AttributeName": "order_id", "KeyType": "HASH"}],
                "BillingMode": "PAY_PER_REQUEST",
                "GlobalSecondaryIndexes": [
                    {
                        "IndexName": "customer-index",
                        "KeySchema": [
                            {"AttributeName": "customer", "KeyType": "HASH"},
                            {"AttributeName": "created_at", "KeyType": "RANGE"},
                        ],
                        "Projection": {"ProjectionType": "ALL"},
                    }
                ],
            },
        ),
    )


@pytest.mark.parametrize(
    ("tracing", "traced", "variables"),
    [("Active", True, TRACED), ("PassThrough", False, TRACED), ("Off", False, PLAIN)],
)
def test_each_tracing_value_gives_the_functions_their_variables(
    tracing: str, traced: bool, variables: dict[str, str]
) -> None:
    """Only Active lets API Gateway decide and record; Off leaves no variable of OpenTelemetry."""
    template = read_template(ROOT / "template.yaml", {"Tracing": tracing})
    assert (template.traced, _by_name(template)) == (traced, _functions(variables))


def test_started_by_the_layer_the_functions_have_its_variables(tmp_path: Path) -> None:
    """The wrapper is the layer's own, with the variables that tame it."""
    template = read_template(write_variant(tmp_path, instrumentation="layer"), {})
    functions = _by_name(template)
    disabled = functions["GetOrder"].environment["OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"].split(",")
    expected = {**BY_LAYER, "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": ",".join(disabled)}
    assert (functions, disabled[:2], {"requests", "botocore"} & {*disabled}) == (
        _functions(expected),
        ["urllib", "urllib3"],
        set(),
    )


@pytest.mark.parametrize(
    ("export", "instrumentation", "tracing", "collected", "direct"),
    [
        ("collector", "kit", "Active", True, False),
        ("daemon", "kit", "Active", False, False),
        ("otlp", "kit", "Active", False, True),
        ("otlp", "layer", "Active", False, True),
        ("otlp", "kit", "Off", False, False),
    ],
)
def test_it_is_known_where_functions_send_spans(
    tmp_path: Path, export: str, instrumentation: str, tracing: str, collected: bool, direct: bool
) -> None:
    """A collector is started, what stands for X-Ray's endpoint is named, or neither."""
    template = read_template(write_variant(tmp_path, export, instrumentation), {"Tracing": tracing})
    assert (template.collected, template.direct) == (collected, direct)


@pytest.mark.parametrize(
    ("parameters", "sampling"),
    [({}, (1, 0.05)), ({"TracesPerSecond": "10", "SampleRate": "1"}, (10, 1.0)), ({"Tracing": "Off"}, (1, 0.05))],
)
def test_the_sampling_rule_is_the_templates(parameters: dict[str, str], sampling: tuple[int, float]) -> None:
    """What a person sets for X-Ray holds on the laptop too."""
    assert read_template(ROOT / "template.yaml", parameters).sampling == sampling


def test_a_template_without_a_rule_is_sampled_as_x_ray_does_by_itself() -> None:
    """One request a second, and 5 % of the others."""
    template = ROOT / "otel" / "lab" / "local_cost" / "noop" / "template.yaml"
    assert read_template(template, {}).sampling == (1, 0.05)


def test_the_layer_without_tracing_is_nothing(tmp_path: Path) -> None:
    """Off wins over whoever would start OpenTelemetry."""
    template = read_template(write_variant(tmp_path, instrumentation="layer"), {"Tracing": "Off"})
    assert _by_name(template) == _functions(PLAIN)


def test_parameters_reach_names_and_variables() -> None:
    """A stage and an address of the person's own are in the path, on the spans and in the functions."""
    template = read_template(ROOT / "template.yaml", {"Stage": "test", "PaymentsUrl": "https://pay.example"})
    variables = {
        **TRACED,
        "PAYMENTS_URL": "https://pay.example",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
    }
    assert (template.stage, _by_name(template)) == ("test", _functions(variables))


SMALL = """
Transform: AWS::Serverless-2016-10-31
Parameters:
Resources:
  Only:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      InlineCode: pass
      Handler: app.handler
      Events: { Get: { Type: Api, Properties: { Path: /, Method: any } } }
"""


def test_a_template_that_says_little_has_lambdas_defaults(tmp_path: Path) -> None:
    """3 seconds, 128 MB, the stage Prod, no tracing, no tables; `any` is every method."""
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    template = read_template(path, {})
    assert (template.functions, template.stage, template.api_name, template.traced, template.tables) == (
        (Function("Only", "app.handler", 3.0, 128, {}),),
        "Prod",
        "orders",
        False,
        (),
    )
    assert template.routes == {
        f"{method} /": "Only" for method in ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
    }


def test_a_template_without_routes_is_told(tmp_path: Path) -> None:
    """A function that no request can reach is nothing to serve."""
    path = tmp_path / "template.yaml"
    path.write_text(SMALL.partition("      Events")[0])
    assert _refusal(path) == (f"{path} has no function with an Api event\n  requests cannot reach any function")


def test_a_template_that_sam_refuses_is_told(tmp_path: Path) -> None:
    """What samcli says of it is in the message, with the command that says more."""
    path = tmp_path / "template.yaml"
    path.write_text(SMALL.replace("Runtime: python3.13", "Timeout: { Ref: Only, And: More }"))
    message = _refusal(path)
    assert (message.startswith(f"{path} "), "Traceback" in message) == (True, False)


def _refusal(path: Path) -> str:
    with pytest.raises(UsageError) as raised:
        read_template(path, {})
    return str(raised.value)


Invoke = Callable[[str, bytes], str]


def _ask(
    template: SamTemplate, invoke: Invoke, method: str, target: str, body: bytes = b"", **headers: str
) -> tuple[str, dict[str, str], bytes]:
    """One request to the WSGI application, without a server."""
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost:3000",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        **headers,
    }
    setup_testing_defaults(environ)
    started: list[tuple[str, dict[str, str]]] = []

    def start(status: str, headers: list[tuple[str, str]], _: object = None) -> None:
        started.append((status, dict(headers)))

    answer = b"".join(gateway_app(template, invoke)(environ, start))
    return (*started[0], answer)


def test_a_request_becomes_a_rest_event(project: SamTemplate) -> None:
    """The function gets API Gateway's event, whole, and its answer becomes the response."""
    invoked: list[tuple[str, dict[str, Any]]] = []

    def invoke(function: str, event: bytes) -> str:
        invoked.append((function, json.loads(event)))
        return json.dumps({"statusCode": 201, "headers": {"Location": "/orders/1"}, "body": '{"ok":true}'})

    status, headers, body = _ask(
        project, invoke, "POST", "/orders/1/cancel?x=1&x=2&y=", b'{"a":1}', CONTENT_TYPE="application/json"
    )
    assert (status, headers["Location"], headers["Content-Type"], body) == (
        "201 CREATED",
        "/orders/1",
        "application/json",
        b'{"ok":true}',
    )
    ((function, event),) = invoked
    context = event["requestContext"]
    made = {name: context[name] for name in ("requestId", "extendedRequestId", "requestTime", "requestTimeEpoch")}
    assert (function, event) == (
        "CancelOrder",
        {
            "body": '{"a":1}',
            "headers": {
                "Content-Length": "7",
                "Content-Type": "application/json",
                "Host": "localhost:3000",
                "X-Forwarded-Port": "0",
                "X-Forwarded-Proto": "http",
            },
            "httpMethod": "POST",
            "isBase64Encoded": False,
            "multiValueHeaders": {
                "Content-Length": ["7"],
                "Content-Type": ["application/json"],
                "Host": ["localhost:3000"],
                "X-Forwarded-Port": ["0"],
                "X-Forwarded-Proto": ["http"],
            },
            "multiValueQueryStringParameters": {"x": ["1", "2"], "y": [""]},
            "path": "/orders/1/cancel",
            "pathParameters": {"id": "1"},
            "queryStringParameters": {"x": "2", "y": ""},
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "1234567890",
                "domainName": "localhost:3000",
                "httpMethod": "POST",
                "identity": {
                    "accountId": None,
                    "apiKey": None,
                    "caller": None,
                    "cognitoAuthenticationProvider": None,
                    "cognitoAuthenticationType": None,
                    "cognitoIdentityPoolId": None,
                    "sourceIp": "127.0.0.1",
                    "user": None,
                    "userAgent": "Custom User Agent String",
                    "userArn": None,
                },
                "path": "/orders/{id}/cancel",
                "protocol": "HTTP/1.0",
                "resourceId": "123456",
                "resourcePath": "/orders/{id}/cancel",
                "stage": "dev",
                **made,
            },
            "resource": "/orders/{id}/cancel",
            "stageVariables": None,
        },
    )


@pytest.mark.parametrize(
    "payload",
    [
        '{"failed": "Sandbox.Timedout"}',
        '"text"',
        "no JSON",
        "null",
        "",
        "[1]",
        '{"statusCode": "many", "body": "x"}',
    ],
)
def test_what_is_no_proxy_response_is_502(project: SamTemplate, payload: str) -> None:
    """API Gateway's own body, and nothing of the function's error in it."""
    status, headers, body = _ask(project, lambda *_: payload, "GET", "/orders")
    assert (status, headers["Content-Type"], json.loads(body)) == (
        "502 BAD GATEWAY",
        "application/json",
        {"message": "Internal server error"},
    )


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("DELETE", "/orders"), ("GET", "/orders/1/cancel"), ("GET", "/x")]
)
def test_an_unknown_route_is_403(project: SamTemplate, method: str, path: str) -> None:
    """As API Gateway answers it, without a function being called."""
    called: list[object] = []

    def invoke(*call: object) -> str:
        called.append(call)
        return "{}"

    status, _, body = _ask(project, invoke, method, path)
    assert (status, json.loads(body), called) == ("403 FORBIDDEN", {"message": "Missing Authentication Token"}, [])
