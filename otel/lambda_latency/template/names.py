"""Finds undefined names in a template: sections, types, references, conditions, runtimes; each with the nearest name.

SAM's translator and emulators report them poorly, and silently ignore a resource whose type has a typo.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from lambda_latency.spelling import did_you_mean, nearest_names
from lambda_latency.template.finding import Finding, nearest
from lambda_latency.template.node import Node

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
SUB = re.compile(r"\$\{([^!}][^}]*)\}")
# The forms of Lambda's runtimes, and some of each language to find a typo's meaning.
RUNTIME = re.compile(
    r"(python|ruby|dotnetcore)\d+\.\d+|nodejs(\d+\.x|\d+\.\d+(-edge)?)?|(java|dotnet)\d+(\.al2)?|go1\.x|provided(\.al\d+)?"
)
RUNTIMES = (*(f"python3.{minor}" for minor in range(8, 15)), "nodejs20.x", "nodejs22.x", "java21", "dotnet8", "ruby3.3")
GENERATORS = ("Fn::ForEach", "Fn::Transform")
SLIP = 0.9  # least similarity of a type with a typo and the type that was meant


@dataclass(frozen=True, slots=True)
class _Template:
    """The template under check; `types` are CloudFormation's."""

    path: str
    root: Node
    types: Collection[str]


def check_template(source: str, root: Node, types: Collection[str] = ()) -> tuple[Finding, ...]:
    """The findings about names in a template, sorted by line.

    `types` are the known resource types of CloudFormation. An unknown type is a finding only if it differs from a known
    one by a letter or two: the list may be older than the template.
    """
    template = _Template(source, root, types)
    if any(name.startswith(GENERATORS) for name, _, _ in (*root.named(), *template.root.named("Resources"))):
        return ()  # a language extension or a macro generates names that are not in the template
    found = {*_sections(template), *_resources(template), *_references(template), *_runtimes(template)}
    return tuple(sorted(found))


def _sections(template: _Template) -> Iterator[Finding]:
    for name, key, _ in template.root.named():
        if name not in SECTIONS:
            yield _at(template, key, f"unknown section {name!r}", nearest(name, SECTIONS))


def _resources(template: _Template) -> Iterator[Finding]:
    names = [name for name, _, _ in template.root.named("Resources")]
    conditions = [name for name, _, _ in template.root.named("Conditions")]
    for name, key, resource in template.root.named("Resources"):
        kind = resource.get("Type")
        if kind is None:
            yield _at(template, key, f"{name} has no Type", "add its type, such as Type: AWS::Serverless::Function")
            continue
        written = str(kind.value)
        todo = _right_type(template, written)
        if todo:
            yield _at(template, kind, f"{name}: unknown type {written!r}", todo)
        condition = resource.get("Condition")
        if condition is not None and condition.value not in conditions:
            todo = nearest(str(condition.value), conditions, "declare it under Conditions")
            yield _at(template, condition, f"{name}: unknown condition {str(condition.value)!r}", todo)
        needs = resource.get("DependsOn")
        for one in (needs.items or (needs,)) if needs is not None else ():
            if one.value not in names and not _is_generated(str(one.value), names):
                yield _at(template, one, f"{name} depends on {str(one.value)!r}", nearest(str(one.value), names))


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


def _runtimes(template: _Template) -> Iterator[Finding]:
    """A runtime that is none, if it is near one: a runtime of a new language is not a typo."""
    places = [one.get("Properties", "Runtime") for _, _, one in template.root.named("Resources")]
    for place in (template.root.get("Globals", "Function", "Runtime"), *places):
        text = str(place.value) if place is not None and place.kind == "scalar" and not place.function else ""
        near = did_you_mean(text.lower(), RUNTIMES, cutoff=0.8, quoted=True)
        if place is not None and near and not RUNTIME.fullmatch(text):
            yield _at(template, place, f"unknown runtime {text!r}", near)


def _references(template: _Template) -> Iterator[Finding]:
    for section in ("Resources", "Outputs", "Conditions", "Globals"):
        node = template.root.get(section)
        for function, at, argument in _calls(node) if node is not None else ():
            if function in REFERENCES:
                yield from REFERENCES[function](template, at, argument)


def _ref(template: _Template, at: Node, argument: Node) -> Iterator[Finding]:
    if argument.kind == "scalar":
        yield from _named(template, at, "Ref", str(argument.value))


def _get_att(template: _Template, at: Node, argument: Node) -> Iterator[Finding]:
    first = argument.items[0].value if argument.items else argument.value
    yield from _named(template, at, "GetAtt", str(first).partition(".")[0])


def _sub(template: _Template, at: Node, argument: Node) -> Iterator[Finding]:
    text = argument.items[0] if argument.items else argument
    own = [name for name, _, _ in argument.items[1].named()] if len(argument.items) > 1 else []
    for name in SUB.findall(str(text.value)):
        if (name := name.partition(".")[0].strip()) not in own:
            yield from _named(template, at, "Sub", name)


def _find_in_map(template: _Template, at: Node, argument: Node) -> Iterator[Finding]:
    yield from _declared(template, at, "FindInMap", argument, "Mappings")


def _if(template: _Template, at: Node, argument: Node) -> Iterator[Finding]:
    yield from _declared(template, at, "If", argument, "Conditions")


REFERENCES = {"Ref": _ref, "GetAtt": _get_att, "Sub": _sub, "FindInMap": _find_in_map, "If": _if}


def _declared(template: _Template, at: Node, function: str, argument: Node, section: str) -> Iterator[Finding]:
    """A finding if a section does not declare the first item of an argument."""
    if not argument.items or argument.items[0].kind != "scalar" or argument.items[0].function:
        return
    name, known = str(argument.items[0].value), [one for one, _, _ in template.root.named(section)]
    if name not in known:
        todo = nearest(name, known or [""], f"declare it under {section}")
        yield _at(template, at, f"{function} names {name!r}, which is not under {section}", todo)


def _named(template: _Template, at: Node, function: str, name: str) -> Iterator[Finding]:
    resources = [one for one, _, _ in template.root.named("Resources")]
    known = [*resources, *(one for one, _, _ in template.root.named("Parameters"))]
    if name.startswith("AWS::") or name in known or _is_generated(name, resources):
        return
    if name not in _queues(template.root):
        todo = nearest(name, known, "declare it, or correct the name")
        yield _at(template, at, f"{function} names {name!r}, which is not in the template", todo)


def _is_generated(name: str, resources: list[str]) -> bool:
    """Whether SAM generates the resource: `CreateOrderRole`, `ApiProdStage`, `ServerlessRestApi`."""
    return name.startswith("Serverless") or any(name.startswith(one) and name != one for one in resources)


def _queues(node: Node) -> Iterator[str]:
    """The queues that SAM makes for events, by the logical ids that the template gives them."""
    for name, _, value in node.named():
        if name == "QueueLogicalId":
            yield str(value.value)
        yield from _queues(value)
    for item in node.items:
        yield from _queues(item)


def _calls(node: Node) -> Iterator[tuple[str, Node, Node]]:
    """Each intrinsic function: its name, its position, its argument."""
    if node.function:
        yield node.function, node, node
    for name, key, value in node.named():
        if name == "Ref" or name.startswith("Fn::"):
            yield name.removeprefix("Fn::"), key, value
        yield from _calls(value)
    for item in node.items:
        yield from _calls(item)


def _at(template: _Template, node: Node, what: str, todo: str) -> Finding:
    return Finding(template.path, node.line, what, todo)
