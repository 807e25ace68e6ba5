"""What is deployed to the emulator is the template itself, but for what its translation says."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from samcli.yamlhelper import yaml_dump, yaml_parse

from lab.deploy.switches import SWITCHES
from lab.deploy.translation import translate, with_receiver
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
    shared["Layers"] = [{"Fn::If": ["IsTraced", {"Ref": "Kit"}, {"Ref": "AWS::NoValue"}]}]
    shared["Runtime"] = "provided.al2023"
    to_xray = {"Fn::If": ["IsSentToXRay", SPANS, {"Ref": "AWS::NoValue"}]}
    variables = shared["Environment"]["Variables"]
    by_layer = {"Fn::If": ["IsSentToXRayByLayer", SPANS, to_xray]}
    variables["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = {"Fn::If": ["IsCollected", SPANS, by_layer]}
    variables["AWS_XRAY_DAEMON_ADDRESS"] = "127.0.0.1:2000"

    assert yaml_parse(translate(built, SPANS, daemon="127.0.0.1:2000").read_text()) == expected


def test_each_value_of_a_switch_is_deployed() -> None:
    """Alone, or with what it needs; with alarms that explain themselves the whole example is."""
    free = {"SlowMs", "LogRetentionDays"}  # numbers
    parameters = {name: one for name, one in template()["Parameters"].items() if name not in free}
    values = {f"{name}={value}" for name, one in parameters.items() for value in one.get("AllowedValues", ())}
    deployed = {f"{name}={value}" for switch in SWITCHES.values() for name, value in switch.parameters.items()}
    defaults = {f"{name}={one.get('Default')}" for name, one in parameters.items()}
    assert values - defaults - deployed == {"Alarms=explained"}


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
    text = start.read_text()
    kit, layer = built.parent / "Kit", f"{ROOT}/otel/lambda_latency/local/layer"
    assert f'PYTHONPATH="{kit}/python:{layer}/python"\n' in text
    assert f'for layer in "{kit}" "{layer}"; do\n' in text
    assert text.endswith(f'exec "{sys.executable}" "{ROOT}/otel/lambda_latency/local/sandbox/bootstrap.py"\n')


@pytest.mark.parametrize(
    ("wrapper", "ran"),
    [
        ("/opt/lambda-latency/wrapper", "wrapped"),
        ("/opt/otel-instrument", "distro"),
        ("/opt/missing", "plain"),
        ("", "plain"),
    ],
)
def test_the_wrapper_is_found_in_the_layer_that_has_it(built: Path, tmp_path: Path, wrapper: str, ran: str) -> None:
    """The kit's first, then the one that stands for AWS's; without either the runtime client starts alone."""
    translate(built, SPANS)
    text = (built.parent / "GetOrder" / "bootstrap").read_text()
    names = {"Kit/lambda-latency/wrapper": "wrapped", "aws/otel-instrument": "distro"}
    for name, word in names.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\necho {word}\n")
        file.chmod(0o755)
    text = text.replace(f"{ROOT}/otel/lambda_latency/local/layer", str(tmp_path / "aws"))
    text = text.replace(f'"{sys.executable}" "{ROOT}/otel/lambda_latency/local/sandbox/bootstrap.py"', "echo plain")
    script = tmp_path / "start"
    script.write_text(text)
    answer = subprocess.run(
        ["sh", str(script)], env={"AWS_LAMBDA_EXEC_WRAPPER": wrapper}, capture_output=True, text=True, check=True
    )
    assert answer.stdout == f"{ran}\n"


def test_an_adopted_apps_spans_go_to_the_receiver() -> None:
    """Its conditions have other names than the example's."""
    nothing = {"Ref": "AWS::NoValue"}
    adopted = {"Fn::If": ["LambdaLatencyIsCollected", "http://localhost:4318/v1/traces", nothing]}
    assert with_receiver(adopted, SPANS, nothing) == {"Fn::If": ["LambdaLatencyIsCollected", SPANS, nothing]}
