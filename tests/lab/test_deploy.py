"""What is deployed to the emulator is the template itself, but for what its translation says."""

from __future__ import annotations

import copy
import json
import os
import sys
from pathlib import Path

import pytest
from samcli.yamlhelper import yaml_dump, yaml_parse

from lab.deploy.translation import translate
from tests.template.deployed import ROOT, template

FUNCTIONS = ("CreateOrder", "GetOrder", "ListOrders", "CancelOrder")
SPANS = "http://127.0.0.1:4319/v1/traces"


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A built template as `sam build` leaves it: each function with a folder of its own."""
    written = copy.deepcopy(template())
    for function in FUNCTIONS:
        written["Resources"][function]["Properties"]["CodeUri"] = function
        (tmp_path / function).mkdir()
    written["Resources"]["Kit"]["Properties"]["ContentUri"] = "Kit"
    written["Resources"]["Observability"]["Properties"]["Location"] = "Observability/template.yaml"
    inner, innermost = copy.deepcopy(template("observability.yaml")), copy.deepcopy(template("explain.yaml"))
    inner["Resources"]["Explanations"]["Properties"]["Location"] = "Explanations/template.yaml"
    innermost["Resources"]["Explain"]["Properties"]["CodeUri"] = "Explain"
    place = tmp_path / "Observability" / "Explanations"
    (place / "Explain" / "msgspec").mkdir(parents=True)
    (place / "template.yaml").write_text(yaml_dump(innermost))
    (place.parent / "template.yaml").write_text(yaml_dump(inner))
    path = tmp_path / "template.yaml"
    path.write_text(yaml_dump(written))
    return path


def test_only_what_the_emulator_cannot_do_is_changed(built: Path) -> None:
    """Whoever adds to the template sees it deployed, or refused."""
    expected = yaml_parse(built.read_text())
    del expected["Resources"]["SamplingRule"]
    expected["Resources"]["Observability"]["Properties"]["Location"] = "Observability/local.yaml"
    shared = expected["Globals"]["Function"]
    shared["Layers"] = [{"Ref": "Kit"}]
    shared["Runtime"] = "provided.al2023"
    shared["Environment"]["Variables"]["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = SPANS

    assert yaml_parse(translate(built, SPANS).read_text()) == expected


def test_the_alarms_that_the_emulator_refuses_watch_one_of_their_metrics(built: Path) -> None:
    """All else of the stack within the stack is deployed as it is."""
    inner = built.parent / "Observability"
    expected = yaml_parse((inner / "template.yaml").read_text())
    del expected["Resources"]["SlowRequests"], expected["Transform"]
    expected["Resources"]["Explanations"]["Type"] = "AWS::CloudFormation::Stack"
    properties = expected["Resources"]["Explanations"]["Properties"]
    properties["TemplateURL"] = properties.pop("Location").replace("template", "local")
    alarms = {name: one for name, one in expected["Resources"].items() if one["Type"] == "AWS::CloudWatch::Alarm"}
    first = {}
    for name, alarm in alarms.items():
        metrics = [one["MetricStat"] for one in alarm["Properties"].pop("Metrics", ()) if "MetricStat" in one]
        for stat in metrics[:1]:
            first[name] = (stat["Metric"]["MetricName"], stat["Stat"])
            key = "ExtendedStatistic" if stat["Stat"] == "p95" else "Statistic"
            alarm["Properties"] |= {**stat["Metric"], "Period": stat["Period"], key: stat["Stat"]}
    translate(built, SPANS)

    deployed = yaml_parse((inner / "local.yaml").read_text())
    del deployed["Resources"]["Explanations"]["Properties"]["Tags"]  # by SAM's translator
    assert json.dumps(deployed, sort_keys=True) == json.dumps(expected, sort_keys=True)
    assert first == {
        "SlowAlarm": ("Latency", "p95"),
        "ServerErrorAlarm": ("5XXError", "Sum"),
        "ErrorAlarm": ("Errors", "Sum"),
        "TimeoutAlarm": ("Duration", "Maximum"),
        "FunctionThrottleAlarm": ("Throttles", "Sum"),
        "TableThrottleAlarm": ("ReadThrottleEvents", "Sum"),
    }


def test_the_function_that_explains_is_started_without_the_kit(built: Path) -> None:
    """In its folder, as SAM's translator has it; with this environment's msgspec."""
    translate(built, SPANS)
    place = built.parent / "Observability" / "Explanations"
    explain = yaml_parse((place / "local.yaml").read_text())["Resources"]["Explain"]
    start = place / "Explain" / "bootstrap"

    assert (explain["Type"], explain["Properties"]["Code"]) == ("AWS::Lambda::Function", "Explain")
    assert explain["Properties"]["Runtime"] == "provided.al2023"
    assert os.access(start, os.X_OK)
    assert (
        start.read_text().splitlines()[-1]
        == f'exec "{sys.executable}" "{ROOT}/otel/lambda_latency/local/sandbox/bootstrap.py"'
    )
    assert not (place / "Explain" / "msgspec").exists()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_started_under_the_wrapper_that_it_names(built: Path, function: str) -> None:
    """By the runtime client, out of wherever its code was put."""
    translate(built, SPANS)

    start = built.parent / function / "bootstrap"
    assert os.access(start, os.X_OK)
    _, path, command = start.read_text().splitlines()
    kit = built.parent / "Kit"
    assert path.endswith(f'PYTHONPATH="{kit}/python:{ROOT}/otel/lambda_latency/local/layer/python"')
    assert command.startswith(f'exec "{kit}${{AWS_LAMBDA_EXEC_WRAPPER#/opt}}" ')
    assert command.endswith(f'"{ROOT}/otel/lambda_latency/local/sandbox/bootstrap.py"')
