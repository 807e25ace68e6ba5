"""The packaged example as an app like others: what is read of its template, with each parameter that changes it."""

from pathlib import Path

import pytest

from lambda_latency.local.app.prepare.instrument import export_of
from lambda_latency.local.app.read.app import LocalApp, read_app
from tests.local.conftest import ROOT
from tests.template.deployed import write_variant

TEMPLATE = ROOT / "template.yaml"
TABLE = {"ORDERS_TABLE": {"Ref": "OrdersTable"}}
PLAIN = {**TABLE, "PAYMENTS_URL": "https://payments.invalid", "PAYMENTS_TIMEOUT_MS": "3000"}
TRACED = {
    **PLAIN,
    "AWS_LAMBDA_EXEC_WRAPPER": "/opt/lambda-latency/wrapper",
    "OPENTELEMETRY_COLLECTOR_CONFIG_URI": "/opt/lambda-latency/collector.yaml",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://localhost:4318/v1/traces",
    "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=dev",
}
FUNCTIONS = {
    "CreateOrder": ("functions.orders.create_order", 18.0, 512, "JSON", "WARN"),
    "GetOrder": ("functions.orders.get_order", 6.0, 512, "JSON", "WARN"),
    "ListOrders": ("functions.orders.list_order", 6.0, 512, "JSON", "WARN"),
    "CancelOrder": ("functions.orders.cancel_order", 18.0, 512, "JSON", "WARN"),
}


def variables_of(app: LocalApp) -> list[dict[str, object]]:
    """The variables of each function."""
    return [dict(function.variables) for function in app.declared]


def test_its_template_is_read_whole() -> None:
    """Routes, stage, functions, and the folder in which their modules are: its Makefile need not run."""
    app = read_app(TEMPLATE, {})
    (api,) = app.apis
    assert (app.name, api.kind, api.stage, {name: route.function for name, route in api.routes.items()}) == (
        "lambda-latency",
        "rest",
        "dev",
        {
            "POST /orders": "CreateOrder",
            "GET /orders/{id}": "GetOrder",
            "GET /orders": "ListOrders",
            "POST /orders/{id}/cancel": "CancelOrder",
        },
    )
    assert {f.key: (f.handler, f.timeout_s, f.memory_mb, f.log_format, f.log_level) for f in app.declared} == FUNCTIONS
    codes = [function.code for function in app.declared]
    assert [(code and code.path, code and code.sources, code and code.target) for code in codes] == [
        (ROOT, ROOT / "functions", "")
    ] * 4
    assert (app.notes, app.calls_payments) == ([], True)


@pytest.mark.parametrize(
    ("tracing", "is_traced", "variables", "export"),
    [
        ("Active", True, TRACED, "collector"),
        ("PassThrough", False, TRACED, "collector"),
        ("Off", False, PLAIN, ""),
    ],
)
def test_each_tracing_value_gives_the_functions_their_variables(
    tracing: str, is_traced: bool, variables: dict[str, object], export: str
) -> None:
    """Only Active lets API Gateway decide and record; Off leaves no variable of OpenTelemetry."""
    app = read_app(TEMPLATE, {"Tracing": tracing})
    assert (app.is_traced, variables_of(app), export_of(app)) == (is_traced, [variables] * 4, export)


@pytest.mark.parametrize(
    ("export", "instrumentation", "tracing", "expected"),
    [
        ("collector", "kit", "Active", "collector"),
        ("daemon", "kit", "Active", "daemon"),
        ("otlp", "kit", "Active", "endpoint"),
        ("otlp", "layer", "Active", "endpoint"),
        ("otlp", "kit", "Off", ""),
    ],
)
def test_it_is_known_where_functions_send_spans(
    tmp_path: Path, export: str, instrumentation: str, tracing: str, expected: str
) -> None:
    """A collector is started, what stands for X-Ray's endpoint is named, or neither."""
    assert export_of(read_app(write_variant(tmp_path, export, instrumentation), {"Tracing": tracing})) == expected


@pytest.mark.parametrize(
    ("parameters", "sampling"),
    [({}, (1, 0.05)), ({"TracesPerSecond": "10", "SampleRate": "1"}, (10, 1.0)), ({"Tracing": "Off"}, None)],
)
def test_the_sampling_rule_is_the_templates(parameters: dict[str, str], sampling: tuple[int, float] | None) -> None:
    """What a person sets for X-Ray holds on the laptop too."""
    assert read_app(TEMPLATE, parameters).sampling == sampling


def test_parameters_reach_stage_and_variables() -> None:
    """A stage and an address of the person's own."""
    app = read_app(TEMPLATE, {"Stage": "test", "PaymentsUrl": "https://pay.example"})
    variables = {
        **TRACED,
        "PAYMENTS_URL": "https://pay.example",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
    }
    assert ([api.stage for api in app.apis], variables_of(app)) == (["test"], [variables] * 4)


def test_the_name_of_the_stack_is_that_of_samconfig(tmp_path: Path) -> None:
    """`sam deploy` takes it, too; without one it is the folder's."""
    folder = tmp_path / "some_app"
    folder.mkdir()
    template = folder / "template.yaml"
    template.write_text(
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n    Type: AWS::Serverless::Function\n"
        "    Properties: { Runtime: python3.13, Handler: index.handler, InlineCode: pass }\n"
    )
    names = [read_app(template, {}).name]
    for text in ('[default.global.parameters]\nstack_name = "shop"\n', '[dev.deploy.parameters]\nstack_name = "dev"\n'):
        (folder / "samconfig.toml").write_text(text)
        names.append(read_app(template, {}).name)
    assert names == ["some-app", "shop", "some-app"]
