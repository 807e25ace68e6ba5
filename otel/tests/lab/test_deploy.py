"""What is deployed to the emulator is the template itself, but for what its translation says."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest
from samcli.yamlhelper import yaml_dump, yaml_parse

from lab.deploy.translation import translate
from lab.deploy.variants import VARIANTS
from lambda_latency.alarm import write_part
from tests.docs.pages import page
from tests.parts import copied
from tests.template.deployed import ROOT, template
from tests.template.variants import EXPORTS, INSTRUMENTATIONS, variant_text

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
    (tmp_path / "Observability").mkdir()
    (tmp_path / "Observability" / "template.yaml").write_text(yaml_dump(copy.deepcopy(template("observability.yaml"))))
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
    variables = shared["Environment"]["Variables"]
    variables["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = {"Fn::If": ["IsTraced", SPANS, {"Ref": "AWS::NoValue"}]}
    variables["AWS_XRAY_DAEMON_ADDRESS"] = "127.0.0.1:2000"

    assert yaml_parse(translate(built, SPANS, daemon="127.0.0.1:2000").read_text()) == expected


def test_each_variant_is_deployed() -> None:
    """Those of `adopt`, those of the page about production, and each value of Tracing."""
    adopted = {(variant.export, variant.instrumentation) for variant in VARIANTS.values()}
    lines = [variant.lines for variant in VARIANTS.values() if variant.lines]
    tracing = {variant.parameters.get("Tracing", "Active") for variant in VARIANTS.values()}

    assert adopted == set(product(EXPORTS, INSTRUMENTATIONS))
    assert lines == [yaml_parse(block) for block in page("how-to/harden.md").blocks("yaml")]
    assert tracing == set(template()["Parameters"]["Tracing"]["AllowedValues"])


def test_the_alarms_that_the_emulator_refuses_watch_one_of_their_metrics(built: Path) -> None:
    """All else of the stack within the stack is deployed as it is."""
    inner = built.parent / "Observability"
    expected = yaml_parse((inner / "template.yaml").read_text())
    del expected["Resources"]["SlowRequests"], expected["Transform"]
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
    assert json.dumps(deployed, sort_keys=True) == json.dumps(expected, sort_keys=True)
    assert first == {
        "SlowAlarm": ("Latency", "p95"),
        "ServerErrorAlarm": ("5XXError", "Sum"),
        "ErrorAlarm": ("Errors", "Sum"),
        "TimeoutAlarm": ("Duration", "Maximum"),
        "FunctionThrottleAlarm": ("Throttles", "Sum"),
        "TableThrottleAlarm": ("ReadThrottleEvents", "Sum"),
    }


def test_the_function_that_explains_is_started_without_the_kit(tmp_path: Path) -> None:
    """In its folder, with this environment's msgspec."""
    write_part(tmp_path / "part", copied)
    explain = yaml_parse(translate(tmp_path / "part" / "template.yaml", SPANS).read_text())["Resources"]["Explain"]
    function = tmp_path / "part" / "function"
    start = function / "bootstrap"

    assert (explain["Properties"]["CodeUri"], explain["Properties"]["Runtime"]) == ("function/", "provided.al2023")
    assert os.access(start, os.X_OK)
    assert (
        start.read_text().splitlines()[-1]
        == f'exec "{sys.executable}" "{ROOT}/otel/lambda_latency/local/sandbox/bootstrap.py"'
    )
    assert not (function / "msgspec").exists()


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


@pytest.mark.parametrize("export", EXPORTS)
def test_spans_of_each_variant_go_to_the_receiver(built: Path, export: str) -> None:
    """Where its functions send to a collector or to X-Ray's endpoint; the daemon has an address of its own."""
    resources = yaml_parse(built.read_text())["Resources"]
    written = yaml_parse(variant_text(export, "kit"))
    for name in (*FUNCTIONS, "Kit", "Observability"):
        written["Resources"][name] = resources[name]
    built.write_text(yaml_dump(written))
    shared = yaml_parse(translate(built, SPANS, daemon="127.0.0.1:2000").read_text())["Globals"]["Function"]
    variables = shared["Environment"]["Variables"]
    endpoint = {"Fn::If": ["IsTraced", SPANS, {"Ref": "AWS::NoValue"}]}

    assert variables.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == (None if export == "daemon" else endpoint)
    assert variables["AWS_XRAY_DAEMON_ADDRESS"] == "127.0.0.1:2000"
