"""The pages about the template and its deployment, held against the template and the build."""

import re
from typing import Any

import pytest
from samcli.lib.config.samconfig import SamConfig
from samcli.yamlhelper import yaml_parse

from tests.docs.pages import Page, page
from tests.template.deployed import ROOT, Stack, deploy, template

TEMPLATE = page("reference/template.md")
DEPLOY = page("how-to/deploy.md")
EXISTING = page("how-to/existing-app.md")


def code(cell: str) -> list[str]:
    """What a cell has in code marks."""
    return re.findall(r"`([^`]*)`", cell)


def test_every_parameter_is_in_the_table_with_its_default_and_its_values() -> None:
    """In the template's order."""
    written = template()["Parameters"]
    rows = TEMPLATE.table("parameter | default | values")

    shown = [(code(name)[0], (code(default) or [""])[0]) for name, default, _ in rows]
    assert shown == [(name, str(parameter["Default"])) for name, parameter in written.items()]
    for name, _, values in rows:
        parameter = written[code(name)[0]]
        if "AllowedValues" in parameter:
            assert code(values) == [str(value) for value in parameter["AllowedValues"]]
        elif "MinValue" in parameter:
            assert values.startswith(f"{parameter['MinValue']} to {parameter['MaxValue']}")


def test_every_output_is_in_the_table_with_its_sentence() -> None:
    """The template's own."""
    rows = {code(name)[0]: sentence for name, sentence in TEMPLATE.table("output | what it is for")}

    assert rows == {name: output["Description"] for name, output in template()["Outputs"].items()}
    assert {name for name, output in template()["Outputs"].items() if "Condition" in output} == {"Report"}


def test_every_alarm_is_in_the_table() -> None:
    """In the template's order."""
    rows = TEMPLATE.table("alarm | rings if")

    assert [code(name)[0] for name, _ in rows] == list(deploy().of_type("AWS::CloudWatch::Alarm"))


def test_every_environment_is_in_the_table() -> None:
    """With its stack and its parameters."""
    config = SamConfig(str(ROOT))
    rows = [
        (environment, code(stack)[0], "".join(code(parameters)))
        for (environment,), stack, parameters in (
            (code(name), stack, texts) for name, stack, texts in DEPLOY.table("environment | stack | parameters")
        )
    ]

    assert rows == [
        (
            environment,
            config.get_all(["global"], "parameters", environment)["stack_name"],
            config.get_all(["deploy"], "parameters", environment).get("parameter_overrides", ""),
        )
        for environment in config.document
        if environment != "version"
    ]


def function_of(stack: Stack) -> dict[str, Any]:
    """What a function is made with."""
    properties: dict[str, Any] = stack.resources["GetOrder"]["Properties"]
    return properties


def test_what_to_add_to_an_app_of_ones_own_is_what_the_template_has() -> None:
    """Variables, layers and modes of a traced function, without what is this system's own."""
    (block,) = EXISTING.blocks("yaml")
    added: dict[str, Any] = yaml_parse(block)
    stack = deploy()
    (kit,) = stack.of_type("AWS::Lambda::LayerVersion")
    layers = [{"Ref": "LambdaLatency"} if layer == {"Ref": kit} else layer for layer in function_of(stack)["Layers"]]
    system_variables = {"ORDERS_TABLE", "PAYMENTS_URL", "PAYMENTS_TIMEOUT_MS", "OTEL_RESOURCE_ATTRIBUTES"}

    variables = {name: value for name, value in stack.variables("GetOrder").items() if name not in system_variables}
    assert added["Globals"] == {
        "Function": {
            "Tracing": function_of(stack)["TracingConfig"]["Mode"],
            "Layers": layers,
            "Environment": {"Variables": variables},
        },
        "Api": {"TracingEnabled": True},
    }
    (layer,) = added["Resources"].values()
    assert layer == {
        "Type": template()["Resources"]["Kit"]["Type"],
        "Properties": {"ContentUri": "lambda-latency-layer/", "RetentionPolicy": "Delete"},
    }


@pytest.mark.parametrize(
    ("where", "path"),
    [
        (EXISTING, "collector.yaml"),
        (DEPLOY, "otel/lab/deploy/translation.py"),
    ],
)
def test_a_file_that_is_named_exists(where: Page, path: str) -> None:
    """And is named."""
    assert f"`{path}" in where.text
    assert (ROOT / path).exists()


def test_the_numbers_are_right() -> None:
    """Of alarms' metrics, which are billed, and of regions."""
    alarms = deploy().of_type("AWS::CloudWatch::Alarm").values()
    metrics = sum(len(alarm.get("Metrics", [None, None])) - 1 for alarm in alarms)

    assert f"CloudWatch bills them by metric, {metrics} in total" in TEMPLATE.text
    assert f"in the {len(template()['Mappings']['AdotPython'])} regions" in TEMPLATE.text


def test_a_new_function_is_named_in_two_lines_of_the_makefile() -> None:
    """As adding one says."""
    lines = (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()

    assert len([line for line in lines if "build-GetOrder" in line]) == 2
