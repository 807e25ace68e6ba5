"""What is wrong with a template in ways that no emulator names well: names that nothing has, with the nearest one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lambda_latency.local.app.source import Source, TemplateError
from lambda_latency.template import Finding, Node, nearest

__all__ = ["check"]

SAM_TYPES = (
    "AWS::Serverless::Api",
    "AWS::Serverless::Application",
    "AWS::Serverless::Connector",
    "AWS::Serverless::Function",
    "AWS::Serverless::GraphQLApi",
    "AWS::Serverless::HttpApi",
    "AWS::Serverless::LayerVersion",
    "AWS::Serverless::SimpleTable",
    "AWS::Serverless::StateMachine",
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
FOR_EACH = "Fn::ForEach"


def check(source: Source) -> None:
    """Raises `TemplateError` with all that is found."""
    if any(name.startswith(FOR_EACH) for name, _, _ in _section(source, "Resources")):
        return  # a language extension makes names that stand nowhere
    found = [*_sections(source), *_resources(source), *_references(source)]
    if found:
        raise TemplateError(sorted(set(found)))


def _sections(source: Source) -> Iterator[Finding]:
    for name, key, _ in source.root.named():
        if name not in SECTIONS:
            yield _at(source, key, f"unknown section {name!r}", nearest(name, SECTIONS))


def _resources(source: Source) -> Iterator[Finding]:
    names = [name for name, _, _ in _section(source, "Resources")]
    conditions = [name for name, _, _ in _section(source, "Conditions")]
    for name, key, resource in _section(source, "Resources"):
        kind = resource.get("Type")
        if kind is None:
            yield _at(source, key, f"{name} has no Type", "say which resource it is: Type: AWS::Serverless::Function")
            continue
        written = str(kind.value)
        unknown = written.startswith("AWS::Serverless::") and written not in SAM_TYPES
        if unknown or not TYPE.fullmatch(written):
            yield _at(source, kind, f"{name}: unknown type {written!r}", nearest(written, SAM_TYPES))
        condition = resource.get("Condition")
        if condition is not None and condition.value not in conditions:
            todo = nearest(str(condition.value), conditions, "declare it under Conditions")
            yield _at(source, condition, f"{name}: unknown condition {str(condition.value)!r}", todo)
        needs = resource.get("DependsOn")
        for one in (needs.items or (needs,)) if needs is not None else ():
            if one.value not in names and not _is_generated(str(one.value), names):
                yield _at(source, one, f"{name} depends on {str(one.value)!r}", nearest(str(one.value), names))


def _references(source: Source) -> Iterator[Finding]:
    for section in ("Resources", "Outputs", "Conditions", "Globals"):
        node = source.root.get(section)
        for function, at, argument in _calls(node) if node is not None else ():
            if function in REFERENCES:
                yield from REFERENCES[function](source, at, argument)


def _ref(source: Source, at: Node, argument: Node) -> Iterator[Finding]:
    if argument.kind == "scalar":
        yield from _named(source, at, "Ref", str(argument.value))


def _get_att(source: Source, at: Node, argument: Node) -> Iterator[Finding]:
    first = argument.items[0].value if argument.items else argument.value
    yield from _named(source, at, "GetAtt", str(first).partition(".")[0])


def _sub(source: Source, at: Node, argument: Node) -> Iterator[Finding]:
    text = argument.items[0] if argument.items else argument
    own = [name for name, _, _ in argument.items[1].named()] if len(argument.items) > 1 else []
    for name in SUB.findall(str(text.value)):
        if (name := name.partition(".")[0].strip()) not in own:
            yield from _named(source, at, "Sub", name)


def _find_in_map(source: Source, at: Node, argument: Node) -> Iterator[Finding]:
    yield from _declared(source, at, "FindInMap", argument, "Mappings")


def _if(source: Source, at: Node, argument: Node) -> Iterator[Finding]:
    yield from _declared(source, at, "If", argument, "Conditions")


REFERENCES = {"Ref": _ref, "GetAtt": _get_att, "Sub": _sub, "FindInMap": _find_in_map, "If": _if}


def _declared(source: Source, at: Node, function: str, argument: Node, section: str) -> Iterator[Finding]:
    """Whether the first part of an argument is declared in a section."""
    if not argument.items or argument.items[0].kind != "scalar" or argument.items[0].function:
        return
    name, known = str(argument.items[0].value), [one for one, _, _ in _section(source, section)]
    if name not in known:
        todo = nearest(name, known or [""], f"declare it under {section}")
        yield _at(source, at, f"{function} names {name!r}, which is not under {section}", todo)


def _named(source: Source, at: Node, function: str, name: str) -> Iterator[Finding]:
    resources = [one for one, _, _ in _section(source, "Resources")]
    known = [*resources, *(one for one, _, _ in _section(source, "Parameters"))]
    if not name.startswith("AWS::") and name not in known and not _is_generated(name, resources):
        todo = nearest(name, known, "declare it, or correct the name")
        yield _at(source, at, f"{function} names {name!r}, which is not in the template", todo)


def _is_generated(name: str, resources: list[str]) -> bool:
    """Whether SAM makes it: `CreateOrderRole`, `ApiProdStage`, `ServerlessRestApi`."""
    return name.startswith("Serverless") or any(name.startswith(one) and name != one for one in resources)


def _calls(node: Node) -> Iterator[tuple[str, Node, Node]]:
    """Each intrinsic function in here: its name, where it stands, its argument."""
    if node.function:
        yield node.function, node, node
    for name, key, value in node.named():
        if name == "Ref" or name.startswith("Fn::"):
            yield name.removeprefix("Fn::"), key, value
        yield from _calls(value)
    for item in node.items:
        yield from _calls(item)


def _section(source: Source, name: str) -> list[tuple[str, Node, Node]]:
    node = source.root.get(name)
    return list(node.named()) if node is not None else []


def _at(source: Source, node: Node, what: str, todo: str) -> Finding:
    return Finding(str(source.path), node.line, what, todo)
