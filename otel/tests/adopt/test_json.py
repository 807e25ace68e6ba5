"""JSON templates: adopted as their YAML twins are, with their indentation, and given back."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from samtranslator.yaml_helper import yaml_parse

from tests.adopt.apps import adopt, files, make_app

FUNCTION = {"Type": "AWS::Serverless::Function", "Properties": {"Runtime": "python3.12", "Handler": "app.handler"}}
POLICY = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def function(**more: object) -> dict[str, Any]:
    """A function with more properties."""
    return {**FUNCTION, "Properties": {**FUNCTION["Properties"], "CodeUri": "src/", **more}}  # type: ignore[dict-item]


def template(resources: dict[str, Any], **sections: object) -> dict[str, Any]:
    """A template."""
    return {"Transform": "AWS::Serverless-2016-10-31", **sections, "Resources": resources}


GET = {"Type": "Api", "Properties": {"Path": "/", "Method": "get"}}
ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {"AssumeRolePolicyDocument": {}, "ManagedPolicyArns": [POLICY]},
}
TEMPLATES = {
    "one function": template({"One": function()}),
    "sections": template(
        {"One": function(Events={"Get": GET}), "Two": function()},
        Globals={"Function": {"Timeout": 5, "Tracing": "Active"}},
        Parameters={"Stage": {"Type": "String", "Default": "dev"}},
        Conditions={"IsDev": {"Fn::Equals": [{"Ref": "Stage"}, "dev"]}},
    ),
    "empty sections": template(
        {"One": function(Events={"Get": GET}, Layers=[], Environment={"Variables": {}})}, Globals={}, Parameters=None
    ),
    "a role, layers and variables": template(
        {
            "One": function(
                Role={"Fn::GetAtt": ["Role", "Arn"]},
                Layers=[{"Ref": "Own"}],
                Architectures=[{"Ref": "Processor"}],
                Environment={"Variables": {"AWS_XRAY_TRACING_NAME": "shop", "WORD": "\u00e9"}},
            ),
            "Role": ROLE,
            "Own": {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": "src/"}},
        },
        Parameters={"Processor": {"Type": "String", "Default": "arm64"}},
    ),
}
STYLES: dict[str, Callable[[Any], str]] = {
    "two spaces": lambda value: json.dumps(value, indent=2, ensure_ascii=False),
    "four spaces": lambda value: json.dumps(value, indent=4) + "\n",
    "tabs": lambda value: json.dumps(value, indent="\t"),
    "Windows": lambda value: "\ufeff" + json.dumps(value, indent=2).replace("\n", "\r\n"),
    "one line": json.dumps,
}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", TEMPLATES)
def test_a_json_template_is_adopted_as_its_yaml_twin(tmp_path: Path, name: str, style: str) -> None:
    """The same values, no line of the original that is indented otherwise, and the same bytes after --undo."""
    made = {}
    given = STYLES[style](TEMPLATES[name])
    make_app(tmp_path / "json", given).rename(tmp_path / "json" / "template.json")
    before = files(tmp_path / "json")
    make_app(tmp_path / "yaml", yaml.safe_dump(TEMPLATES[name], sort_keys=False, allow_unicode=True))
    for kind in ("json", "yaml"):
        status, out, err = adopt(tmp_path / kind, "--write")
        assert (status, err) == (0, ""), out
        made[kind] = next((tmp_path / kind).glob("template.*")).read_bytes().decode().lstrip("\ufeff")
    assert json.loads(made["json"]) == yaml_parse(made["yaml"])
    assert _kept(given) <= {line.rstrip(",\r") for line in made["json"].split("\n")}
    assert made["json"].count("\r\n") == (made["json"].count("\n") if "\r" in given else 0)
    assert adopt(tmp_path / "json", "--check")[0] == 0
    assert adopt(tmp_path / "json", "--undo")[0] == 0
    assert files(tmp_path / "json") == before


def _kept(text: str) -> set[str]:
    """The lines that stay, without their commas: not those whose value is replaced, or all that stand in one line."""
    lines = {line.rstrip(",\r") for line in text.lstrip("\ufeff").split("\n")} if "\n" in text.rstrip() else set()
    return {line for line in lines if not line.endswith(("{}", "[]", "null", '"Tracing": "Active"'))}
