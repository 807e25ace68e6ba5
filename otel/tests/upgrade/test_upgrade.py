"""The page about upgrades: each row has its test. The files here were written at commit f5d3bba."""

import importlib
import re
import tarfile
from pathlib import Path

import pytest

from lambda_latency.cli.settings import ProjectSettings, read_settings
from lambda_latency.latency import read_gate
from lambda_latency.layer import WRAPPER, layer_files
from lambda_latency.runtime import bootstrap
from lambda_latency.variables import runtime_names
from tests.adopt.apps import adopt, files
from tests.docs.pages import ROOT, page
from tests.template.deployed import deploy, template

HERE = ROOT / "otel" / "tests" / "upgrade"
# By what somebody has, the test of what the page says about it.
TESTS = {
    "an adopted app": "upgrade/test_upgrade.py::test_an_adopted_app_is_renewed_and_restored",
    "a deployed template": "upgrade/test_upgrade.py::test_a_deployed_template_finds_its_names_in_the_new_layer",
    "a stack of the template with 20 parameters (before 1 December 2026)": (
        "upgrade/test_upgrade.py::test_an_update_replaces_neither_the_table_nor_the_api"
    ),
    "an archive": "archive/test_earlier.py::test_it_is_compacted_and_queried",
    "`lambda-latency.toml` or `[tool.lambda-latency]`": "upgrade/test_upgrade.py::test_settings_are_read_as_before",
    "a program that reads the report's JSON": "text/test_schema.py::test_no_other_key_has_gone",
    "a program that imports `lambda_latency`": "upgrade/test_upgrade.py::test_names_that_a_program_imports",
    "a saved page": "page/test_saved.py::test_a_saved_page_needs_nothing_else",
    "tests of span trees": "testing/test_project.py::test_three_tests_in_under_30_lines_and_one_fails_with_the_diff",
    "a gate in CI": "action/test_action.py::test_a_condition_that_cannot_be_decided_fails_or_warns",
    "a workflow with the Action": "action/test_action.py::test_a_run_that_met_its_condition_is_no_baseline",
    "targets of `make` that measured something": "docs/test_commands.py::test_make_alone_lists_what_people_need",
}
# What functions and templates of that time name.
VARIABLES = (
    "HANDLER", "INSTRUMENTATIONS", "FIRST_FLUSH_MS", "FLUSH_MS", "BUFFERED_SPANS", "BUFFERED_KB", "EXPORT", "REDACTED",
    "STAND_INS", "TRUST_HEADERS", "CONNECTIONS", "XRAY_SDK",
)  # fmt: skip
SETTINGS = """\
ours = ["*.internal"]
theirs = ["payments*"]
slow = 800.5
fail-if = ["p95 > 800ms", "errors > 5%"]
from = "lambda"
color = "never"
ignore = ["layer-old"]
"""
TESTING = (
    "CLIENT", "CONSUMER", "Clock", "ERROR", "Expectation", "INTERNAL", "Invoke", "OK", "PRODUCER", "Recording",
    "SERVER", "Snapshot", "UNSET", "any_order", "api_event", "at_most", "concurrent", "dynamodb_event", "event",
    "eventbridge_event", "ms", "recorded", "remote", "snapshot_of", "span", "sqs_event",
)  # fmt: skip


def test_each_row_of_the_page_has_its_test() -> None:
    """By the name of a function that exists."""
    rows = [have for have, _ in page("how-to/upgrade.md").table("you have | after the upgrade")]
    assert rows == list(TESTS)
    for name in TESTS.values():
        path, _, function = name.partition("::")
        assert f"\ndef {function}(" in (ROOT / "otel" / "tests" / path).read_text()


def test_an_adopted_app_is_renewed_and_restored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--check` tells, `--upgrade` leaves the layer of this release alone, `--undo` restores the bytes."""
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with tarfile.open(HERE / "adopted.tar.xz") as packed:
        packed.extraction_filter = getattr(tarfile, "data_filter", None)
        packed.extractall(tmp_path)  # noqa: S202 - our own
    status, _, said = adopt(tmp_path, "--check")
    command = f"lambda-latency adopt --vendor --template {tmp_path} --upgrade"
    assert (status, said.splitlines()[1]) == (3, f"  {command}")
    status, out, _ = adopt(tmp_path, "--upgrade")
    written, removed = map(int, re.findall(r"Written: (\d+) files\. Removed: (\d+) of an earlier release", out)[0])
    assert (status, written > 0, removed > 0) == (0, True, True)
    assert re.findall(r"^lambda-latency-layer/: \d+ (\w+) files$", out, re.MULTILINE) == ["new", "changed"]
    assert re.findall(r"^--- a/(.*)$", out, re.MULTILINE) in ([], ["template.yaml"])
    layer = files(tmp_path / "lambda-latency-layer")
    assert {name for name in layer if not name.endswith(".pyc")} == {*layer_files(), "lambda-latency/collector.yaml"}
    assert adopt(tmp_path, "--check")[0] == 0
    assert adopt(tmp_path, "--undo")[0] == 0
    assert files(tmp_path) == files(ROOT / "otel" / "tests" / "adopt" / "shop")


def test_a_deployed_template_finds_its_names_in_the_new_layer() -> None:
    """The wrapper, the handler, and every variable."""
    assert WRAPPER == "lambda-latency/wrapper"
    assert {WRAPPER, "python/lambda_latency/runtime/bootstrap.py"} <= layer_files().keys()
    with pytest.raises(RuntimeError, match="LAMBDA_LATENCY_HANDLER must name the function's handler, got nothing"):
        _ = bootstrap.handler
    assert {f"LAMBDA_LATENCY_{name}" for name in VARIABLES} <= runtime_names()


@pytest.mark.parametrize(("name", "head"), [("lambda-latency.toml", ""), ("pyproject.toml", "[tool.lambda-latency]\n")])
def test_settings_are_read_as_before(name: str, head: str, tmp_path: Path) -> None:
    """Each of them, in either file."""
    (tmp_path / name).write_text(head + SETTINGS)
    gates = (read_gate("p95 > 800ms"), read_gate("errors > 5%"))
    wanted = ProjectSettings(("*.internal",), ("payments*",), 800_500_000, gates, "lambda", "never", ("layer-old",))
    assert read_settings(tmp_path, environ={}) == wanted


def test_names_that_a_program_imports() -> None:
    """All that the kit for tests offered; the page gives the new name for each old one of the public modules."""
    assert set(TESTING) <= set(importlib.import_module("lambda_latency.testing").__all__)
    rows = page("how-to/upgrade.md").table("module | then | now")
    assert len(rows) > 10
    for module, old, new in (row for row in rows if "." not in row[1]):  # the others are of classes
        offered = set(importlib.import_module(f"lambda_latency.{module.strip('`')}").__all__)
        assert (names(new) - offered, names(old) & offered) == (set(), set()), module


def names(cell: str) -> set[str]:
    """The names in a cell of the table, without the arguments of functions."""
    return set(re.findall(r"`(\w+)", cell))


FUNCTIONS = ("CancelOrder", "CreateOrder", "GetOrder", "ListOrders")
# What it deployed by its defaults, but for the deployment and the layer, whose names change with their content.
EARLIER = {
    "Api": "AWS::ApiGateway::RestApi",
    "ApiStage": "AWS::ApiGateway::Stage",
    "OrdersTable": "AWS::DynamoDB::Table",
    "SamplingRule": "AWS::XRay::SamplingRule",
    "Observability": "AWS::CloudFormation::Stack",
    **dict.fromkeys(FUNCTIONS, "AWS::Lambda::Function"),
    **{f"{function}Log": "AWS::Logs::LogGroup" for function in FUNCTIONS},
    **{f"{function}Role": "AWS::IAM::Role" for function in FUNCTIONS},
}
# A change of one of these replaces the resource.
TABLE = {
    "AttributeDefinitions": [
        {"AttributeName": "order_id", "AttributeType": "S"},
        {"AttributeName": "customer", "AttributeType": "S"},
        {"AttributeName": "created_at", "AttributeType": "S"},
    ],
    "KeySchema": [{"AttributeName": "order_id", "KeyType": "HASH"}],
}
GONE = (
    "Export", "Instrumentation", "Authorizer", "UserPoolArn", "AccessLog", "Protection", "Alarms", "Architecture",
    "RequestsPerSecond", "PaymentsTimeoutMs", "AdotLayerArn", "CollectorLayerArn",
)  # fmt: skip


def test_an_update_replaces_neither_the_table_nor_the_api() -> None:
    """Nor a function, a log group or a role: each has its logical id and type."""
    stack = deploy()
    kept = {name: resource["Type"] for name, resource in stack.resources.items() if name in EARLIER}
    table = stack.resources["OrdersTable"]["Properties"]

    assert kept == EARLIER
    assert {name: table[name] for name in TABLE} == TABLE
    assert "TableName" not in table
    assert stack.resources["Api"]["Properties"]["EndpointConfiguration"] == {"Types": ["REGIONAL"]}


def test_the_page_says_where_the_value_of_each_parameter_is_now() -> None:
    """Each parameter that is gone has its rows."""
    rows = "\n".join(parameter for parameter, _, _ in page("how-to/upgrade.md").table("parameter | value | now"))
    text = page("how-to/upgrade.md").text.split("## The stack of the earlier template", 1)[1]

    assert [name for name in GONE if f"`{name}`" not in text] == []
    assert [name for name in template()["Parameters"] if f"`{name}`" in rows] == []
