"""The template as it is written: what a person sets, and where it meets the files beside it."""

import re
from decimal import Decimal

import cfnlint.api
import pytest
from cfnlint.config import ManualArgs
from samcli.lib.config.samconfig import SamConfig
from samcli.yamlhelper import yaml_parse

from lab.layers import template_regions
from lambda_latency.adot import COLLECTOR, PYTHON
from lambda_latency.prices import read_prices
from orders_api import imported
from tests.docs.pages import page
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
    assert {name: function["Handler"] for name, function in functions.items()} == HANDLERS
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
    settings = config.get_all(["deploy"], "parameters", environment)
    name = config.get_all(["global"], "parameters", environment)["stack_name"]
    parameters = dict(pair.split("=", 1) for pair in settings.get("parameter_overrides", "").split())
    deployed = deploy(**parameters)

    assert (name, settings["resolve_s3"], settings["confirm_changeset"]) == (stack, True, False)
    assert settings["capabilities"] == "CAPABILITY_IAM CAPABILITY_AUTO_EXPAND"
    assert len(deployed.variables("GetOrder")) == (3 if tracing == "Off" else 7)
    assert [api_stage["StageName"] for api_stage in deployed.of_type("AWS::ApiGateway::Stage").values()] == [stage]


REGIONS = template_regions()
RELEASE = PYTHON.shared(REGIONS)


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("function", ["CreateOrder", "GetOrder", "ListOrders", "CancelOrder"])
def test_a_region_has_its_own_numbers_of_one_release(region: str, function: str) -> None:
    """In the region itself, for a layer of another one cannot be used."""
    _, *layers = deploy(region).resources[function]["Properties"]["Layers"]  # behind the kit's own

    assert RELEASE is not None
    adot = f"arn:aws:lambda:{region}:615299751070:layer:AWSOpenTelemetryDistroPython:{RELEASE.numbers[region]}"
    assert layers == [adot, f"arn:aws:lambda:{region}:901920570463:layer:aws-otel-collector-arm64-ver-0-117-0:1"]


def test_the_map_has_the_regions_in_which_the_template_works() -> None:
    """Those that every account has, but for the one without the collector's layer: it is refused there."""
    assert list(template()["Mappings"]["AdotPython"]) == REGIONS
    assert set(PYTHON.default_regions) - set(REGIONS) == {"ap-northeast-3"}
    assert set(REGIONS) <= set(COLLECTOR.regions)


CHOICES = page("how-to/choose-alarms.md")
SNIPPETS = CHOICES.blocks("yaml")


@pytest.mark.parametrize("snippet", SNIPPETS, ids=["composite", "anomaly"])
def test_a_resource_of_the_page_fits_into_observability(snippet: str) -> None:
    """As cfn-lint has it, with the conditions, parameters and alarms that are there; named as the others are."""
    written = (ROOT / "observability.yaml").read_text(encoding="utf-8")
    with_it = written.replace("\nResources:\n", f"\nResources:\n{snippet}")
    problems = cfnlint.api.lint(with_it, config=ManualArgs(regions=["us-east-1"]))
    ((name, resource),) = yaml_parse(snippet).items()

    assert [(str(problem.rule.id), problem.message) for problem in problems] == []
    assert resource["Properties"]["AlarmName"] == {"Fn::Sub": f"${{App}}.{name}"}


def test_the_prices_are_those_of_the_list() -> None:
    """A metric's, the example's, the three of anomaly detection. The list has no price of a composite alarm."""
    metric = read_prices().alarm_metric
    alarms = deploy().of_type("AWS::CloudWatch::Alarm").values()
    metrics = sum(len(alarm["Metrics"]) - 1 for alarm in alarms)
    threshold, composite, anomaly = (row[2] for row in CHOICES.table("kind | rings if | price | choose it for"))

    assert threshold == f"${metric:.2f} per metric: ${metrics * metric:.2f} for the {metrics} of the example"
    assert composite.startswith(f"${Decimal('0.50')}, ")
    assert anomaly.startswith(f"${3 * metric:.2f} per metric, ")
    assert f"the first {read_prices().free_alarm_metrics} metrics" in CHOICES.text
