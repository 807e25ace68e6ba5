"""Every command reads a template as CloudFormation does: each condition, each function, each value."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import boto3
import pytest
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from lambda_latency.adopt import AdoptOptions, make_plan
from lambda_latency.adopt.plan import read_templates
from lambda_latency.cli import main
from lambda_latency.doctor import Deployment, diagnose
from lambda_latency.doctor import read_app as read_for_doctor
from lambda_latency.local import SystemOptions, invoke_function, read_app
from lambda_latency.local.app.read.declared import Declared
from lambda_latency.local.errors import UsageError
from lambda_latency.template import Diagnostic, YamlNode, node_of, read_functions, resolve
from tests.template.agreement import CASES, FIXED, Case, Made

each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@pytest.fixture
def path(case: Case, tmp_path: Path) -> Path:
    """The template of a case."""
    path = tmp_path / "template.yaml"
    path.write_text(case.text)
    return path


@each_case
def test_the_doctor_reads_what_is_deployed(case: Case, path: Path) -> None:
    """Its rules see the functions and values of the deployment; undecided conditions are findings."""
    app = read_for_doctor(path, Deployment())
    assert not isinstance(app, Diagnostic)
    made = {
        fn.name: Made(
            int(fn.number("MemorySize", default=128) or 0),
            fn.number("Timeout", default=3) or 0,
            tuple(layer.name for layer in fn.layers),
            fn.tracing,
            {name: fn.variable(name) for name in fn.variables},
        )
        for fn in app.functions
    }
    assert made == case.made
    undecided = [finding.what for finding in diagnose(path, Deployment()) if finding.rule == "condition-undecided"]
    assert said(undecided) == said(case.undecided)


@each_case
def test_adopt_plans_for_what_is_deployed(case: Case, path: Path) -> None:
    """It knows which functions exist, and edits the others, too; undecided conditions are left to a person."""
    (template,) = read_templates(path, path.parent, 2, set())
    made = {fn.name: made_of(fn.places) for fn in template.functions if fn.created}
    assert made == case.made
    plan = make_plan(path, AdoptOptions())
    assert [row.function for row in plan.summaries] == [fn.name for fn in template.functions if fn.obstacle is None]
    assert said(todo.problem for todo in plan.findings if todo.problem.startswith("condition ")) == said(case.undecided)


def made_of(places: Iterable[YamlNode]) -> Made:
    """A function of its resolved properties, its own first."""
    levels = [*places]
    layers = [arn.text for place in reversed(levels) if (node := place.get("Layers")) is not None for arn in node.items]
    variables: dict[str, str] = {}
    for place in reversed(levels):
        node = place.get("Environment", "Variables")
        variables |= {name: value.text for name, _, value in node.named()} if node is not None else {}

    def text(key: str, otherwise: str) -> str:
        return next((node.text for place in levels if (node := place.get(key)) is not None), otherwise)

    names = tuple(arn.split(":")[-2] for arn in layers)
    return Made(
        int(text("MemorySize", "128")), float(text("Timeout", "3")), names, text("Tracing", "PassThrough"), variables
    )


@each_case
def test_serve_and_invoke_run_what_is_deployed(case: Case, path: Path) -> None:
    """As they declare it to the sandbox, and to the emulator's CloudFormation; undecided conditions are notes."""
    app = read_app(path, {})
    made = {}
    for key, declared in app.functions.items():
        if isinstance(declared, Declared):
            properties = app.part.properties(key)
            names = tuple(arn.split(":")[-2] for arn in declared.arns)
            tracing = properties.get("TracingConfig", {}).get("Mode", "PassThrough")
            variables = properties.get("Environment", {}).get("Variables", {})
            made[key] = Made(declared.memory_mb, declared.timeout_s, names, tracing, variables)
    assert made == case.made
    assert "Conditions" not in app.part.plain  # the emulator has nothing to decide
    assert said(after_line(path, app.notes)) == said(case.undecided)


@each_case
def test_the_cost_is_that_of_what_is_deployed(case: Case, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The mean memory of the functions that exist; undecided conditions are on stderr."""
    assert main(["cost", "--template", str(path), "--format", "json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["usage"]["memory_mb"] == round(fmean(fn.memory_mb for fn in case.made.values()))
    lines = (line.removeprefix("lambda-latency: ") for line in printed.err.splitlines())
    assert said(after_line(path, lines)) == said(case.undecided)


@each_case
def test_cloudformation_makes_the_same_of_what_sams_translator_makes(case: Case) -> None:
    """AWS translates first, and evaluates the conditions of the translated template: an expectation of both."""
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name="us-east-1"))
    root = node_of(translator.translate(yaml_parse(case.text), {}))
    resources = resolve(root, {}, "us-east-1").root.get("Resources")
    assert resources is not None
    functions = {name: r for name, _, r in resources.named() if r.get("Type") == node_of("AWS::Lambda::Function")}
    made = {}
    for name, resource in functions.items():
        properties = resource.get("Properties")
        assert properties is not None
        tracing = properties.get("TracingConfig", "Mode")
        made[name] = replace(made_of([properties]), tracing=tracing.text if tracing is not None else "PassThrough")
    assert made == case.made


@each_case
def test_a_test_invokes_what_is_deployed(case: Case, path: Path) -> None:
    """The fixture `invoke` of the pytest plugin."""
    made = {fn.name: (fn.memory_mb, fn.timeout_s, fn.variables) for fn in read_functions(path)}
    assert made == {name: (fn.memory_mb, fn.timeout_s, fn.variables) for name, fn in case.made.items()}


PARENT = f"""\
Transform: AWS::Serverless-2016-10-31
Parameters: {{ Stage: {{ Type: String, Default: prod }} }}
Resources:
  Table: {{ Type: AWS::DynamoDB::Table }}
  Child:
    Type: AWS::Serverless::Application
    Properties: {{ Location: child.yaml, Parameters: {{ Stage: !Sub "${{Stage}}-1", Arn: !GetAtt Table.Arn }} }}
  Other:
    Type: AWS::Serverless::Function
    Properties:
{FIXED}"""
CHILD = f"""\
Transform: AWS::Serverless-2016-10-31
Parameters: {{ Stage: {{ Type: String, Default: dev }}, Arn: {{ Type: String, Default: "" }} }}
Conditions: {{ IsProd: !Equals [!Ref Stage, prod-1], WithTable: !Not [!Equals [!Ref Arn, ""]] }}
Resources:
  Work:
    Type: AWS::Serverless::Function
    Condition: IsProd
    Properties:
{FIXED}\
      MemorySize: !If [WithTable, 256, 512]
"""


def test_a_nested_template_has_the_parameters_that_its_stack_passes(tmp_path: Path) -> None:
    """Not its defaults; a value that only the deployment knows is unknown."""
    path, child = tmp_path / "template.yaml", tmp_path / "child.yaml"
    path.write_text(PARENT)
    child.write_text(CHILD)
    undecided = ["condition WithTable is undecided, because Arn is unknown: true is assumed"]
    parent = read_for_doctor(path, Deployment())
    assert not isinstance(parent, Diagnostic)
    assert [*parent.nested()] == [(child, {"Stage": "prod-1", "Arn": None})]
    findings = diagnose(path, Deployment())
    assert [(f.path, f.what) for f in findings if f.rule == "condition-undecided"] == [(str(child), *undecided)]
    inner = next(read for read in read_templates(path, tmp_path, 2, set()) if read.path.name == "child.yaml")
    assert {fn.name: made_of(fn.places) for fn in inner.functions if fn.created} == {"Work": Made(256)}
    assert [finding.problem for finding in inner.findings] == undecided
    app = read_app(path, {})
    work = app.functions["Child/Work"]
    assert isinstance(work, Declared)
    assert work.memory_mb == 256
    (said_by_serve,) = after_line(child, app.notes)
    assert said_by_serve == f"{undecided[0]} for functions; the emulator decides it for resources"


def test_an_app_says_what_is_undecided_before_it_runs(tmp_path: Path) -> None:
    """Also if there is nothing to run."""
    path = tmp_path / "template.yaml"
    case = CASES["an account"]
    path.write_text(case.text)
    lines: list[str] = []
    with pytest.raises(UsageError, match="has no function 'Wurk'"):
        invoke_function(
            lambda: read_app(path, {}), SystemOptions(tmp_path), "Wurk", b"{}", log=lambda *_: None, tell=lines.append
        )
    assert said(line.partition(": ")[2] for line in lines) == said(case.undecided)


def test_the_details_of_cost_override_the_template(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Memory and processor; a template that is not there is an error."""
    path = tmp_path / "template.yaml"
    path.write_text(
        CASES["a parameter without a default"].text.replace("Timeout", "Architectures: [x86_64]\n      Timeout")
    )

    def sizes(*options: str) -> tuple[float, str]:
        assert main(["cost", "--template", str(path), "--format", "json", *options]) == 0
        usage = json.loads(capsys.readouterr().out)["usage"]
        return usage["memory_mb"], usage["processor"]

    details = tmp_path / "details.toml"
    details.write_text('[usage]\nmemory_mb = 1024\nprocessor = "arm64"\n')
    assert sizes() == (512, "x86_64")
    assert sizes("--details", str(details)) == (1024, "arm64")
    with pytest.raises(SystemExit):
        main(["cost", "--template", str(tmp_path / "gone.yaml")])
    assert "gone.yaml:1: cannot be read" in capsys.readouterr().err


def said(lines: Iterable[str]) -> list[str]:
    """What is said of conditions, without a remedy in brackets and without an order."""
    return sorted(line.partition(" (")[0] for line in lines)


def after_line(path: Path, lines: Iterable[str]) -> list[str]:
    """The lines about conditions, without the path and the line before them."""
    texts = [line.removeprefix(f"{path}:").partition(": ")[2] for line in lines]
    return [condition for condition in texts if condition.startswith("condition ")]
