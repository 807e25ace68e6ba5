"""The environment variables: each that the code reads is set, and each that is set is read by somebody."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambda_latency.runtime.settings import SETTINGS, STANDARD, Settings
from orders_api import imported
from tests.template.deployed import EXPORTS, INSTRUMENTATIONS, ROOT, deploy, variant

BUSINESS = {"ORDERS_TABLE", "PAYMENTS_URL", "PAYMENTS_TIMEOUT_MS"}
# Read by Lambda itself, by the collector's extension, by OpenTelemetry's resource.
LAMBDA = {"AWS_LAMBDA_EXEC_WRAPPER"}
EXTENSION = {"OPENTELEMETRY_COLLECTOR_CONFIG_URI"}
RESOURCE = {"OTEL_RESOURCE_ATTRIBUTES"}
# Where OpenTelemetry's packages and AWS's name what they read.
NAMED_IN = (
    "opentelemetry.environment_variables",
    "opentelemetry.instrumentation.environment_variables",
    "opentelemetry.sdk.environment_variables",
    "amazon.opentelemetry.distro._utils",
    "amazon.opentelemetry.distro.aws_opentelemetry_configurator",
)


def read_by(folder: Path) -> set[str]:
    """The variables that the source below `folder` asks for by name."""

    def names(tree: ast.AST) -> Iterator[str]:
        for node in ast.walk(tree):
            match node:
                case ast.Subscript(value=value, slice=ast.Constant(value=str(name))) if is_environ(value):
                    yield name
                case ast.Call(func=ast.Attribute(value=value, attr="get"), args=[ast.Constant(value=str(name)), *_]):
                    if is_environ(value):
                        yield name

    def is_environ(node: ast.expr) -> bool:
        return getattr(node, "attr", getattr(node, "id", "")) == "environ"

    return {name for file in folder.rglob("*.py") for name in names(ast.parse(file.read_text(encoding="utf-8")))}


def known_to_opentelemetry() -> set[str]:
    """The names that its modules, and AWS's, have as constants."""
    modules = [importlib.import_module(name) for name in NAMED_IN]
    return {value for module in modules for value in vars(module).values() if isinstance(value, str)}


def test_the_functions_find_all_that_they_read_and_nothing_else_is_set_for_them() -> None:
    """With tracing off exactly their own variables are there."""
    assert read_by(ROOT / "functions") == BUSINESS
    assert set(deploy(Tracing="Off").variables("CreateOrder")) == BUSINESS


def test_the_functions_start_with_what_they_find() -> None:
    """The values of a first deployment are ones that they accept."""
    variables = deploy().variables("CreateOrder")
    plain = {name: variables[name] for name in ("PAYMENTS_URL", "PAYMENTS_TIMEOUT_MS")}

    with imported(ORDERS_TABLE="shop-OrdersTable-1ABCDEF", **plain) as api:
        assert callable(api.orders.create_order)


@pytest.mark.parametrize("export", EXPORTS)
def test_the_kit_reads_every_variable_that_is_set_for_it(export: str) -> None:
    """Each is in its own table of settings, with a value that it takes; and it sends where was asked."""
    variables = variant(export, "kit").variables("CreateOrder")
    mine = set(variables) - BUSINESS - LAMBDA - EXTENSION - RESOURCE

    assert mine <= {setting.name for setting in (*SETTINGS, *STANDARD)}
    settings = Settings.read({name: value for name, value in variables.items() if isinstance(value, str)})
    assert (settings.warnings, settings.enabled, settings.export) == ((), True, export)
    if export == "collector":
        assert settings.endpoint == variables["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]


@pytest.mark.parametrize("export", EXPORTS)
def test_the_layer_reads_every_variable_that_is_set_for_it(export: str) -> None:
    """Its wrapper has it, or a package in it names it: a variable with a slip of the pen is ignored without a word."""
    variables = set(variant(export, "layer").variables("CreateOrder"))
    wrapper = (ROOT / "otel" / "lambda_latency" / "local" / "layer" / "otel-instrument").read_text(encoding="utf-8")

    unknown = variables - BUSINESS - LAMBDA - EXTENSION - known_to_opentelemetry()
    assert {name for name in unknown if name not in wrapper} == set()


def test_the_wrapper_is_one_that_can_be_run() -> None:
    """/opt/lambda-latency/wrapper is the runtime's file in the kit's layer, and executable."""
    path = deploy().variables("CreateOrder")["AWS_LAMBDA_EXEC_WRAPPER"]
    file = ROOT / "otel" / "lambda_latency" / "runtime" / Path(path).name

    assert path == "/opt/lambda-latency/wrapper"
    assert file.read_text(encoding="utf-8").startswith("#!/bin/sh\n")
    assert file.stat().st_mode & 0o111


def test_the_collectors_file_is_where_its_extension_looks() -> None:
    """In the kit's layer, for the layer's own start-up too."""
    for started_by in INSTRUMENTATIONS:
        path = variant("collector", started_by).variables("CreateOrder")["OPENTELEMETRY_COLLECTOR_CONFIG_URI"]
        assert path == "/opt/lambda-latency/collector.yaml"
