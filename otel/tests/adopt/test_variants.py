"""An app that is traced is switched to another export or instrumentation, and back: exactly what is deployed then."""

import json
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import cfnlint.api
import pytest
from cfnlint.config import ManualArgs
from samcli.yamlhelper import yaml_parse

from lambda_latency.adopt import AdoptOptions, edited_template
from lambda_latency.doctor import Deployment, diagnose
from lambda_latency.example import STARTER
from tests.adopt.apps import TEMPLATE, adopt, files, make_app
from tests.docs.pages import ROOT
from tests.template.deployed import Stack, deploy, deploy_text, deploy_written

APPS = Path(__file__).parent
Variant = tuple[str, str]
VARIANTS: tuple[Variant, ...] = tuple(
    (export, instrumentation) for export in ("collector", "daemon", "otlp") for instrumentation in ("kit", "layer")
)
FUNCTIONS = ["CancelOrder", "CreateOrder", "GetOrder", "ListOrders"]
ADOT = "arn:aws:lambda:us-east-1:615299751070:layer:AWSOpenTelemetryDistroPython:29"
COLLECTOR = "arn:aws:lambda:us-east-1:901920570463:layer:aws-otel-collector-{}-ver-0-117-0:1"
DISABLED = (
    "urllib,urllib3,aio-pika,aiohttp-client,aiohttp-server,aiopg,asgi,asyncio,asyncpg,boto,boto3,boto3sqs,cassandra,celery,"
    "confluent_kafka,dbapi,django,elasticsearch,falcon,fastapi,flask,grpc_client,grpc_server,grpc_aio_client,"
    "grpc_aio_server,httpx,jinja2,kafka,logging,mysql,mysqlclient,pika,psycopg,psycopg2,pymemcache,pymongo,pymysql,pyramid,"
    "redis,remoulade,sklearn,sqlalchemy,sqlite3,starlette,system_metrics,threading,tornado,tortoiseorm,wsgi,"
    "openai_agents,aws_openai_agents,aws_crewai,aws_langchain,aws_mcp,aws_llama-index"
)
KIT = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/lambda-latency/wrapper"}
LAYER = {
    "AWS_LAMBDA_EXEC_WRAPPER": "/opt/otel-instrument",
    "OTEL_PYTHON_DISTRO": "aws_distro",
    "OTEL_PYTHON_CONFIGURATOR": "aws_configurator",
    "OTEL_PROPAGATORS": "xray",
    "OTEL_AWS_APPLICATION_SIGNALS_ENABLED": "false",
    "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": DISABLED,
}
COLLECTED = {
    "OPENTELEMETRY_COLLECTOR_CONFIG_URI": "/opt/lambda-latency/collector.yaml",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://localhost:4318/v1/traces",
}
# As commit 1a784ab8's template deployed them by its parameters Export and Instrumentation.
VARIABLES = {
    ("collector", "kit"): KIT | COLLECTED,
    ("collector", "layer"): LAYER | COLLECTED | {"OTEL_EXPORTER_OTLP_TIMEOUT": "1"},
    ("daemon", "kit"): KIT | {"LAMBDA_LATENCY_EXPORT": "daemon"},
    ("daemon", "layer"): LAYER,
    ("otlp", "kit"): KIT | {"LAMBDA_LATENCY_EXPORT": "otlp"},
    ("otlp", "layer"): LAYER | {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://xray.us-east-1.amazonaws.com/v1/traces"},
}
EXAMPLE = {
    "ORDERS_TABLE": {"Ref": "OrdersTable"},
    "PAYMENTS_URL": "https://payments.invalid",
    "PAYMENTS_TIMEOUT_MS": "3000",
}
STAGE = {"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=dev"}
WRITES = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
SPANS = {"xray:PutSpans", "xray:PutSpansForIndexing"}
WORDS = ("otel", "exec_wrapper", "collector", "lambda_latency", "layer:", "layerversion", "xray", "x-ray", "telemetry")

each_variant = pytest.mark.parametrize("variant", VARIANTS, ids=".".join)


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The example's template in a folder of its own, with the files that it names."""
    for name in ("template.yaml", "observability.yaml", "explain.yaml", "collector.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("functions", "otel/lambda_latency/runtime"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    return tmp_path / "template.yaml"


def options(variant: Variant) -> tuple[str, ...]:
    """The command's options for a variant."""
    return "--export", variant[0], "--instrumentation", variant[1]


def switch(path: Path, variant: Variant) -> None:
    """Writes a variant, which the command then confirms."""
    assert adopt(path, *options(variant), "--write")[0] == 0
    assert adopt(path, *options(variant), "--check")[0] == 0


def layers(stack: Stack, function: str) -> list[Any]:
    """The layers behind the kit's own, which is the first."""
    listed: list[Any] = stack.resources[function]["Properties"]["Layers"]
    first, *others = listed
    assert stack.resources[first["Ref"]]["Type"] == "AWS::Lambda::LayerVersion"
    return others


def xray_actions(stack: Stack, role: str) -> set[str]:
    """The actions for X-Ray of a role's policies, inline and managed by the template."""
    properties = stack.resources[role]["Properties"]
    references = [policy["Ref"] for policy in properties.get("ManagedPolicyArns", ()) if isinstance(policy, dict)]
    documents = [
        *(stack.resources[name]["Properties"]["PolicyDocument"] for name in references),
        *(policy["PolicyDocument"] for policy in properties.get("Policies", ())),
    ]
    actions = [statement["Action"] for document in documents for statement in document["Statement"]]
    listed = [action for written in actions for action in ([written] if isinstance(written, str) else written)]
    return {action for action in listed if action.startswith("xray:")}


@each_variant
def test_the_example_deploys_what_its_parameters_did(variant: Variant) -> None:
    """Variables, layers and permissions of each function; with tracing off no word of it; cfn-lint has no finding."""
    text = edited_template(ROOT / "template.yaml", AdoptOptions(variant[0], instrumentation=variant[1]))
    for mode in ("Active", "PassThrough"):
        stack = deploy_text(text, Tracing=mode)
        for function in FUNCTIONS:
            assert stack.variables(function) == EXAMPLE | STAGE | VARIABLES[variant]
            assert layers(stack, function) == [ADOT, *[COLLECTOR.format("arm64")][: variant[0] == "collector"]]
            expected = WRITES | SPANS if variant[0] == "otlp" else WRITES
            assert xray_actions(stack, f"{function}Role") == expected
    off = deploy_text(text, Tracing="Off")
    assert [word for word in WORDS if word in off.text().lower()] == []
    assert {name: off.variables(name) for name in FUNCTIONS} == dict.fromkeys(FUNCTIONS, EXAMPLE)
    assert off.resources == deploy(Tracing="Off").resources
    findings = cfnlint.api.lint(text, config=ManualArgs(regions=["us-east-1"], include_checks=["I"]))
    assert [finding.message for finding in findings] == []


@each_variant
def test_the_example_is_switched_and_switched_back(example: Path, variant: Variant) -> None:
    """One file is written, the doctor is content, a second run changes nothing; back, the same is deployed."""
    before = files(example.parent)
    original = deploy_text(example.read_text())
    switch(example, variant)
    written = files(example.parent)
    assert {name for name in written if written[name] != before.get(name)} <= {
        "template.yaml",
        ".lambda-latency/adopted.json",
    }
    assert diagnose(example, Deployment()) == ()
    other = ("daemon", "kit") if variant != ("daemon", "kit") else ("otlp", "layer")
    assert adopt(example, "--check", *options(other))[0] == 3
    assert "Nothing to do: it is adopted.\n" in adopt(example, "--write", "--force", *options(variant))[1]
    assert adopt(example, "--check")[0] == 0
    switch(example, ("collector", "kit"))
    assert deploy_text(example.read_text()) == original
    if variant != ("collector", "kit"):
        assert adopt(example, "--undo")[0] == 0
    assert files(example.parent) == before


@cache
def made_from_the_example(variant: Variant) -> Stack:
    """The stack of the example's template after one switch."""
    return deploy_text(edited_template(ROOT / "template.yaml", AdoptOptions(variant[0], instrumentation=variant[1])))


@pytest.mark.parametrize("start", VARIANTS, ids=".".join)
def test_every_variant_leads_to_every_other(example: Path, start: Variant) -> None:
    """What is deployed does not depend on the variant before; one option leaves the other as it is."""
    example.write_text(edited_template(example, AdoptOptions(start[0], instrumentation=start[1])))
    for variant in VARIANTS:
        text = edited_template(example, AdoptOptions(variant[0], instrumentation=variant[1]))
        assert deploy_text(text).resources == made_from_the_example(variant).resources
    by_export = edited_template(example, AdoptOptions("otlp"))
    assert deploy_text(by_export).resources == made_from_the_example(("otlp", start[1])).resources


@each_variant
def test_the_template_of_init_is_switched_and_switched_back(tmp_path: Path, variant: Variant) -> None:
    """Its items are written over several lines."""
    template = tmp_path / "template.yaml"
    shutil.copy(STARTER / "template.yaml", template)
    original = deploy_text(template.read_text())
    ours = VARIABLES["collector", "kit"]
    own = {name: value for name, value in original.variables("GetOrder").items() if name not in ours}
    switch(template, variant)
    stack = deploy_text(template.read_text())
    assert stack.variables("GetOrder") == own | VARIABLES[variant]
    assert layers(stack, "GetOrder") == [ADOT, *[COLLECTOR.format("arm64")][: variant[0] == "collector"]]
    assert xray_actions(stack, "GetOrderRole") == (WRITES | SPANS if variant[0] == "otlp" else WRITES)
    off = deploy_text(template.read_text(), Tracing="Off")
    assert [word for word in WORDS if word in off.text().lower()] == []
    switch(template, ("collector", "kit"))
    assert deploy_text(template.read_text()) == original
    assert not (tmp_path / "lambda-latency-layer").exists()


def test_comments_and_other_variables_stay(example: Path) -> None:
    """Every line that is not of the variant stays, in its order."""
    before = example.read_text().splitlines()
    after = edited_template(example, AdoptOptions("otlp", instrumentation="layer")).splitlines()
    removed = [line.split(":")[0].strip(" -") for line in before if line not in after]
    assert removed == [
        '!If [IsTraced, !Sub "arn',
        "AWS_LAMBDA_EXEC_WRAPPER",
        "OPENTELEMETRY_COLLECTOR_CONFIG_URI",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    ]
    assert [line for line in after if line in before] == [line for line in before if line in after]


PLAIN = """\
Transform: AWS::Serverless-2016-10-31
Globals:
  Api: { OpenApiVersion: "3.0.1" }
Resources:
  One:
    Type: AWS::Serverless::Function
    Properties:
      { Runtime: python3.12, Handler: app.handler, CodeUri: src/, Architectures: [arm64], MemorySize: 512, Timeout: 20 }
  Two:  # on the other processor
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: app.handler
      CodeUri: src/
      MemorySize: 512
      Timeout: 20
      Role: !GetAtt Worker.Arn
      Environment:
        Variables:
          # the app's own
          TABLE: orders
  Worker:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {}
"""
TWO = {"One": ("arm64", {}), "Two": ("amd64", {"TABLE": "orders"})}


def deployed(text: str, region: str = "us-east-1", **parameters: str) -> Stack:
    """The stack of a template; `Parameters` is there also where the template has none."""
    written = yaml_parse(text)
    return deploy_written({"Parameters": {}, **written}, region, **parameters)


@pytest.mark.parametrize(
    ("variant", "kind"),
    [
        *((variant, "yaml") for variant in VARIANTS),
        *((variant, kind) for kind in ("crlf", "json") for variant in (("daemon", "kit"), ("otlp", "layer"))),
    ],
)
def test_an_adopted_app_with_properties_of_each_function(tmp_path: Path, variant: Variant, kind: str) -> None:
    """Adopted in a variant or switched to it, the same is deployed; a region without the collector has the daemon."""
    source = PLAIN
    if kind == "json":
        source = as_json(PLAIN)
    template = make_app(tmp_path / "app", source.replace("\n", "\r\n") if kind == "crlf" else source)
    direct = edited_template(template, AdoptOptions(variant[0], instrumentation=variant[1]))
    before = files(tmp_path)
    assert adopt(template, "--write")[0] == 0
    original = read(template)
    switch(template, variant)
    text = read(template)
    assert (text.count("\r\n") == text.count("\n")) == (kind == "crlf")
    assert diagnose(template, Deployment()) == ()
    stack = deployed(text)
    assert stack.resources == deployed(direct).resources
    in_collector = {"LAMBDA_LATENCY_EXPORT": "collector"} if variant == ("collector", "kit") else {}
    for function, (processor, own) in TWO.items():
        assert stack.variables(function) == own | VARIABLES[variant] | in_collector
        assert layers(stack, function) == [ADOT, *[COLLECTOR.format(processor)][: variant[0] == "collector"]]
        role = "Worker" if function == "Two" else "OneRole"
        assert xray_actions(stack, role) == (SPANS if variant[0] == "otlp" else set())
    elsewhere = deployed(text, "ap-northeast-3")
    as_daemon = VARIABLES["daemon" if variant[0] == "collector" else variant[0], variant[1]]
    if variant != ("otlp", "layer"):
        assert elsewhere.variables("Two") == {"TABLE": "orders"} | as_daemon
    off = deployed(text, Tracing="Off")
    assert off.variables("Two") == {"TABLE": "orders"}
    assert xray_actions(off, "Worker") == xray_actions(off, "OneRole") == set()
    findings = cfnlint.api.lint(text, config=ManualArgs(regions=["us-east-1"]))
    assert [finding.rule.id for finding in findings if finding.rule.id[1:] in ("8001", "2001")] == []
    switch(template, ("collector", "kit"))
    assert deployed(read(template)) == deployed(original)
    assert adopt(template, "--undo")[0] == 0
    assert files(tmp_path) == before


def read(template: Path) -> str:
    """A template's text with its own line ends."""
    return template.read_bytes().decode()


def as_json(text: str) -> str:
    """A template in JSON."""
    return json.dumps(yaml_parse(text), indent=2)


@pytest.mark.parametrize("export", ["collector", "daemon", "otlp"])
@pytest.mark.parametrize("name", ["orders", "shop"])
def test_an_app_of_the_sdk_keeps_the_kits_wrapper(tmp_path: Path, name: str, export: str) -> None:
    """Its export can be switched; ADOT's wrapper would not start the bridge, so its functions are left to a person."""
    app = tmp_path / name
    shutil.copytree(APPS / name, app, ignore=shutil.ignore_patterns("__pycache__"))
    status, out, _ = adopt(app, "--write", "--instrumentation", "layer")
    assert (status, "whose bridge only the kit's wrapper starts" in out) == (4, True)
    assert files(app) == files(APPS / name)
    assert adopt(app, "--write")[0] == 0
    original = deployed(read(app / "template.yaml"))
    assert adopt(app, "--write", "--export", export)[0] == 0
    stack = deployed(read(app / "template.yaml"))
    expected = dict(VARIABLES[export, "kit"]) | {"LAMBDA_LATENCY_EXPORT": export, "LAMBDA_LATENCY_XRAY_SDK": "bridge"}
    for function in stack.functions:
        variables = stack.variables(function)
        assert {key: variables[key] for key in variables if key not in ("TABLE", "POWERTOOLS_SERVICE_NAME")} == expected
    status, out, err = adopt(app, "--check", "--instrumentation", "layer")
    assert (status, "cannot be switched" in err) == (3, True)
    assert adopt(app, "--write", "--export", "collector")[0] == 0
    assert deployed(read(app / "template.yaml")) == original


BY_HAND = f"""\
{TEMPLATE}      MemorySize: 512
      Timeout: 20
      Tracing: Active
      Layers:
        - !Ref LambdaLatency
        - arn:aws:lambda:us-east-1:615299751070:layer:AWSOpenTelemetryDistroPython:29
        - arn:aws:lambda:us-east-1:901920570463:layer:aws-otel-collector-amd64-ver-0-117-0:1
      Environment:
        Variables:
          AWS_LAMBDA_EXEC_WRAPPER: /opt/lambda-latency/wrapper
          OPENTELEMETRY_COLLECTOR_CONFIG_URI: /opt/lambda-latency/collector.yaml
          OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: http://localhost:4318/v1/traces
  LambdaLatency:
    Type: AWS::Serverless::LayerVersion
    Properties:
      ContentUri: lambda-latency-layer/
"""


@each_variant
def test_a_template_without_conditions_gets_plain_values(tmp_path: Path, variant: Variant) -> None:
    """As docs/how-to/existing-app.md writes it."""
    template = make_app(tmp_path / "app", BY_HAND)
    original = deployed(BY_HAND)
    switch(template, variant)
    text = read(template)
    assert "!If" not in text
    assert deployed(text).variables("One") == VARIABLES[variant]
    assert diagnose(template, Deployment()) == ()
    switch(template, ("collector", "kit"))
    assert deployed(read(template)) == original


def test_adots_own_set_up_is_left_to_a_person(tmp_path: Path) -> None:
    """ADOT's wrapper without the kit's layer is not the kit's, whatever other layers the template makes."""
    own = BY_HAND.replace("/opt/lambda-latency/wrapper", "/opt/otel-instrument").replace(
        "lambda-latency-layer", "shared"
    )
    make_app(tmp_path, own)
    status, out, _ = adopt(tmp_path, "--export", "daemon")
    assert (status, "One: it has a layer of OpenTelemetry already" in out) == (4, True)


COMPUTED = "!If [IsProd, !If [IsLayer, /opt/otel-instrument, /opt/lambda-latency/wrapper], !Ref AWS::NoValue]"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("/opt/lambda-latency/wrapper", COMPUTED, "One: its AWS_LAMBDA_EXEC_WRAPPER is computed"),
        (
            "MemorySize: 512",
            "MemorySize: 512\n      Role: arn:aws:iam::123456789012:role/mine",
            "xray:PutSpansForIndex",
        ),
    ],
)
def test_what_cannot_be_switched_is_said(tmp_path: Path, old: str, new: str, said: str) -> None:
    """With what to do."""
    conditions = "Conditions:\n  IsProd: !Equals [a, a]\n  IsLayer: !Equals [a, b]\nResources:"
    make_app(tmp_path, BY_HAND.replace(old, new).replace("Resources:", conditions))
    assert said in adopt(tmp_path, "--export", "otlp")[1]


def test_an_export_that_is_computed_needs_the_option(tmp_path: Path) -> None:
    """Of a variable whose value a parameter gives."""
    computed = "          LAMBDA_LATENCY_EXPORT: !Ref Way\n  LambdaLatency:"
    text = BY_HAND.replace("  LambdaLatency:", computed, 1).replace(
        "Resources:", "Parameters:\n  Way: { Type: String, Default: daemon }\nResources:"
    )
    template = make_app(tmp_path, text)
    assert (
        "One: its LAMBDA_LATENCY_EXPORT is computed: name --export, too"
        in adopt(tmp_path, "--instrumentation", "layer")[1]
    )
    assert "LAMBDA_LATENCY_EXPORT: otlp" in edited_template(template, AdoptOptions("otlp"))


def test_a_function_that_overrides_globals_is_named(example: Path) -> None:
    """Its own variable stays."""
    environment = "      Environment: { Variables: { LAMBDA_LATENCY_EXPORT: daemon } }\n"
    own = f"      Handler: functions.orders.get_order\n{environment}"
    example.write_text(example.read_text().replace("      Handler: functions.orders.get_order\n", own))
    out = adopt(example, "--export", "otlp")[1]
    assert "GetOrder: its own LAMBDA_LATENCY_EXPORT stays: remove it if it should be as in Globals" in out


def test_the_layers_wrapper_needs_adots_layer(tmp_path: Path) -> None:
    """Which an app with bundled packages does not have."""
    make_app(tmp_path)
    status, _, err = adopt(tmp_path, "--instrumentation", "layer", "--packages", "bundled")
    assert (status, "--instrumentation layer needs ADOT's layer" in err) == (1, True)


def test_a_function_that_is_added_later_is_traced_as_the_others(tmp_path: Path) -> None:
    """Without an option: by the export and the instrumentation of those that are there."""
    template = make_app(tmp_path)
    adopt(template, "--write", "--export", "otlp", "--instrumentation", "layer")
    template.write_text(template.read_text() + TEMPLATE.partition("Resources:\n")[2].replace("One", "Two"))
    assert [adopt(template, option)[0] for option in ("--check", "--write")] == [3, 0]
    stack = deployed(read(template))
    assert stack.variables("One") == stack.variables("Two") == VARIABLES["otlp", "layer"]
    assert adopt(template, "--check", *options(("otlp", "layer")))[0] == 0


def test_the_processor_of_a_parameter_comes_and_goes_with_the_collector(tmp_path: Path) -> None:
    """Its condition is there only while the collector's layer uses it."""
    text = TEMPLATE.replace("Resources:", "Parameters:\n  Cpu: { Type: String, Default: arm64 }\nResources:")
    template = make_app(tmp_path, text + "      Architectures: [!Ref Cpu]\n")
    adopt(template, "--write")
    original = deployed(read(template))
    assert layers(original, "One")[1] == COLLECTOR.format("arm64")
    switch(template, ("daemon", "layer"))
    assert "IsArm" not in read(template)
    switch(template, ("collector", "kit"))
    assert deployed(read(template)) == original
    names = [
        line.partition(":")[0].strip() for line in read(template).splitlines() if line.startswith("  LambdaLatencyIs")
    ]
    assert names[-2:] == ["LambdaLatencyIsCollected", "LambdaLatencyIsArm"]  # whatever the hash of a text is
