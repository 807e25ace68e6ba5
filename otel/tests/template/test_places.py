"""Where a template is, and what a folder without one is."""

from pathlib import Path

import pytest

from lambda_latency.documentation import page_address
from lambda_latency.template import (
    YamlNode,
    check_template,
    decoded,
    missing_template,
    own_python_files,
    read_yaml,
    usual_template,
)

SAM = "Resources:\n  F:\n    Type: AWS::Serverless::Function\n"
PLAIN = '{"Resources": {"F": {"Type": "AWS::Lambda::Function"}}}'
BY_HAND = f"add the layer by hand: {page_address('how-to/adopt')} has an example"


def put(folder: Path, name: str, text: str = "") -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_usual_names_in_their_order(tmp_path: Path) -> None:
    """Any of them, template.yaml first."""
    assert usual_template(tmp_path) is None
    put(tmp_path, "serverless.template")
    assert usual_template(tmp_path) == tmp_path / "serverless.template"
    put(tmp_path, "template.yml")
    assert usual_template(tmp_path) == tmp_path / "template.yml"


def test_templates_below_are_named(tmp_path: Path) -> None:
    """Those with functions: SAM's where they are to be edited, others to be read, too; no copies of builds."""
    put(tmp_path, "backend/template.yaml", SAM)
    put(tmp_path, "infra/stack.json", PLAIN)
    put(tmp_path, "infra/tables.yaml", "Resources:\n  T:\n    Type: AWS::DynamoDB::Table\n")
    put(tmp_path, "backend/.aws-sam/build/template.yaml", SAM)
    put(tmp_path, "node_modules/x/template.yaml", SAM)
    problem = f"no template.yaml in {tmp_path}"
    todo = "name the template: backend/template.yaml, infra/stack.json (--template FILE)"
    assert missing_template(tmp_path) == (problem, todo)
    assert missing_template(tmp_path, to_edit=True) == (problem, todo.replace(", infra/stack.json", ""))


def test_many_templates_are_counted(tmp_path: Path) -> None:
    """Five are named."""
    for number in range(7):
        put(tmp_path, f"s{number}/template.yaml", SAM)
    shown = ", ".join(f"s{number}/template.yaml" for number in range(5))
    assert missing_template(tmp_path)[1] == f"name the template: {shown} and 2 more (--template FILE)"


@pytest.mark.parametrize(
    ("name", "framework", "todo"),
    [
        ("cdk.json", "a CDK app", "run cdk synth, then name cdk.out/STACK.template.json"),
        (
            "serverless.yml",
            "a Serverless Framework app",
            "run serverless package, then name .serverless/cloudformation-template-update-stack.json",
        ),
        ("main.tf", "a Terraform configuration", "name a SAM or CloudFormation template"),
    ],
)
def test_another_framework_is_named(tmp_path: Path, name: str, framework: str, todo: str) -> None:
    """With the command that makes a template to read; the layer is added by hand."""
    put(tmp_path, f"infra/{name}")
    problem = f"no template.yaml in {tmp_path}: it is {framework}"
    assert missing_template(tmp_path) == (problem, f"{todo} (--template FILE)")
    assert missing_template(tmp_path, to_edit=True) == (problem, BY_HAND)


def test_what_another_framework_has_made_is_read_and_not_edited(tmp_path: Path) -> None:
    """The templates of `cdk synth` are named, but not to a command that edits."""
    put(tmp_path, "cdk.json")
    put(tmp_path, "cdk.out/Shop.template.json", PLAIN)
    assert missing_template(tmp_path)[1] == "name the template: cdk.out/Shop.template.json (--template FILE)"
    assert missing_template(tmp_path, to_edit=True)[1] == BY_HAND


def test_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known of it."""
    monkeypatch.chdir(tmp_path)
    problem = "no template.yaml in this folder"
    assert missing_template(Path()) == (problem, "name a SAM or CloudFormation template (--template FILE)")
    assert missing_template(Path(), to_edit=True) == (problem, "name a SAM template (--template FILE)")


QUEUE = """\
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Rule:
          Type: EventBridgeRule
          Properties: { Pattern: { source: [a] }, DeadLetterConfig: { Type: SQS, QueueLogicalId: Dead } }
Outputs:
  Queue: { Value: !GetAtt Dead.Arn }
"""
INCLUDED = """\
Resources:
  Fn::Transform: { Name: AWS::Include, Parameters: { Location: s3://bucket/more.yaml } }
Outputs:
  Queue: { Value: !GetAtt Dead.Arn }
"""


DOTTED = """\
Resources:
  Topic: { Type: AWS::SNS::Topic, Properties: { DisplayName: !Sub ["${Foo.Bar} ${ Own }", { Foo.Bar: x, Own: y }] } }
"""


@pytest.mark.parametrize("text", [QUEUE, INCLUDED, f"Fn::Transform: {{ Name: Mine }}\n{INCLUDED}", DOTTED])
def test_a_generated_name_is_known(text: str) -> None:
    """The queue of an event, what an included file may have, and what a Sub defines, also with a dot in its name."""
    root = read_yaml("t.yaml", text)
    assert isinstance(root, YamlNode)
    assert check_template("t.yaml", root) == ()


def test_tests_packages_and_hidden_folders_are_left_out(tmp_path: Path) -> None:
    """Sorted within a folder; a file that no import can name is no module."""
    for name in (
        "app.py", "my-handler.py", "test_app.py", "app.test.py", "notes.txt", "shop/__init__.py", "shop/tests/a.py",
        ".venv/lib/x.py", "six.py", "boto3/session.py", "six-1.dist-info/RECORD", "boto3-1.dist-info/METADATA",
        "odd-1.dist-info/RECORD", "odd,name/a.py",
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "six-1.dist-info" / "RECORD").write_text("six.py,sha256=aa,1\nsix-1.dist-info/RECORD,,\n")
    paths = [str(path.relative_to(tmp_path)) for path in own_python_files(tmp_path, ["tests"])]
    assert paths == ["app.py", "my-handler.py", "boto3/session.py", "odd,name/a.py", "shop/__init__.py"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_text_by_its_byte_order_mark(encoding: str) -> None:
    """The mark stays in the text, so that encoding it gives the same bytes."""
    content = "\ufeffboto3\n".encode(encoding)
    assert decoded(content) == ("\ufeffboto3\n", encoding)
    assert decoded(b"boto3\n") == ("boto3\n", "utf-8")
