"""The template itself: what a person sets, what a function may do, what tracing adds and what Off leaves out."""

import re
import warnings
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from samcli.lib.providers.api_provider import ApiProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
from samcli.yamlhelper import yaml_parse

from tests.functions.conftest import ROOT, imported

TEMPLATE = ROOT / "template.yaml"
NO_VALUE = "AWS::NoValue"
HANDLERS = {
    "CreateOrder": "functions.orders.create_order",
    "GetOrder": "functions.orders.get_order",
    "ListOrders": "functions.orders.list_order",
    "CancelOrder": "functions.orders.cancel_order",
}
PLAIN = {"ORDERS_TABLE": "OrdersTable", "PAYMENTS_URL": "https://payments.invalid", "PAYMENTS_TIMEOUT_MS": "3000"}
TRACED = PLAIN | {
    "AWS_LAMBDA_EXEC_WRAPPER": "/var/task/otel/runtime/wrapper",
    "OPENTELEMETRY_COLLECTOR_CONFIG_URI": "/var/task/collector.yaml",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://localhost:4318/v1/traces",
    "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
    "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=dev",
}
STARTED_BY_LAYER = TRACED | {
    "AWS_LAMBDA_EXEC_WRAPPER": "/opt/otel-instrument",
    "OTEL_PYTHON_DISTRO": "aws_distro",
    "OTEL_PYTHON_CONFIGURATOR": "aws_configurator",
    "OTEL_PROPAGATORS": "xray",
    "OTEL_AWS_APPLICATION_SIGNALS_ENABLED": "false",
}


@dataclass(frozen=True, slots=True)
class Deployed:
    """The template as it resolves for some parameters."""

    resources: dict[str, Any]
    routes: dict[str, str]  # "POST /orders" -> logical id of the function

    def variables(self, function: str) -> dict[str, str]:
        """The function's environment."""
        seen = self.resources[function]["Properties"]["Environment"]["Variables"]
        assert all(isinstance(value, str | int) for value in seen.values()), f"unresolved: {seen}"
        return {name: str(value) for name, value in seen.items() if value != NO_VALUE}

    def layers(self, function: str) -> list[str]:
        """The function's layers."""
        seen = self.resources[function]["Properties"]["Layers"]
        assert all(isinstance(value, str) for value in seen), f"unresolved: {seen}"
        return [value for value in seen if value != NO_VALUE]


def deployed(**parameters: str) -> Deployed:
    """The template with `parameters`, as samcli reads it.

    samcli cannot resolve an `!If` that has `!Ref AWS::NoValue` in it, and leaves the whole `!If` as it was, on either
    branch: https://github.com/aws/aws-sam-cli/issues/6205. Given a value for that name like for any other, it can.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # samcli still calls what its own parts have deprecated
        stacks, _ = SamLocalStackProvider.get_stacks(
            str(TEMPLATE), parameter_overrides=parameters, global_parameter_overrides={NO_VALUE: NO_VALUE}
        )
        routes = ApiProvider(stacks, cwd=str(ROOT)).api.routes
    return Deployed(
        stacks[0].resources,
        {f"{method} {route.path}": route.function_name for route in routes for method in route.methods},
    )


@cache
def template() -> dict[str, Any]:
    """The template as it is written."""
    written: dict[str, Any] = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))
    return written


PARAMETERS = sorted(template()["Parameters"])
FUNCTIONS = sorted(HANDLERS)


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
    """In the console's form nothing is hidden among "other parameters"."""
    interface = template()["Metadata"]["AWS::CloudFormation::Interface"]

    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(grouped) == PARAMETERS
    assert sorted(interface["ParameterLabels"]) == PARAMETERS
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


def test_the_slowest_payment_leaves_the_function_time_to_answer() -> None:
    """504 is an answer of ours, so it needs a second before the function's own end."""
    longest = template()["Parameters"]["PaymentsTimeoutMs"]["MaxValue"]

    assert longest <= template()["Globals"]["Function"]["Timeout"] * 1_000 - 1_000


def test_every_route_has_its_function_and_its_handler_exists() -> None:
    """Handlers have the names that a trace, the docs and the local system use."""
    system = deployed()

    assert system.routes == {
        "POST /orders": "CreateOrder",
        "GET /orders/{id}": "GetOrder",
        "GET /orders": "ListOrders",
        "POST /orders/{id}/cancel": "CancelOrder",
    }
    assert {name: system.resources[name]["Properties"]["Handler"] for name in HANDLERS} == HANDLERS
    with imported(PAYMENTS_URL="https://pay.example") as api:
        assert all(callable(getattr(api.orders, handler.rsplit(".", 1)[1])) for handler in HANDLERS.values())


@pytest.mark.parametrize(
    ("function", "actions", "resource"),
    [
        ("CreateOrder", ["dynamodb:PutItem", "dynamodb:UpdateItem"], {"Fn::GetAtt": ["OrdersTable", "Arn"]}),
        ("GetOrder", "dynamodb:GetItem", {"Fn::GetAtt": ["OrdersTable", "Arn"]}),
        ("ListOrders", "dynamodb:Query", {"Fn::Sub": "${OrdersTable.Arn}/index/customer-index"}),
        ("CancelOrder", "dynamodb:UpdateItem", {"Fn::GetAtt": ["OrdersTable", "Arn"]}),
    ],
)
def test_a_function_may_do_what_it_does_and_nothing_else(function: str, actions: object, resource: object) -> None:
    """Exactly one statement, for exactly its calls."""
    policies = template()["Resources"][function]["Properties"]["Policies"]

    statement = {"Effect": "Allow", "Action": actions, "Resource": resource}
    assert policies == [{"Version": "2012-10-17", "Statement": [statement]}]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_functions_log_has_an_end(function: str) -> None:
    """Its log group is declared, with the retention that the parameter says."""
    resources = template()["Resources"]
    group = resources[function]["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]

    assert group == f"{function}Log"
    assert resources[group]["Properties"] == {"RetentionInDays": {"Ref": "LogRetentionDays"}}


@pytest.mark.parametrize("tracing", ["Active", "PassThrough"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_traced_function_is_started_by_the_kit(function: str, tracing: str) -> None:
    """By default; the whole environment, and both layers."""
    system = deployed(Tracing=tracing)

    assert system.variables(function) == TRACED
    assert system.layers(function) == [
        "arn:aws:lambda:us-east-1:615299751070:layer:AWSOpenTelemetryDistroPython:29",
        "arn:aws:lambda:us-east-1:901920570463:layer:aws-otel-collector-arm64-ver-0-117-0:1",
    ]
    assert system.resources[function]["Properties"]["Tracing"] == tracing


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_traced_function_is_started_by_the_layer_if_that_is_asked_for(function: str) -> None:
    """The layer's own wrapper, for traces only, and one span a call: requests, and nothing beneath it."""
    variables = deployed(Instrumentation="layer").variables(function)

    disabled = variables.pop("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS").split(",")
    assert variables == STARTED_BY_LAYER
    assert {"urllib", "urllib3", "threading", "logging"} <= set(disabled)
    assert not {"requests", "botocore", "aws-lambda"} & set(disabled)
    assert len(disabled) == len(set(disabled))


@pytest.mark.parametrize("instrumentation", ["kit", "layer"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_off_leaves_nothing_of_tracing(function: str, instrumentation: str) -> None:
    """No variable, no layer, no wrapper, whoever would have started it."""
    system = deployed(Tracing="Off", Instrumentation=instrumentation)

    assert system.variables(function) == PLAIN
    assert system.layers(function) == []
    assert system.resources[function]["Properties"]["Tracing"] == "PassThrough"


@pytest.mark.parametrize(("tracing", "enabled"), [("Active", True), ("PassThrough", False), ("Off", False)])
def test_only_active_tracing_starts_traces_at_the_api(tracing: str, enabled: bool) -> None:
    """PassThrough leaves the decision to the caller."""
    assert deployed(Tracing=tracing).resources["Api"]["Properties"]["TracingEnabled"] is enabled


def test_other_layers_can_be_named() -> None:
    """An ARN in a parameter replaces the one of the template; without it the collector follows the processor."""
    own = "arn:aws:lambda:eu-south-1:123456789012:layer:own:7"

    assert deployed(AdotLayerArn=own, CollectorLayerArn=own).layers("GetOrder") == [own, own]
    assert (
        deployed(Architecture="x86_64").layers("GetOrder")[1].endswith(":layer:aws-otel-collector-amd64-ver-0-117-0:1")
    )


def test_the_orders_outlive_the_stack() -> None:
    """Deleting or replacing the stack does not delete what customers ordered."""
    table = template()["Resources"]["OrdersTable"]

    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_every_function_has_a_make_target() -> None:
    """`sam build` calls `make build-<LogicalId>`."""
    targets = re.findall(r"^(build-.*):$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)

    assert {f"build-{name}" for name in HANDLERS} <= set(" ".join(targets).split())
