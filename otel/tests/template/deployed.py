"""The template as CloudFormation gets it: translated by SAM's own translator, then resolved for some parameters.

CloudFormation resolves conditions, parameters and pseudo parameters; what depends on resources (`Ref`, `Fn::GetAtt` of
one) stays as it is written.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from lambda_latency.adopt import AdoptOptions, edited_template
from lambda_latency.example import FILES

ROOT = Path(__file__).parents[3]
REGION = "us-east-1"  # which the translator wants to know, although nothing is asked there
GONE = object()  # what AWS::NoValue stands for
STACK_ID = "arn:aws:cloudformation:{0}:123456789012:stack/{1}/1a2b3c4d-0000-1111-2222-333344445555"
MAIN, STACK = "template.yaml", "shop"

# What `sam deploy` leaves in place of a folder or a file.
PACKAGED = {
    "CodeUri": "s3://bucket/artifact.zip",
    "ContentUri": "s3://bucket/layer.zip",
    "Location": "https://s3.us-east-1.amazonaws.com/bucket/inner.template",
}
# The functions that need nothing but their arguments.
PLAIN: dict[str, Callable[..., Any]] = {
    "Equals": lambda a, b: a == b,
    "Not": lambda condition: not condition,
    "And": lambda *all_of: all(all_of),
    "Or": lambda *one_of: any(one_of),
    "Contains": lambda listed, member: member in listed,
    "Join": lambda separator, parts: separator.join(parts),
    "Select": lambda index, parts: parts[int(index)],
    "Split": lambda separator, text: text.split(separator),
}


@dataclass(frozen=True, slots=True)
class Stack:
    """What CloudFormation makes. `inner` has the stacks within the stack, by logical id."""

    resources: dict[str, dict[str, Any]]
    outputs: dict[str, Any]
    functions: tuple[str, ...] = field(default=())
    inner: dict[str, Stack] = field(default_factory=dict)

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of the resources of one type, by logical id; also of those within the stacks within."""
        properties = {name: r.get("Properties", {}) for name, r in self.resources.items() if r["Type"] == kind}
        for stack in self.inner.values():
            properties |= stack.of_type(kind)
        return properties

    def types(self) -> set[str]:
        """The types of all resources; also of those within the stacks within."""
        return {r["Type"] for r in self.resources.values()}.union(*(r.types() for r in self.inner.values()))

    def text(self) -> str:
        """All that is made, as JSON."""
        return json.dumps([self.resources, self.outputs, *(stack.text() for stack in self.inner.values())])

    def variables(self, function: str) -> dict[str, Any]:
        """A function's environment."""
        environment: dict[str, Any] = self.resources[function]["Properties"]["Environment"]["Variables"]
        return environment

    def actions(self) -> set[str]:
        """All that any policy allows."""
        policies = [
            *(policy["PolicyDocument"] for policy in self.of_type("AWS::IAM::ManagedPolicy").values()),
            *(
                inline["PolicyDocument"]
                for role in self.of_type("AWS::IAM::Role").values()
                for inline in role.get("Policies", ())
            ),
        ]
        listed = [statement["Action"] for policy in policies for statement in policy["Statement"]]
        return {action for actions in listed for action in ([actions] if isinstance(actions, str) else actions)}


@cache
def template(name: str = MAIN) -> dict[str, Any]:
    """A template at the top level as it is written."""
    written: dict[str, Any] = yaml_parse((ROOT / name).read_text(encoding="utf-8"))
    return written


@cache
def translated(name: str = MAIN) -> dict[str, Any]:
    """The template without SAM's own types and Globals, conditions and parameters unresolved."""
    return _translated(template(name))


def deploy(region: str = "us-east-1", **parameters: str) -> Stack:
    """The stack for some parameters, the rest at their defaults."""
    return _deploy(translated(), STACK, region, parameters)


def deploy_text(text: str, region: str = "us-east-1", **parameters: str) -> Stack:
    """The stack of an edited template, as `deploy` makes that of the template itself."""
    return deploy_written(yaml_parse(text), region, **parameters)


def deploy_written(written: Mapping[str, Any], region: str = "us-east-1", **parameters: str) -> Stack:
    """The stack of a template that is read already."""
    return _deploy(_translated(written), STACK, region, parameters)


def merged(written: Mapping[str, Any], addition: Mapping[str, Any]) -> dict[str, Any]:
    """A template with the lines of a page added at their places; a value that both have is the addition's."""
    both = dict(written)
    for name, value in addition.items():
        inside = isinstance(value, dict) and isinstance(both.get(name), dict)
        both[name] = merged(both[name], value) if inside else value
    return both


def _translated(written: Mapping[str, Any]) -> dict[str, Any]:
    packaged = deepcopy(dict(written))
    shared = packaged.get("Globals", {}).get("Function", {})
    for properties in (shared, *(resource.get("Properties", {}) for resource in packaged["Resources"].values())):
        for key, location in PACKAGED.items():
            if key in properties:
                properties[key] = f"{location}?{properties[key]}" if key == "Location" else location
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=REGION))
    made: dict[str, Any] = translator.translate(packaged, {})
    return made


def _deploy(made: Mapping[str, Any], stack: str, region: str, parameters: Mapping[str, Any]) -> Stack:
    made = deepcopy(dict(made))
    resolve = Resolver(made, region, parameters, stack)
    resources = {name: resolve(r) for name, r in made["Resources"].items() if resolve.holds(r.get("Condition"))}
    outputs = {
        name: resolve(out) for name, out in made.get("Outputs", {}).items() if resolve.holds(out.get("Condition"))
    }
    functions = tuple(name for name, resource in resources.items() if resource["Type"] == "AWS::Lambda::Function")
    inner = {
        name: _deploy(
            translated(resource["Properties"]["TemplateURL"].partition("?")[2]),
            f"{stack}-{name}-1A2B3C4D5E6F",
            region,
            resource["Properties"]["Parameters"],
        )
        for name, resource in resources.items()
        if resource["Type"] == "AWS::CloudFormation::Stack"
    }
    return Stack(resources, outputs, functions, inner)


class Resolver:
    """CloudFormation's intrinsic functions, as far as this template uses them; an unknown one is an error."""

    def __init__(self, made: Mapping[str, Any], region: str, parameters: Mapping[str, Any], stack: str) -> None:
        unknown = set(parameters) - set(made["Parameters"])
        assert not unknown, f"no such parameter: {unknown}"
        self._conditions = made.get("Conditions", {})
        self._mappings = made.get("Mappings", {})
        defaults = {name: str(p["Default"]) for name, p in made["Parameters"].items() if "Default" in p}
        missing = set(made["Parameters"]) - set(defaults) - set(parameters)
        assert not missing, f"no value of {missing}"
        self._values: dict[str, Any] = {
            **defaults,
            **parameters,
            "AWS::AccountId": "123456789012",
            "AWS::NoValue": GONE,
            "AWS::Partition": "aws",
            "AWS::Region": region,
            "AWS::StackId": STACK_ID.format(region, stack),
            "AWS::StackName": stack,
            "AWS::URLSuffix": "amazonaws.com",
        }

    def holds(self, condition: str | None) -> bool:
        """Whether a condition holds; None always does."""
        return condition is None or bool(self(self._conditions[condition]))

    def __call__(self, value: Any) -> Any:
        if isinstance(value, list):
            return [resolved for resolved in map(self, value) if resolved is not GONE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref":
                return self._values.get(argument, value)
            if name == "Condition" and isinstance(argument, str):
                return self.holds(argument)
            if name.startswith("Fn::"):
                return self._function(name.removeprefix("Fn::"), argument)
        pairs: Iterator[tuple[str, Any]] = ((name, self(inner)) for name, inner in value.items())
        return {name: resolved for name, resolved in pairs if resolved is not GONE}

    def _function(self, name: str, argument: Any) -> Any:
        if name == "If":
            condition, yes, no = argument
            return self(yes if self.holds(condition) else no)
        if name == "Sub":
            return self._sub(argument)
        if name == "GetAtt":
            return {"Fn::GetAtt": argument}
        if name == "FindInMap":
            mapping, top, key = self(argument)
            return self._mappings[mapping][top][key]
        assert name in PLAIN, f"Fn::{name} of {argument}"
        return PLAIN[name](*self(argument))

    def _sub(self, argument: Any) -> Any:
        text, variables = argument if isinstance(argument, list) else (argument, {})
        values = {**self._values, **{name: _text(self(variable)) for name, variable in variables.items()}}
        filled: str = re.sub(r"\$\{([^}!]+)\}", lambda match: str(_text(values.get(match[1], match[0]))), text)
        return {"Fn::Sub": filled} if "${" in filled else filled


def _text(value: Any) -> Any:
    """What is put into a text: one that still names resources goes on to do so."""
    if isinstance(value, dict) and "Ref" in value:
        return f"${{{value['Ref']}}}"
    return value["Fn::Sub"] if isinstance(value, dict) and "Fn::Sub" in value else value


EXPORTS, INSTRUMENTATIONS = ("collector", "daemon", "otlp"), ("kit", "layer")
TEMPLATE = ROOT / "template.yaml"


@cache
def variant_text(export: str, instrumentation: str) -> str:
    """The template that `adopt --export EXPORT --instrumentation INSTRUMENTATION` writes."""
    return edited_template(TEMPLATE, AdoptOptions(export, instrumentation=instrumentation))


def variant(export: str, instrumentation: str, **parameters: str) -> Stack:
    """The stack of a variant."""
    return deploy_text(variant_text(export, instrumentation), **parameters)


def write_variant(
    folder: Path, export: str = "collector", instrumentation: str = "kit", edits: Mapping[str, str] | None = None
) -> Path:
    """Write the example with a variant of its template into a folder; returns the template's path.

    `edits`: texts of the template, each of which is in it once, with what takes its place.
    """
    for name in FILES:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
        else:
            shutil.copy2(source, target)
    text = variant_text(export, instrumentation)
    for old, new in (edits or {}).items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    template = folder / "template.yaml"
    template.write_text(text, "utf-8")
    return template
