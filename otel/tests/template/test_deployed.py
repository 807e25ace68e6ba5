"""What is deployed for which parameters: variables, layers, permission and tracing mode of every function."""

import json
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lambda_latency.cli.entry import parser
from tests.template.deployed import PACKAGED, Stack, deploy

FUNCTIONS = ["CancelOrder", "CreateOrder", "GetOrder", "ListOrders"]
ADOT = "arn:aws:lambda:{0}:615299751070:layer:AWSOpenTelemetryDistroPython:{1}"
COLLECTOR = "arn:aws:lambda:{0}:901920570463:layer:aws-otel-collector-{1}-ver-0-117-0:1"
HERE = [ADOT.format("us-east-1", 29), COLLECTOR.format("us-east-1", "arm64")]
PLAIN: dict[str, Any] = {
    "ORDERS_TABLE": {"Ref": "OrdersTable"},
    "PAYMENTS_URL": "https://payments.invalid",
    "PAYMENTS_TIMEOUT_MS": "3000",
}
TRACED = {
    "AWS_LAMBDA_EXEC_WRAPPER": "/opt/lambda-latency/wrapper",
    "OPENTELEMETRY_COLLECTOR_CONFIG_URI": "/opt/lambda-latency/collector.yaml",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://localhost:4318/v1/traces",
}
DEV = {"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=dev"}
PROD = {"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=prod"}
XRAY_TYPES = ["AWS::XRay::Group", "AWS::XRay::SamplingRule"]
LOG_ACTIONS = ["logs:CreateLogStream", "logs:PutLogEvents"]


@dataclass(frozen=True, slots=True)
class Case:
    """Some parameters, and what is deployed for them."""

    parameters: dict[str, str]
    variables: dict[str, str]  # beside PLAIN
    tracing: str = "Active"
    xray: list[str] = field(default_factory=lambda: XRAY_TYPES)


CASES = {
    "first deploy": Case({}, TRACED | DEV),
    "passed through": Case({"Tracing": "PassThrough"}, TRACED | DEV, "PassThrough", xray=[]),
    "off": Case({"Tracing": "Off"}, {}, "PassThrough", xray=[]),
    "production": Case({"Stage": "prod"}, TRACED | PROD),
}


@pytest.mark.parametrize("name", CASES)
def test_these_parameters_make_these_functions(name: str) -> None:
    """Every variable, layer and mode of each of them; the permission; the stage; X-Ray's own resources."""
    case = CASES[name]
    stack = deploy(**case.parameters)
    traced = bool(case.variables)
    layers = stack.of_type("AWS::Lambda::LayerVersion")

    assert sorted(stack.functions) == FUNCTIONS
    assert [layer["LayerName"] for layer in layers.values()] == (["shop-kit"] if traced else [])
    for function in FUNCTIONS:
        properties = stack.resources[function]["Properties"]
        assert stack.variables(function) == PLAIN | case.variables
        assert properties["Layers"] == ([{"Ref": layer} for layer in layers] + HERE if traced else [])
        assert properties["TracingConfig"] == {"Mode": case.tracing}
        assert properties["Architectures"] == ["arm64"]
        role = stack.resources[f"{function}Role"]["Properties"]
        assert role["ManagedPolicyArns"] == ([{"Ref": "SendSpans"}] if traced else [])
    xray = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
    assert {action for action in stack.actions() if action.startswith("xray:")} == (xray if traced else set())
    (stage,) = stack.of_type("AWS::ApiGateway::Stage").values()
    assert stage["TracingEnabled"] is (case.tracing == "Active")
    assert stage["StageName"] == case.parameters.get("Stage", "dev")
    assert sorted(kind for kind in stack.types() if kind.startswith("AWS::XRay::")) == case.xray
    assert len(stack.of_type("AWS::CloudWatch::Alarm")) == 6


def test_off_leaves_no_word_of_tracing() -> None:
    """No layer, no wrapper, no collector, no X-Ray: not only in the functions but in the whole text of the stack."""
    stack = deploy(Tracing="Off")
    text = stack.text().lower()

    for word in (
        "otel",
        "opentelemetry",
        "exec_wrapper",
        "collector",
        "lambda_latency",
        "layer:",
        "layerversion",
        "xray",
        "x-ray",
    ):
        assert word not in text, word


def test_the_sampling_rule_is_the_stages_own() -> None:
    """It matches this API's stage and nothing else, at the rate that is asked for; a name of at most 32 characters."""
    stack = deploy(Stage="prod", TracesPerSecond="10", SampleRate="1")
    (made,) = stack.of_type("AWS::XRay::SamplingRule").values()

    assert made["SamplingRule"] == {
        "RuleName": "orders-1a2b3c4d",
        "Version": 1,
        "Priority": 100,
        "ReservoirSize": "10",
        "FixedRate": "1",
        "ServiceName": "shop/prod",
        "ServiceType": "AWS::ApiGateway::Stage",
        "Host": "*",
        "HTTPMethod": "*",
        "URLPath": "*",
        "ResourceARN": "*",
    }
    assert stack.of_type("AWS::ApiGateway::RestApi")["Api"]["Name"] == "shop"


@pytest.mark.parametrize(("ms", "seconds"), [("100", "0.1"), ("250", "0.25"), ("1000", "1"), ("10000", "10")])
def test_what_is_slow_is_slow_everywhere(ms: str, seconds: str) -> None:
    """In X-Ray's group (seconds), in the alarm and on the dashboard (milliseconds)."""
    stack = deploy(SlowMs=ms)
    dashboard = json.loads(stack.of_type("AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"]["Fn::Sub"])
    (group,) = stack.of_type("AWS::XRay::Group").values()

    assert group == {
        "GroupName": "orders-1a2b3c4d",
        "FilterExpression": f'service("shop/dev") AND responsetime >= {seconds}',
    }
    assert stack.of_type("AWS::CloudWatch::Alarm")["SlowAlarm"]["Threshold"] == ms
    assert dashboard["widgets"][0]["properties"]["annotations"]["horizontal"] == [{"label": "slow", "value": int(ms)}]


def test_the_dashboard_has_the_timeout_of_each_function() -> None:
    """Its line in the widget of the functions' durations."""
    stack = deploy()
    dashboard = json.loads(stack.of_type("AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"]["Fn::Sub"])
    (durations,) = (
        widget["properties"] for widget in dashboard["widgets"] if "p95 (ms)" in widget["properties"]["title"]
    )
    routes = {metric[-1]["label"]: metric[3].strip("${}") for metric in durations["metrics"]}

    assert durations["annotations"]["horizontal"] == [
        {"label": f"timeout of {route}", "value": 1000 * stack.resources[function]["Properties"]["Timeout"]}
        for route, function in routes.items()
    ]


def watched(stack: Stack, alarm: str) -> tuple[str, list[tuple[str, str, str]]]:
    """What an alarm adds up: the expression, and each metric with what it is of and its statistic."""
    formula, *parts = stack.of_type("AWS::CloudWatch::Alarm")[alarm]["Metrics"]
    metrics = [(part["MetricStat"]["Metric"], part["MetricStat"]["Stat"]) for part in parts]
    assert all(part["ReturnData"] is False for part in parts)
    return formula["Expression"], [
        (metric["MetricName"], ".".join(_of(dimension) for dimension in metric["Dimensions"]), stat)
        for metric, stat in metrics
    ]


def _of(dimension: dict[str, Any]) -> str:
    value = dimension["Value"]
    return str(value["Ref"] if isinstance(value, dict) else value)


def test_the_alarms_watch_every_function_and_the_table_with_its_index() -> None:
    """Slow and failing requests, errors, timeouts, refusals by Lambda and DynamoDB; without requests none rings."""
    stack = deploy()
    alarms = stack.of_type("AWS::CloudWatch::Alarm")
    names = ["CreateOrder", "GetOrder", "ListOrders", "CancelOrder"]

    assert [alarm["AlarmName"] for alarm in alarms.values()] == [f"shop.{name}" for name in alarms]
    assert {alarm["TreatMissingData"] for alarm in alarms.values()} == {"notBreaching"}
    assert watched(stack, "SlowAlarm") == (
        "IF(requests >= 20, latency, 0)",
        [("Latency", "shop.dev", "p95"), ("Count", "shop.dev", "Sum")],
    )
    assert watched(stack, "ServerErrorAlarm") == (
        "IF(requests >= 20, 100 * failures / requests, IF(failures >= 3, 100, 0))",
        [("5XXError", "shop.dev", "Sum"), ("Count", "shop.dev", "Sum")],
    )
    assert watched(stack, "ErrorAlarm") == ("SUM(METRICS())", [("Errors", name, "Sum") for name in names])
    seconds = [stack.resources[name]["Properties"]["Timeout"] for name in names]
    shares = ", ".join(f"{name[0].lower()}{name[1:]} / {limit}" for name, limit in zip(names, seconds, strict=True))
    assert watched(stack, "TimeoutAlarm") == (f"MAX([{shares}])", [("Duration", name, "Maximum") for name in names])
    assert watched(stack, "FunctionThrottleAlarm") == ("SUM(METRICS())", [("Throttles", name, "Sum") for name in names])
    assert watched(stack, "TableThrottleAlarm") == (
        "SUM(METRICS())",
        [
            ("ReadThrottleEvents", "OrdersTable", "Sum"),
            ("WriteThrottleEvents", "OrdersTable", "Sum"),
            ("ReadThrottleEvents", "OrdersTable.customer-index", "Sum"),
            ("WriteThrottleEvents", "OrdersTable.customer-index", "Sum"),
        ],
    )
    assert alarms["TimeoutAlarm"]["Threshold"] == 1000  # milliseconds by seconds: the whole timeout
    assert sorted(alarms) == [
        "ErrorAlarm", "FunctionThrottleAlarm", "ServerErrorAlarm", "SlowAlarm", "TableThrottleAlarm", "TimeoutAlarm"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("requests", "failures", "rings"),
    [(0, 0, False), (2, 2, False), (3, 3, True), (19, 2, False), (20, 0, False), (40, 1, False), (40, 2, True)],
)
def test_few_requests_ring_by_count_and_many_by_share(requests: int, failures: int, rings: bool) -> None:
    """The expression of 5xx, with Python's arithmetic for CloudWatch's."""
    alarm = deploy().of_type("AWS::CloudWatch::Alarm")["ServerErrorAlarm"]
    names = {"IF": lambda met, yes, no: yes if met else no, "requests": requests, "failures": failures}
    text = alarm["Metrics"][0]["Expression"].replace("/ requests", "/ max(requests, 1)")
    value = eval(text, {**names, "max": max})  # noqa: S307 - the template's own text

    assert (alarm["ComparisonOperator"], alarm["EvaluationPeriods"]) == ("GreaterThanOrEqualToThreshold", 1)
    assert (value >= alarm["Threshold"]) is rings


def test_a_slow_request_among_few_does_not_ring() -> None:
    """The expression of slow requests is over the threshold from 20 requests on."""
    alarm = deploy(SlowMs="500").of_type("AWS::CloudWatch::Alarm")["SlowAlarm"]
    latencies = [
        eval(  # noqa: S307 - the template's own text
            alarm["Metrics"][0]["Expression"],
            {"IF": lambda met, yes, no: yes if met else no, "requests": requests, "latency": 900},
        )
        for requests in (1, 19, 20)
    ]

    assert [value > int(alarm["Threshold"]) for value in latencies] == [False, False, True]


def test_an_error_in_a_single_minute_does_not_ring() -> None:
    """Two minutes out of five do, whatever the traffic."""
    alarm = deploy().of_type("AWS::CloudWatch::Alarm")["ErrorAlarm"]

    assert (alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"], alarm["Threshold"]) == (2, 5, 0)
    assert {metric["MetricStat"]["Period"] for metric in alarm["Metrics"][1:]} == {60}


@pytest.mark.parametrize("topic", ["", "arn:aws:sns:us-east-1:123456789012:oncall"])
def test_who_is_to_hear_of_an_alarm_hears_of_its_end_too(topic: str) -> None:
    """Without a topic nobody does."""
    for alarm in deploy(AlarmTopicArn=topic).of_type("AWS::CloudWatch::Alarm").values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == ([topic] if topic else [])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_functions_log_has_an_end_and_can_be_searched(function: str) -> None:
    """JSON lines in a log group of its own, kept as long as the parameter says; the function may write there only."""
    stack = deploy(LogRetentionDays="30")
    logging = stack.resources[function]["Properties"]["LoggingConfig"]
    policies = stack.resources[f"{function}Role"]["Properties"]["Policies"]

    assert logging == {"LogFormat": "JSON", "ApplicationLogLevel": "WARN", "LogGroup": {"Ref": f"{function}Log"}}
    assert stack.resources[f"{function}Log"]["Properties"] == {"RetentionInDays": "30"}
    assert [policy["PolicyDocument"]["Statement"] for policy in policies if policy["PolicyName"] == "Log"] == [
        [{"Effect": "Allow", "Action": LOG_ACTIONS, "Resource": {"Fn::GetAtt": [f"{function}Log", "Arn"]}}]
    ]


def test_the_orders_outlive_the_stack() -> None:
    """Deleting or replacing the stack does not delete what customers ordered."""
    table = deploy().resources["OrdersTable"]

    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_nothing_names_an_account_a_region_or_a_partition_of_ours() -> None:
    """But for the accounts that own AWS's layers."""
    elsewhere = deploy("eu-west-3").text().replace(PACKAGED["Location"], "")

    assert "us-east-1" not in elsewhere
    assert "arn:aws:lambda:eu-west-3:" in elsewhere


TRACES = ["ApiUrl", "DashboardUrl", "Report", "TryIt"]


@pytest.mark.parametrize(
    ("tracing", "names"), [("Active", TRACES), ("PassThrough", TRACES), ("Off", ["ApiUrl", "DashboardUrl", "TryIt"])]
)
def test_a_deployment_says_what_to_do_next(tracing: str, names: list[str]) -> None:
    """Each output with its sentence; those of traces only where there are any."""
    outputs = deploy(Tracing=tracing).outputs

    assert sorted(outputs) == names
    assert all(output["Description"].endswith(".") for output in outputs.values())


def test_the_next_command_is_one_that_there_is() -> None:
    """`lambda-latency report` of this stack's own traces, in its own region."""
    value = deploy("eu-west-1", Stage="prod").outputs["Report"]["Value"]["Fn::Sub"]
    fetch, _, report = value.partition(" | ")
    command, *arguments = shlex.split(fetch)

    assert (command, report) == ("lambda-latency", "lambda-latency report -")
    options = parser().parse_args(arguments)
    assert (options.command, options.out, options.region) == ("fetch", Path("-"), "eu-west-1")
    # Passed through, the stage records nothing, and a trace has the names of functions only.
    assert options.filter == (
        'service("shop/prod") OR service("${CreateOrder}") OR service("${GetOrder}") OR service("${ListOrders}")'
        ' OR service("${CancelOrder}")'
    )


def test_the_curl_to_paste_makes_an_order() -> None:
    """What it sends is a valid body; where it sends it is the API's address with its stage and route."""
    outputs = deploy(Stage="prod").outputs
    curl, *arguments = shlex.split(outputs["TryIt"]["Value"]["Fn::Sub"])

    assert curl == "curl"
    assert arguments[:2] == ["-si", f"{outputs['ApiUrl']['Value']['Fn::Sub']}/orders"]
    assert arguments[2:4] == ["-H", "Content-Type: application/json"]
    assert sorted(json.loads(arguments[5])) == ["customer", "items", "payment_method"]
