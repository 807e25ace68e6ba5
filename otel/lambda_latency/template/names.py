"""Finds undefined names in a template: sections, types, references, conditions, runtimes; each with the nearest name.

SAM's translator and emulators report them poorly, and silently ignore a resource whose type has a typo.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from lambda_latency.spelling import did_you_mean, nearest_names
from lambda_latency.template.intrinsics import variables_of
from lambda_latency.template.node import Diagnostic, YamlNode, nearest

SAM_TYPES = (
    "AWS::Serverless::Api",
    "AWS::Serverless::Application",
    "AWS::Serverless::CapacityProvider",
    "AWS::Serverless::Connector",
    "AWS::Serverless::Function",
    "AWS::Serverless::GraphQLApi",
    "AWS::Serverless::HttpApi",
    "AWS::Serverless::LayerVersion",
    "AWS::Serverless::MicrovmImage",
    "AWS::Serverless::NetworkConnector",
    "AWS::Serverless::SimpleTable",
    "AWS::Serverless::StateMachine",
    "AWS::Serverless::WebFunction",
    "AWS::Serverless::WebSocketApi",
)
SECTIONS = (
    "AWSTemplateFormatVersion",
    "Conditions",
    "Description",
    "Globals",
    "Hooks",
    "Mappings",
    "Metadata",
    "Outputs",
    "Parameters",
    "Resources",
    "Rules",
    "Transform",
)
TYPE = re.compile(r"(AWS|Alexa|Custom|[A-Za-z0-9]+)::[A-Za-z0-9:_@-]+")
# The forms of Lambda's runtimes, and some of each language to find a typo's meaning.
RUNTIME = re.compile(
    r"(python|ruby|dotnetcore)\d+\.\d+|nodejs(\d+\.x|\d+\.\d+(-edge)?)?|(java|dotnet)\d+(\.al2)?|go1\.x|provided(\.al\d+)?"
)
RUNTIMES = (*(f"python3.{minor}" for minor in range(8, 15)), "nodejs20.x", "nodejs22.x", "java21", "dotnet8", "ruby3.3")
GENERATORS = ("Fn::ForEach", "Fn::Transform")
DECLARING = {"FindInMap": "Mappings", "If": "Conditions"}  # the section that declares the first argument
# Least similarity of a type with a typo and the type that was meant
SLIP = 0.9


@dataclass(frozen=True, slots=True)
class _Template:
    """The template under check; `types` are CloudFormation's."""

    path: str
    root: YamlNode
    types: Collection[str]


def check_template(source: str, root: YamlNode, types: Collection[str] = ()) -> tuple[Diagnostic, ...]:
    """The findings about names in a template, sorted by line.

    `types` are the known resource types of CloudFormation. An unknown type is a finding only if it differs from a known
    one by a letter or two: the list may be older than the template.
    """
    template = _Template(source, root, types)
    if any(name.startswith(GENERATORS) for name, _, _ in (*root.named(), *template.root.named("Resources"))):
        # A language extension or a macro generates names that are not in the template
        return ()
    findings = {*_sections(template), *_resources(template), *_references(template), *_runtimes(template)}
    return tuple(sorted(findings))


def _sections(template: _Template) -> Iterator[Diagnostic]:
    for name, key, _ in template.root.named():
        if name not in SECTIONS:
            yield _finding(template, key, f"unknown section {name!r}", nearest(name, SECTIONS))


def _resources(template: _Template) -> Iterator[Diagnostic]:
    names = [name for name, _, _ in template.root.named("Resources")]
    conditions = [name for name, _, _ in template.root.named("Conditions")]
    for name, key, resource in template.root.named("Resources"):
        kind = resource.get("Type")
        if kind is None:
            yield _finding(
                template, key, f"{name} has no Type", "add its type, such as Type: AWS::Serverless::Function"
            )
            continue
        written = str(kind.value)
        todo = _right_type(template, written)
        if todo:
            yield _finding(template, kind, f"{name}: unknown type {written!r}", todo)
        condition = resource.get("Condition")
        if condition is not None and condition.value not in conditions:
            todo = nearest(str(condition.value), conditions, "declare it under Conditions")
            yield _finding(template, condition, f"{name}: unknown condition {str(condition.value)!r}", todo)
        yield from _dependencies(template, name, resource, names)


def _dependencies(template: _Template, name: str, resource: YamlNode, names: list[str]) -> Iterator[Diagnostic]:
    needs = resource.get("DependsOn")
    for node in (needs.items or (needs,)) if needs is not None else ():
        dependency = str(node.value)
        if node.value not in names and not _is_generated(dependency, names):
            yield _finding(template, node, f"{name} depends on {dependency!r}", nearest(dependency, names))


def _right_type(template: _Template, written: str) -> str:
    """The remedy for an unknown type; empty if it may exist."""
    if not TYPE.fullmatch(written):
        return nearest(written, SAM_TYPES)
    if written.startswith("AWS::Serverless::"):
        return "" if written in SAM_TYPES else nearest(written, SAM_TYPES)
    if not written.startswith("AWS::") or written in template.types:
        return ""
    near = nearest_names(written, template.types, cutoff=SLIP)
    # A new `AWS::X::GroupV2` beside a known `AWS::X::Group` is not a typo.
    same_length = bool(near) and abs(len(near[0]) - len(written)) <= 1 and not written.startswith(near[0])
    return f"did you mean {near[0]!r}?" if same_length else ""


def _runtimes(template: _Template) -> Iterator[Diagnostic]:
    """A runtime that is none, if it is near one: a runtime of a new language is not a typo."""
    places = [resource.get("Properties", "Runtime") for _, _, resource in template.root.named("Resources")]
    for place in (template.root.get("Globals", "Function", "Runtime"), *places):
        text = str(place.value) if place is not None and place.kind == "scalar" and not place.function else ""
        if place is None or RUNTIME.fullmatch(text):
            continue
        near = did_you_mean(text.lower(), RUNTIMES, cutoff=0.8, quoted=True)
        if near:
            yield _finding(template, place, f"unknown runtime {text!r}", near)


def _references(template: _Template) -> Iterator[Diagnostic]:
    for section in ("Resources", "Outputs", "Conditions", "Globals"):
        node = template.root.get(section)
        for function, place, argument in _calls(node) if node is not None else ():
            for name in _names_in(function, argument):
                yield from _named(template, place, function, name)
            if function in DECLARING:
                yield from _declared(template, place, function, argument, DECLARING[function])


def _names_in(function: str, argument: YamlNode) -> list[str]:
    """The resources and parameters that a function names."""
    if function == "Ref":
        return [str(argument.value)] if argument.kind == "scalar" else []
    target = (argument.items or (argument,))[0]
    if function == "GetAtt":
        return [str(target.value).partition(".")[0]]
    return [name.partition(".")[0] for name in variables_of(argument)] if function == "Sub" else []


def _declared(
    template: _Template, node: YamlNode, function: str, argument: YamlNode, section: str
) -> Iterator[Diagnostic]:
    """A finding if a section does not declare the first item of an argument."""
    if not argument.items or argument.items[0].kind != "scalar" or argument.items[0].function:
        return
    name, declared = str(argument.items[0].value), [key for key, _, _ in template.root.named(section)]
    if name not in declared:
        todo = nearest(name, declared or [""], f"declare it under {section}")
        yield _finding(template, node, f"{function} names {name!r}, which is not under {section}", todo)


def _named(template: _Template, node: YamlNode, function: str, name: str) -> Iterator[Diagnostic]:
    resources = [resource for resource, _, _ in template.root.named("Resources")]
    declared = [*resources, *(parameter for parameter, _, _ in template.root.named("Parameters"))]
    if name.startswith("AWS::") or name in declared or _is_generated(name, resources):
        return
    if name not in _queues(template.root):
        todo = nearest(name, declared, "declare it, or correct the name")
        yield _finding(template, node, f"{function} names {name!r}, which is not in the template", todo)


def _is_generated(name: str, resources: list[str]) -> bool:
    """Whether SAM generates the resource: `CreateOrderRole`, `ApiProdStage`, `ServerlessRestApi`."""
    return name.startswith("Serverless") or any(name.startswith(r) and name != r for r in resources)


def _queues(root: YamlNode) -> set[str]:
    """The queues that SAM makes for events, by the logical ids that the template gives them."""
    return {str(node.value) for key, node in root.walk() if key is not None and key.value == "QueueLogicalId"}


def _calls(root: YamlNode) -> Iterator[tuple[str, YamlNode, YamlNode]]:
    """Each intrinsic function: its name, its position, its argument."""
    for key, node in root.walk():
        if node.function:
            yield node.function, node, node
        name = str(key.value) if key is not None else ""
        if key is not None and (name == "Ref" or name.startswith("Fn::")):
            yield name.removeprefix("Fn::"), key, node


def _finding(template: _Template, node: YamlNode, problem: str, todo: str) -> Diagnostic:
    return Diagnostic(template.path, node.line, problem, todo)
