"""Apps that share the kit's deployed layer: a few lines in the template, and nothing else."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from lambda_latency.adopt import LAYER_TEMPLATE, deployed, regions_of, write_layer_stack
from lambda_latency.cli import main
from lambda_latency.cli.commands.adopt import LAYERS
from lambda_latency.template import usual_template
from tests.adopt.apps import FUNCTION, HEAD, TEMPLATE, adopt, files, make_app, refused

ARN = "arn:aws:lambda:eu-west-1:123456789012:layer:lambda-latency:3"
NEWER = f"{ARN[:-1]}4"
API = "      Events: {{ Get: {{ Type: Api, Properties: {{ Path: /{name}, Method: GET }} }} }}\n"
FORTY = f"Description: Forty\n\n{HEAD}\nResources:\n" + "".join(
    (FUNCTION + API).format(name=f"F{number}") for number in range(40)
)
ONE = f"{HEAD}\nResources:\n{(FUNCTION + API).format(name='One')}"
NAMES = "Post", "Get"
WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER: /opt/lambda-latency/wrapper"
OLD = FUNCTION.format(name="Old").replace("python3.12", "python3.9")


def added(out: str) -> list[str]:
    """The lines that a printed diff adds."""
    return [line[1:] for line in out.splitlines() if re.match(r"\+(?!\+\+)", line)]


def removed(out: str) -> list[str]:
    """The lines that a printed diff removes."""
    return [line[1:] for line in out.splitlines() if re.match(r"-(?!--)", line)]


def test_forty_functions_get_seven_lines(tmp_path: Path) -> None:
    """In `Globals`, with the empty line after it; no file beside the template and the record."""
    make_app(tmp_path, FORTY)
    originals = files(tmp_path)
    status, out, _ = adopt(tmp_path, "--layer", ARN, "--write")
    assert (status, removed(out), added(out)) == (0, [], [
        "Globals:",
        "  Function:",
        "    Tracing: Active",
        f"    Layers: [{ARN}]",
        f"    Environment: {{ Variables: {{ {WRAPPER}, LAMBDA_LATENCY_EXPORT: daemon }} }}",
        "  Api: { TracingEnabled: true }",
        "",
    ])  # fmt: skip
    assert {*files(tmp_path)} - {*originals} == {".lambda-latency/adopted.json"}
    assert adopt(tmp_path, "--layer", ARN, "--check")[0] == 0
    assert adopt(tmp_path, "--undo")[0] == 0
    assert files(tmp_path) == originals


def test_with_the_collector_they_are_nine(tmp_path: Path) -> None:
    """Its layer is a line more, and the list of layers is in lines of its own."""
    make_app(tmp_path, FORTY)
    status, out, _ = adopt(tmp_path, "--layer", ARN, "--export", "collector")
    assert (status, len(added(out))) == (0, 9)
    collector = (
        '!Sub "arn:${AWS::Partition}:lambda:${AWS::Region}:901920570463:layer:aws-otel-collector-amd64-ver-0-117-0:1"'
    )
    assert f"      - {collector}" in added(out)


def test_two_processors_share_the_lines(tmp_path: Path) -> None:
    """The kit's layer is for both; the collector's is not, so with it each function has its lines."""
    make_app(tmp_path, TEMPLATE + FUNCTION.format(name="Arm") + "      Architectures: [arm64]\n")
    numbers = [len(added(adopt(tmp_path, "--layer", ARN, "--export", export)[1])) for export in ("daemon", "collector")]
    assert numbers == [5, 10]


def test_a_role_of_the_template_gets_one_line(tmp_path: Path) -> None:
    """Lambda refuses active tracing without the permission: fewer lines than one for each role are not enough."""
    role = "  {}Role:\n    Type: AWS::IAM::Role\n    Properties:\n      AssumeRolePolicyDocument: {{}}\n"
    roles = "".join(role.format(name) for name in NAMES)
    functions = "".join(f"{FUNCTION.format(name=name)}      Role: !GetAtt {name}Role.Arn\n" for name in NAMES)
    make_app(tmp_path, f"{HEAD}\nResources:\n{functions}{roles}")
    originals = files(tmp_path)
    _, out, _ = adopt(tmp_path, "--layer", ARN, "--write")
    policy = '[!Sub "arn:${AWS::Partition}:iam::aws:policy/AWSXRayDaemonWriteAccess"]'
    assert ([line.strip() for line in added(out)][6:], len(removed(out))) == ([f"ManagedPolicyArns: {policy}"] * 2, 0)
    assert adopt(tmp_path, "--undo")[0] == 0
    assert files(tmp_path) == originals


def test_a_newer_layer_replaces_the_arn_alone(tmp_path: Path) -> None:
    """`--check` says it before."""
    make_app(tmp_path, FORTY)
    adopt(tmp_path, "--layer", ARN, "--write")
    status, _, err = adopt(tmp_path, "--layer", NEWER, "--check")
    assert (status, "has another version of the layer\n" in err) == (3, True)
    _, out, _ = adopt(tmp_path, "--layer", NEWER, "--write")
    assert (removed(out), added(out)) == ([f"    Layers: [{ARN}]"], [f"    Layers: [{NEWER}]"])


def test_settings_of_the_app_stay(tmp_path: Path) -> None:
    """Its layers, variables and Tracing; only what is missing is added."""
    settings = """\
      Tracing: PassThrough
      Layers: [arn:aws:lambda:eu-west-1:123456789012:layer:own:1]
      Environment: { Variables: { OWN: "1" } }
"""
    template = make_app(tmp_path, TEMPLATE + settings)
    _, out, _ = adopt(tmp_path, "--layer", ARN, "--write")
    properties = yaml.safe_load(template.read_text())["Resources"]["One"]["Properties"]
    assert properties["Tracing"] == "PassThrough"
    assert properties["Layers"] == ["arn:aws:lambda:eu-west-1:123456789012:layer:own:1", ARN]
    assert properties["Environment"]["Variables"] == {
        "OWN": "1",
        "AWS_LAMBDA_EXEC_WRAPPER": "/opt/lambda-latency/wrapper",
        "LAMBDA_LATENCY_EXPORT": "daemon",
    }
    assert len(added(out)) == 2


def test_functions_of_an_old_python_are_named_and_the_others_adopted(tmp_path: Path) -> None:
    """The lines are in each function then, for `Globals` would reach the old one."""
    template = make_app(tmp_path, TEMPLATE + OLD)
    status, out, _ = adopt(tmp_path, "--layer", ARN, "--write")
    assert status == 4
    assert "Old: its runtime is python3.9, so it stays untraced: raise it to python3.10 or later\n" in out
    resources = yaml.safe_load(template.read_text())["Resources"]
    assert ["Layers" in resources[name]["Properties"] for name in ("One", "Old")] == [True, False]


def test_an_app_with_a_copy_of_the_kit_is_undone_before(tmp_path: Path) -> None:
    """It would have two layers of the kit."""
    make_app(tmp_path)
    adopt(tmp_path, "--write")
    (message, todo) = refused(tmp_path, "--layer", ARN)
    assert message.endswith("template.yaml uses the kit's layer in lambda-latency-layer/")
    assert todo == "  run adopt --undo first, or leave out --layer"


def test_the_hint_repeats_what_was_given(tmp_path: Path) -> None:
    """Another folder's template, too: pasted, it writes what was shown."""
    make_app(tmp_path / "an app")
    out = adopt("--template", tmp_path / "an app", "--layer", ARN, "--export", "otlp")[1]
    hint = f"lambda-latency adopt --template '{tmp_path}/an app' --layer {ARN} --export otlp --write"
    assert out.endswith(f"Nothing was written. `{hint}` writes it.\n")


def test_without_a_layer_nothing_is_decided(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A layer of one's own, or a copy: the message names both."""
    make_app(tmp_path)
    assert main(["adopt", "--template", str(tmp_path)]) == 2
    assert capsys.readouterr() == (
        "",
        f"lambda-latency: name the layer that the functions get\n  {LAYERS}\n",
    )


@pytest.mark.parametrize("arn", ["x", ARN.removesuffix(":3"), ARN.replace("eu-west-1", "nowhere")])
def test_what_is_no_version_of_a_layer_is_refused(tmp_path: Path, arn: str) -> None:
    """With the form that it has."""
    status, _, err = adopt(tmp_path, "--layer", arn)
    assert (status, "arn:aws:lambda:REGION:ACCOUNT:layer:NAME:NUMBER" in err) == (2, True)


CONFIG = "[default]\nregion = eu-south-1\n[profile trial]\nregion = eu-north-1\n[profile other]\noutput = json\n"


@pytest.mark.parametrize(
    ("environment", "regions"),
    [
        ({}, (("eu-south-1",), "the AWS profile")),
        ({"AWS_PROFILE": "trial"}, (("eu-north-1",), "the AWS profile")),
        ({"AWS_PROFILE": "other"}, ((), "")),
        ({"AWS_PROFILE": "missing"}, ((), "")),
    ],
)
def test_the_region_is_that_of_the_profile(
    tmp_path: Path, environment: dict[str, str], regions: tuple[tuple[str, ...], str]
) -> None:
    """Where neither an option, samconfig nor a variable names one; none is assumed."""
    (tmp_path / "config").write_text(CONFIG)
    assert regions_of(tmp_path, [], {**environment, "AWS_CONFIG_FILE": str(tmp_path / "config")}) == regions


def test_an_unknown_region_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is at a terminal to be asked, and nothing is written."""
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    make_app(tmp_path)
    assert refused(tmp_path, "--vendor") == [
        "lambda-latency: the region of the app is not known",
        "  --region R, AWS_REGION, or a profile with a region",
    ]
    assert adopt(tmp_path, "--vendor", "--check")[0] == 3  # of no region
    assert adopt(tmp_path, "--vendor", "--region", "eu-west-1", "--write")[0] == 0
    assert adopt(tmp_path, "--vendor", "--check")[0] == 0


# ---- The stack of the layer ----


def test_the_stack_has_a_layer_that_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kit, its wrapper, the collector's configuration, and OpenTelemetry's packages where they are installed."""

    def install(folder: Path) -> None:
        (folder / "opentelemetry").mkdir(parents=True)

    monkeypatch.setattr(deployed, "install_packages", install)
    assert write_layer_stack(tmp_path / "stack") == list(deployed.RUNTIMES)
    layer = tmp_path / "stack" / "layer"
    assert (layer / "lambda-latency" / "wrapper").stat().st_mode & 0o111
    assert {path.name for path in (layer / "python").iterdir()} == {"aws_xray_sdk", "lambda_latency", "opentelemetry"}
    assert (layer / "lambda-latency" / "collector.yaml").is_file()
    assert usual_template(tmp_path / "stack") == tmp_path / "stack" / "template.yaml"
    program = "import sys; sys.path.insert(0, sys.argv[1]); import lambda_latency.runtime.settings"
    subprocess.run([sys.executable, "-S", "-c", program, str(layer / "python")], check=True)


def test_a_folder_with_files_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is overwritten."""
    (tmp_path / "mine").touch()
    assert main(["stack", "layer", "kit", "--out", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"lambda-latency: {tmp_path} is not an empty folder\n  name a new one\n"


def test_the_layer_is_shared_with_an_organization_alone() -> None:
    """Earlier versions stay and stay shared, because deployed apps name them."""
    template = yaml.load(LAYER_TEMPLATE.read_text(), yaml.BaseLoader)  # noqa: S506 - texts only, so that tags pass
    share = template["Resources"]["Share"]
    assert (share["Condition"], share["UpdateReplacePolicy"]) == ("IsShared", "Retain")
    assert share["Properties"]["OrganizationId"] == "Organization"
    assert template["Resources"]["Kit"]["Properties"]["RetentionPolicy"] == "Retain"


SAM = """\
#!/bin/sh
"exec" "{python}" "$0" "$@"
import json, sys
if sys.argv[1] == "list":
    print(json.dumps([{{"OutputKey": "LayerArn", "OutputValue": "{arn}"}}]))
else:
    print(" ".join(sys.argv[1:]).replace(sys.argv[3], "T"), flush=True)
"""


@pytest.mark.parametrize("organization", ["", "o-a1b2c3d4e5"])
def test_a_deployment_prints_the_arn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], organization: str
) -> None:
    """A program stands for the SAM CLI, for there is no account. An option without a value would be an error."""
    sam = tmp_path / "bin" / "sam"
    sam.parent.mkdir()
    sam.write_text(SAM.format(python=sys.executable, arn=ARN))
    sam.chmod(0o755)
    monkeypatch.setenv("PATH", str(sam.parent), prepend=":")
    monkeypatch.setattr(deployed, "compile_folder", lambda *_: [])
    monkeypatch.setattr(deployed, "install_packages", lambda folder: folder.mkdir(parents=True))
    options = ["--organization", organization] if organization else []
    assert main(["stack", "layer", "kit", *options, "--deploy"]) == 0
    overrides = f" --parameter-overrides Organization={organization}" if organization else ""
    assert capfd.readouterr().out == (
        f"deploy --template-file T --stack-name kit --resolve-s3 --capabilities CAPABILITY_IAM{overrides}\n"
        f"\n{ARN}\n\nIn the folder of each app:\n\n  lambda-latency adopt --layer {ARN}\n"
    )


# ---- Other frameworks ----


def test_a_serverless_service_gets_a_fragment(tmp_path: Path) -> None:
    """It is valid YAML, of the keys of `provider`."""
    (tmp_path / "serverless.yml").write_text("service: shop\n")
    status, out, _ = adopt(tmp_path, "--layer", ARN)
    assert (status, yaml.safe_load(out)) == (0, {
        "provider": {
            "tracing": {"lambda": True, "apiGateway": True},
            "layers": [ARN],
            "environment": {
                "AWS_LAMBDA_EXEC_WRAPPER": "/opt/lambda-latency/wrapper",
                "LAMBDA_LATENCY_EXPORT": "daemon",
            },
        }
    })  # fmt: skip


def test_a_cdk_app_gets_an_aspect(tmp_path: Path) -> None:
    """A module of at most 30 lines; without a layer the message says where it comes from."""
    (tmp_path / "cdk.json").write_text('{"app": "python3 app.py"}')
    status, out, _ = adopt(tmp_path, "--layer", ARN)
    assert (status, len(out.splitlines()) <= 30) == (0, True)
    assert refused(tmp_path) == [
        "lambda-latency: cdk.json is of no SAM app",
        "  --layer ARN prints the lines for it; `lambda-latency stack layer` deploys the layer",
    ]


class Construct:
    """A function of the CDK's, as far as the aspect uses it: its calls, and its language."""

    def __init__(self, family: str) -> None:
        self.calls: list[tuple[object, ...]] = []
        self.runtime = SimpleNamespace(family=family)
        self.node = SimpleNamespace(default_child=self)

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *arguments: self.calls.append((name, *arguments))


def test_the_aspect_changes_python_functions_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a synthesized app showed with aws-cdk-lib 2.275: each of its calls is one of `aws_lambda.Function`."""
    (tmp_path / "cdk.json").write_text('{"app": "python3 app.py"}')
    lambda_ = SimpleNamespace(
        Function=Construct,
        RuntimeFamily=SimpleNamespace(PYTHON="python"),
        LayerVersion=SimpleNamespace(from_layer_version_arn=lambda _scope, _id, arn: arn),
    )
    iam = SimpleNamespace(PolicyStatement=lambda actions, resources: (actions, resources))
    modules = {
        "aws_cdk": SimpleNamespace(IAspect=object, aws_lambda=lambda_, aws_iam=iam),
        "constructs": SimpleNamespace(IConstruct=object),
        "jsii": SimpleNamespace(implements=lambda _: lambda made: made),
    }
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    names: dict[str, Any] = {}
    exec(adopt(tmp_path, "--layer", ARN)[1], names)  # noqa: S102
    functions = Construct("python"), Construct("nodejs")
    for node in (*functions, object()):
        names["LambdaLatency"]().visit(node)
    assert [function.calls for function in functions] == [
        [
            ("add_layers", ARN),
            ("add_environment", "AWS_LAMBDA_EXEC_WRAPPER", "/opt/lambda-latency/wrapper"),
            ("add_environment", "LAMBDA_LATENCY_EXPORT", "daemon"),
            ("add_to_role_policy", (["xray:PutTraceSegments", "xray:PutTelemetryRecords"], ["*"])),
            ("add_property_override", "TracingConfig.Mode", "Active"),
        ],
        [],
    ]
