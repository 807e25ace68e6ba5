"""Templates with one mistake each: what is wrong, in which line, and the nearest thing that would be right."""

import json
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lambda_latency.cli import main
from lambda_latency.local.app.read.app import read_app
from lambda_latency.local.errors import LocalError, UsageError
from lambda_latency.template import Diagnostic, YamlNode, check_template, read_yaml
from tests.template.deployed import ROOT

RIGHT = """\
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: { Type: String, Default: dev, AllowedValues: [dev, prod] }
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
Mappings:
  Sizes: { dev: { Memory: 128 } }
Globals:
  Function: { Runtime: python3.12, Timeout: 5 }
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: orders
      Handler: app.handler
      MemorySize: !FindInMap [Sizes, dev, Memory]
      Environment: { Variables: { TABLE: !Ref Table, ARN: !GetAtt Table.Arn, NAME: !Sub "${Table}-x" } }
      Events:
        Get: { Type: Api, Properties: { Path: /orders, Method: get } }
  Table:
    Type: AWS::Serverless::SimpleTable
    Condition: IsProd
    DependsOn: [Topic]
  Topic: { Type: AWS::SNS::Topic }
"""

INCLUDE = "Fn::Transform: { Name: AWS::Include, Parameters: { Location: mor.yaml } }"
# What is replaced by what, and then the line, what is wrong and what to do.
BROKEN = {
    "a type of SAM": (
        "AWS::Serverless::Function\n", "AWS::Serverless::Functon\n",
        "12: Orders: unknown type 'AWS::Serverless::Functon'", "did you mean 'AWS::Serverless::Function'?",
    ),
    "a type without colons": (
        "{ Type: AWS::SNS::Topic }", "{ Type: Topic }", "24: Topic: unknown type 'Topic'", "known are",
    ),
    "a type of CloudFormation": (
        "{ Type: AWS::SNS::Topic }", "{ Type: AWS::SNS::Topci }", "24: Topic: unknown type 'AWS::SNS::Topci'",
        "did you mean 'AWS::SNS::Topic'?",
    ),
    "no type": ("{ Type: AWS::SNS::Topic }", "{ Properties: {} }", "24: Topic has no Type", "add its type"),
    "a Ref": (
        "!Ref Table", "!Ref Tabel", "17: Ref names 'Tabel', which is not in the template", "did you mean 'Table'?",
    ),
    "a GetAtt": (
        "!GetAtt Table.Arn", "!GetAtt Tabel.Arn", "17: GetAtt names 'Tabel', which is not in the template",
        "did you mean 'Table'?",
    ),
    "a Sub": (
        '"${Table}-x"', '"${Tabel}-x"', "17: Sub names 'Tabel', which is not in the template", "did you mean 'Table'?",
    ),
    "a mapping": (
        "[Sizes, dev", "[Size, dev", "16: FindInMap names 'Size', which is not under Mappings", "did you mean 'Sizes'?",
    ),
    "a condition": (
        "Condition: IsProd", "Condition: IsPrd", "22: Table: unknown condition 'IsPrd'", "did you mean 'IsProd'?",
    ),
    "a dependency": ("[Topic]", "[Topik]", "23: Table depends on 'Topik'", "did you mean 'Topic'?"),
    "a section": ("Mappings:", "Mapings:", "6: unknown section 'Mapings'", "did you mean 'Mappings'?"),
    "no resources": ("Resources:", "Resource:", "1: no section Resources", "a SAM template has one"),
    "a folder of code": (
        "CodeUri: orders", "CodeUri: order", "14: CodeUri 'order' is not there", "did you mean 'orders'? or run",
    ),
    "a property": (
        "Handler:", "Handlr:", "15: Orders: property Handlr not defined for resource of type AWS::Serverless::Function",
        "did you mean 'Handler'?",
    ),
    "a property of Globals": (
        "Timeout: 5", "Timout: 5", "9: Globals: 'Timout' is not a property of 'Function'",
        "did you mean 'Timeout'?",
    ),
    "a module": ("app.handler", "ap.handler", "15: Orders: no module 'ap' in", "did you mean 'app'?"),
    "a function": ("app.handler", "app.handle", "15: Orders: app.py has no 'handle'", "did you mean 'handler'?"),
    "a runtime": (
        "python3.12", "pyhton3.12", "9: unknown runtime 'pyhton3.12'", "did you mean 'python3.12'?",
    ),
    "a runtime without a dot": (
        "python3.12", "python312", "9: unknown runtime 'python312'", "did you mean 'python3.12'?",
    ),
    "a resource that is a text": (
        "Topic: { Type: AWS::SNS::Topic }", "Topic: AWS::SNS::Topic", "24: Resources.Topic is not a mapping",
        "write its entries below it",
    ),
    "variables in a list": (
        "Environment: { Variables: { TABLE: !Ref Table, ", "Environment: { Variables: [ TABLE: !Ref Table ], X: { ",
        "17: Resources.Orders.Properties.Environment.Variables is not a mapping", "write its entries below it",
    ),
    "a parameter without anything": (
        "Conditions:", "  Other:\nConditions:", "4: Parameters.Other is not a mapping", "write its entries below it",
    ),
    "an event": ("Type: Api,", "Type: Apy,", "11: Orders: ", "correct it according to SAM's specification"),
    "indentation": (
        "    Type: AWS::Serverless::SimpleTable", "   Type: AWS::X::Y\n    a: b", "22: invalid YAML: ", "correct",
    ),
    "a key that stands twice": (
        "      Handler: app.handler", "      CodeUri: other", "15: 'CodeUri' is defined twice", "keep one",
    ),
    "an included file": (
        "Properties:\n      CodeUri", f"Properties:\n      {INCLUDE}\n      CodeUri", "10: 'mor.yaml' is not there",
        "did you mean 'more.yaml'?",
    ),
    "a parameter without a value": (
        "Default: dev, AllowedValues: [dev, prod]", 'AllowedPattern: "x{99}"', "3: parameter Stage has no Default",
        "add --parameter Stage=VALUE",
    ),
}  # fmt: skip


# The same in the example's own template, which has a system of its own.
BROKEN_EXAMPLE = {
    "a type of SAM": (
        "Type: AWS::Serverless::Api", "Type: AWS::Serverless::Apy",
        "Api: unknown type 'AWS::Serverless::Apy'", "did you mean 'AWS::Serverless::Api'?",
    ),
    "a type of CloudFormation": (
        "Type: AWS::DynamoDB::Table", "Type: AWS::DynamoDB::Tabel",
        "OrdersTable: unknown type 'AWS::DynamoDB::Tabel'", "did you mean 'AWS::DynamoDB::Table'?",
    ),
    "a Ref": (
        "!Ref OrdersTable", "!Ref OrdersTabel",
        "Ref names 'OrdersTabel', which is not in the template", "did you mean 'OrdersTable'?",
    ),
    "a parameter": (
        "!Ref PaymentsUrl\n", "!Ref PaymentUrl\n",
        "Ref names 'PaymentUrl', which is not in the template", "did you mean 'PaymentsUrl'?",
    ),
    "a condition": (
        "!If [IsTraced, !Ref Kit", "!If [IsTracd, !Ref Kit", "If names 'IsTracd', which is not under Conditions",
        "did you mean 'IsTraced'?",
    ),
}  # fmt: skip


def laid_out(folder: Path, text: str) -> Path:
    """The app of RIGHT with another template."""
    (folder / "orders").mkdir()
    (folder / "orders" / "app.py").write_text("def handler(event, context): ...\n")
    (folder / "more.yaml").write_text("Timeout: 3\n")
    path = folder / "template.yaml"
    path.write_text(text)
    return path


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    """Runs a command that must end with status 1 before it has started a process: what it says."""

    start, thread = subprocess.Popen, threading.get_ident()

    def refuse(*command: Any, **options: Any) -> Any:
        if threading.get_ident() != thread:  # the app of other tests, which a schedule may wake
            return start(*command, **options)
        raise AssertionError(f"{command} was started")

    def run(*arguments: str) -> list[str]:
        with monkeypatch.context() as patched:
            patched.setattr(subprocess, "Popen", refuse)
            assert main(list(arguments)) == 1
        said = capsys.readouterr()
        assert said.out == ""
        return said.err.splitlines()

    return run


def test_the_template_without_a_mistake_is_read(tmp_path: Path) -> None:
    """What the others break is right."""
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders" / "app.py").write_text("def handler(event, context): ...\n")
    (tmp_path / "template.yaml").write_text(RIGHT)
    app = read_app(tmp_path / "template.yaml", {})
    (api,) = app.apis
    routes = {name: route.function for name, route in api.routes.items()}
    assert (list(app.functions), routes, app.notes) == (["Orders"], {"GET /orders": "Orders"}, [])


@pytest.mark.parametrize("mistake", BROKEN)
def test_a_mistake_is_told_with_its_line_and_what_is_near(
    tmp_path: Path, refused: Callable[..., list[str]], mistake: str
) -> None:
    """Status 1 before anything is started; the first line says what and where, the second what to do."""
    right, wrong, problem, todo = BROKEN[mistake]
    assert right in RIGHT
    path = laid_out(tmp_path, RIGHT.replace(right, wrong, 1))
    message, remedy, *_ = refused("serve", "--port", "0", "--template", str(path))
    assert message.startswith(f"lambda-latency: {path}:{problem}")
    assert remedy.startswith(f"  {todo}")


@pytest.mark.parametrize("command", ["demo", "serve"])
@pytest.mark.parametrize("mistake", BROKEN_EXAMPLE)
def test_a_mistake_in_the_example_is_told_in_the_same_way(
    tmp_path: Path, refused: Callable[..., list[str]], command: str, mistake: str
) -> None:
    """Before anything of it is started."""
    right, wrong, problem, todo = BROKEN_EXAMPLE[mistake]
    head, tail = (ROOT / "template.yaml").read_text().split(right, 1)
    path = tmp_path / "template.yaml"
    path.write_text(head + wrong + tail)
    line = head.count("\n") + 1
    arguments = ("demo", "--collector", "none") if command == "demo" else ("serve", "--port", "0")
    said = refused(*arguments, "--out", str(tmp_path / "out"), "--template", str(path))
    assert said[:2] == [f"lambda-latency: {path}:{line}: {problem}", f"  {todo}"]


def test_a_fault_plan_for_a_route_that_is_not_there_is_told(tmp_path: Path, refused: Callable[..., list[str]]) -> None:
    """It would never fire."""
    plan = tmp_path / "plan.json"
    rule = {"at": "provider", "kind": "delay", "ms": 9}
    plan.write_text(json.dumps({"rules": [rule, {**rule, "route": "POST /order"}]}))
    example = str(ROOT / "template.yaml")
    assert refused("serve", "--port", "0", "--out", str(tmp_path), "--template", example, "--faults", str(plan)) == [
        "lambda-latency: the fault plan's rule 2 is for the route 'POST /order', which the template does not have",
        "  did you mean 'POST /orders'?",
    ]


def test_a_type_that_is_newer_than_the_list_is_no_mistake() -> None:
    """Only a slip of the pen is one."""
    text = "Resources: { A: { Type: AWS::New::Thing }, B: { Type: AWS::SNS::TopicV2 }, C: { Type: AWS::SNS::Topik } }"
    root = read_yaml("t", text)
    assert isinstance(root, YamlNode)
    assert check_template("t", root, ["AWS::SNS::Topic"]) == (
        Diagnostic("t", 1, "C: unknown type 'AWS::SNS::Topik'", "did you mean 'AWS::SNS::Topic'?"),
    )


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """In the order of their lines."""
    path = laid_out(tmp_path, RIGHT.replace("Ref Table", "Ref Tabel").replace("[Topic]", "[Topik]"))
    with pytest.raises(LocalError) as raised:
        read_app(path, {})
    assert [line.strip() for line in str(raised.value).replace(f"{path}:", "").splitlines()] == [
        "17: Ref names 'Tabel', which is not in the template",
        "did you mean 'Table'?",
        "23: Table depends on 'Topik'",
        "did you mean 'Topic'?",
    ]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"Stag": "dev"}, "template.yaml has no parameter Stag\n  did you mean 'Stage'?"),
        ({"Stage": "test"}, "Stage must be one of dev, prod, got 'test'"),
    ],
)
def test_a_parameter_that_is_not_allowed_is_told(tmp_path: Path, parameters: dict[str, str], message: str) -> None:
    """Status 2: it is the command line that is wrong."""
    (tmp_path / "template.yaml").write_text(RIGHT)
    with pytest.raises(UsageError) as raised:
        read_app(tmp_path / "template.yaml", parameters)
    assert message in str(raised.value)
    assert raised.value.exit_status == 2


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda _: None, "{}: No such file or directory"),
        (lambda path: path.mkdir(), "no template.yaml in {}"),
        (lambda path: path.write_bytes(b"\xff\xfe\x00"), "{}:1: not UTF-8 text: byte 0"),
        (lambda path: path.write_text(""), "{}:1: the file is empty"),
        (lambda path: path.write_text("[a]"), "{}:1: no section Resources"),
        (lambda path: path.write_text("Resources: {}"), "{}:1: Resources is empty"),
        (lambda path: path.write_text("Resources: [a]"), "{}:1: Resources is empty"),
    ],
)
def test_what_is_no_template_is_told(tmp_path: Path, make: object, problem: str) -> None:
    """The path, and why."""
    path = tmp_path / "template.yaml"
    assert callable(make)
    make(path)
    with pytest.raises(LocalError) as raised:
        read_app(path, {})
    assert str(raised.value).startswith(f"{problem.format(path)}\n")
