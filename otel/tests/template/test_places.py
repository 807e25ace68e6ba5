"""Where a template is, and what a folder without one is."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambda_latency.template import missing_template, usual_template

SAM = "Resources:\n  F:\n    Type: AWS::Serverless::Function\n"
PLAIN = '{"Resources": {"F": {"Type": "AWS::Lambda::Function"}}}'
BY_HAND = "add the layer by hand: docs/how-to/adopt.md has an example"


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
    assert missing_template(tmp_path) == (
        "no template.yaml",
        "name the template: backend/template.yaml, infra/stack.json",
    )
    assert missing_template(tmp_path, to_edit=True) == ("no template.yaml", "name the template: backend/template.yaml")


def test_many_templates_are_counted(tmp_path: Path) -> None:
    """Five are named."""
    for number in range(7):
        put(tmp_path, f"s{number}/template.yaml", SAM)
    shown = ", ".join(f"s{number}/template.yaml" for number in range(5))
    assert missing_template(tmp_path)[1] == f"name the template: {shown} and 2 more"


@pytest.mark.parametrize(
    ("name", "what", "todo"),
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
def test_another_framework_is_named(tmp_path: Path, name: str, what: str, todo: str) -> None:
    """With the command that makes a template to read; the layer is added by hand."""
    put(tmp_path, f"infra/{name}")
    assert missing_template(tmp_path) == (f"no template.yaml: it is {what}", todo)
    assert missing_template(tmp_path, to_edit=True) == (f"no template.yaml: it is {what}", BY_HAND)


def test_what_another_framework_has_made_is_read_and_not_edited(tmp_path: Path) -> None:
    """The templates of `cdk synth` are named, but not to a command that edits."""
    put(tmp_path, "cdk.json")
    put(tmp_path, "cdk.out/Shop.template.json", PLAIN)
    assert missing_template(tmp_path)[1] == "name the template: cdk.out/Shop.template.json"
    assert missing_template(tmp_path, to_edit=True)[1] == BY_HAND


def test_an_empty_folder(tmp_path: Path) -> None:
    """Nothing is known of it."""
    assert missing_template(tmp_path) == ("no template.yaml", "name a SAM or CloudFormation template")
    assert missing_template(tmp_path, to_edit=True) == ("no template.yaml", "name a SAM template")
