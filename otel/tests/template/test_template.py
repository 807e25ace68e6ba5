"""The template as it is written: what a person sets, and where it meets the files beside it."""

import re

import pytest
from samcli.lib.config.samconfig import SamConfig

from orders_api import imported
from tests.template.deployed import ROOT, deploy, template

HANDLERS = {
    "CreateOrder": "functions.orders.create_order",
    "GetOrder": "functions.orders.get_order",
    "ListOrders": "functions.orders.list_order",
    "CancelOrder": "functions.orders.cancel_order",
}
ROUTES = {
    "POST /orders": "CreateOrder",
    "GET /orders/{id}": "GetOrder",
    "GET /orders": "ListOrders",
    "POST /orders/{id}/cancel": "CancelOrder",
}
PARAMETERS = sorted(template()["Parameters"])


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_explains_itself_and_can_be_left_alone(name: str) -> None:
    """It has a description, a constraint with its words, and a default that meets the constraint."""
    parameter = template()["Parameters"][name]
    default = parameter["Default"]

    assert parameter["Description"].endswith(".")
    assert parameter["ConstraintDescription"].startswith("must be ")
    if "AllowedValues" in parameter:
        assert default in parameter["AllowedValues"]
    elif "AllowedPattern" in parameter:
        assert re.fullmatch(parameter["AllowedPattern"], default)
    else:
        assert parameter["MinValue"] <= default <= parameter["MaxValue"]


def test_every_parameter_is_asked_for_once_as_a_question() -> None:
    """In the console's form nothing is hidden among "other parameters"; what everybody decides comes first."""
    interface = template()["Metadata"]["AWS::CloudFormation::Interface"]
    groups = [group["Parameters"] for group in interface["ParameterGroups"]]

    grouped = [name for group in groups for name in group]
    assert groups[0] == ["Tracing", "PaymentsUrl", "Stage"]
    assert grouped == list(template()["Parameters"])
    assert list(interface["ParameterLabels"]) == grouped
    assert all(label["default"].endswith("?") for label in interface["ParameterLabels"].values())


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://pay.example", True),
        ("http://127.0.0.1:9000/v1", True),
        ("https://", False),
        ("ftp://pay.example", False),
        ("https://ada:s3cret@pay.example", False),
        ("https://pay.example/?a=1", False),
        ("https://pay.example/v 1", False),
    ],
)
def test_what_the_functions_refuse_as_an_address_the_template_refuses_first(url: str, allowed: bool) -> None:
    """A deployment fails at its parameter, not at init."""
    assert bool(re.fullmatch(template()["Parameters"]["PaymentsUrl"]["AllowedPattern"], url)) is allowed


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("AlarmTopicArn", "arn:aws:sns:eu-west-1:123456789012:oncall", True),
        ("AlarmTopicArn", "arn:aws:sqs:eu-west-1:123456789012:oncall", False),
        ("Stage", "prod", True),
        ("Stage", "Prod/1", False),
    ],
)
def test_a_value_that_cannot_work_is_refused_at_its_parameter(name: str, value: str, allowed: bool) -> None:
    """A queue for a topic, a stage that is no part of a path."""
    assert bool(re.fullmatch(template()["Parameters"][name]["AllowedPattern"], value)) is allowed


def test_every_route_has_its_function_and_its_handler_exists() -> None:
    """Handlers have the names that a trace, the docs and the local system use."""
    stack = deploy()
    body = stack.of_type("AWS::ApiGateway::RestApi")["Api"]["Body"]
    uris = {
        f"{method.upper()} {path}": operation["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
        for path, methods in body["paths"].items()
        for method, operation in methods.items()
    }

    assert {route: re.findall(r"\$\{(\w+)\.Arn\}", uri) for route, uri in uris.items()} == {
        route: [function] for route, function in ROUTES.items()
    }
    functions = stack.of_type("AWS::Lambda::Function")
    assert {name: one["Handler"] for name, one in functions.items()} == HANDLERS
    with imported(PAYMENTS_URL="https://pay.example") as api:
        assert all(callable(getattr(api.orders, handler.rsplit(".", 1)[1])) for handler in HANDLERS.values())


def test_every_function_has_a_make_target() -> None:
    """`sam build` calls `make build-<LogicalId>`."""
    targets = re.findall(r"^(build-.*):$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)

    assert {f"build-{name}" for name in HANDLERS} <= set(" ".join(targets).split())


@pytest.mark.parametrize(
    ("environment", "stack", "tracing", "stage"),
    [
        ("default", "lambda-latency", "Active", "dev"),
        ("dev", "lambda-latency-dev", "Off", "dev"),
        ("prod", "lambda-latency-prod", "Active", "prod"),
    ],
)
def test_an_environment_is_deployed_without_a_question(environment: str, stack: str, tracing: str, stage: str) -> None:
    """`sam deploy --config-env ...`: its own stack, its tracing, nothing to confirm."""
    config = SamConfig(str(ROOT))
    asked = config.get_all(["deploy"], "parameters", environment)
    name = config.get_all(["global"], "parameters", environment)["stack_name"]
    parameters = dict(one.split("=", 1) for one in asked.get("parameter_overrides", "").split())
    deployed = deploy(**parameters)

    assert (name, asked["resolve_s3"], asked["confirm_changeset"]) == (stack, True, False)
    assert asked["capabilities"] == "CAPABILITY_IAM CAPABILITY_AUTO_EXPAND"
    assert len(deployed.variables("GetOrder")) == (3 if tracing == "Off" else 7)
    assert [one["StageName"] for one in deployed.of_type("AWS::ApiGateway::Stage").values()] == [stage]
