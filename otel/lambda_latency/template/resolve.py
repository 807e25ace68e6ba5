"""Resolves a template for given parameters and a region: evaluates conditions, parameters and mappings.

Every command reads templates through this module, so that all of them see the same functions.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lambda_latency.template.conditions import Conditions, Undecided
from lambda_latency.template.inherited import places_of, settled
from lambda_latency.template.intrinsics import Intrinsics, in_long_form
from lambda_latency.template.node import Diagnostic, YamlNode, read_yaml, scalar
from lambda_latency.template.parameters import ASSUMED, parameter_value, placeholder, pseudo_parameters

CONDITIONAL = ("Resources", "Outputs")
REGION = "us-east-1"  # of tests
KINDS = ("AWS::Serverless::Function", "AWS::Lambda::Function")


@dataclass(frozen=True, slots=True)
class Resolved:
    """A resolved template, and the used conditions whose values are assumed, by line. `settle` resolves a
    resource as written, also one whose condition is false.
    """

    root: YamlNode
    undecided: tuple[Undecided, ...]
    settle: Callable[[YamlNode], YamlNode]

    def places(self, resource: YamlNode) -> tuple[YamlNode, ...]:
        """The properties of a function as written: resolved, those of Globals first."""
        return places_of(self.root, self.settle(resource))


def resolve(
    root: YamlNode,
    parameters: Mapping[str, str | None],
    region: str = "",
    *,
    only: Collection[str] = (),
    later: Collection[str] = (),
) -> Resolved:
    """The template as deployed; without a `region`, values that depend on it are unknown.

    `parameters` may have pseudo parameters, too; None is an unknown value that another stack passes. Resources and
    outputs without a true condition are left out. A condition is true, false or undecided; an undecided one gets the
    value that it has with placeholders for what is unknown. `only` names the intrinsic functions to evaluate, by
    default all. `later` are parameters of another stack, too, and conditions on them stay as written. A value that is
    known only after the deployment has its `function` (`GetAtt`, `Sub`, ...) in both notations; unknown parts of a text
    are `${Name}`.
    """
    pseudo = {name: text for name, text in parameters.items() if text is not None and name.startswith("AWS::")}
    values = {name: scalar(text) for name, text in (pseudo_parameters(region) | pseudo).items()}
    passed = {*later, *(name for name, text in parameters.items() if text is None)}
    placeholders = {name: scalar(text) for name, text in ASSUMED.items()}
    for name, _, parameter in root.named("Parameters"):
        node = None if name in passed else parameter_value(parameter, parameters.get(name))
        text = placeholder(name, parameter) if node is None else None
        assumed = parameter_value(parameter, text) if text is not None else None
        values |= {name: node} if node is not None else {}
        placeholders |= {name: assumed} if assumed is not None else {}
    conditions = Conditions(root, Intrinsics(root, values), Intrinsics(root, placeholders | values), passed, later)
    evaluate = Intrinsics(root, values, conditions, only)

    def settle(resource: YamlNode) -> YamlNode:
        return settled(root, resource, evaluate)

    sections = []
    for key, section in root.entries:
        if key.value in CONDITIONAL and section.kind == "mapping":
            sections.append((key, replace(section, entries=tuple(_existing(section, settle, conditions)))))
        else:
            sections.append((key, evaluate(section) if key.value in ("Globals", "Outputs") else section))
    undecided = sorted(conditions.used.values(), key=lambda condition: (condition.line, condition.name))
    return Resolved(replace(root, entries=tuple(sections)), tuple(undecided), settle)


def node_of(value: Any) -> YamlNode:
    """A parsed template, with functions in their long form, as a node without lines."""
    if isinstance(value, Mapping):
        return YamlNode("mapping", 0, 0, 0, entries=tuple((node_of(key), node_of(node)) for key, node in value.items()))
    if isinstance(value, list):
        return YamlNode("list", 0, 0, 0, items=tuple(map(node_of, value)))
    return YamlNode("scalar", 0, 0, 0, value=value)


def value_of(node: YamlNode) -> Any:
    """The reverse of `node_of`."""
    node = in_long_form(node)
    if node.kind == "mapping":
        return {key.value: value_of(node) for key, node in node.entries}
    return [*map(value_of, node.items)] if node.kind == "list" else node.value


def _existing(
    section: YamlNode, settle: Callable[[YamlNode], YamlNode], conditions: Conditions
) -> list[tuple[YamlNode, YamlNode]]:
    """The resources or outputs without a false condition. A true condition is removed from them."""
    existing = []
    for key, resource in section.entries:
        condition = resource.get("Condition")
        named = str(condition.value) if condition is not None and condition.kind == "scalar" else ""
        holds = conditions(named) if named else True
        if holds is not False:
            attributes = tuple(entry for entry in resource.entries if holds is None or entry[0].value != "Condition")
            existing.append((key, settle(replace(resource, entries=attributes))))
    return existing


@dataclass(frozen=True, slots=True)
class FunctionConfig:
    """One function by its logical id. `variables`: those with a known value."""

    name: str
    handler: str
    timeout_s: float
    memory_mb: int
    code: str
    variables: Mapping[str, str]


def read_functions(path: Path) -> tuple[FunctionConfig, ...]:
    """All functions with the defaults of the parameters. Raises `OSError`, and `ValueError` for invalid YAML."""
    root = read_yaml(path.name, path.read_text(encoding="utf-8"))
    if isinstance(root, Diagnostic):
        raise ValueError(str(root))
    resolved = resolve(root, {}, REGION).root
    return tuple(
        _function(name, places_of(resolved, resource))
        for name, _, resource in resolved.named("Resources")
        if resource.text_at("Type") in KINDS
    )


def _function(name: str, places: Sequence[YamlNode]) -> FunctionConfig:
    """Merges properties; later ones override earlier ones."""
    variables: dict[str, str] = {}
    for place in places:
        for key, _, value in place.named("Environment", "Variables"):
            variables.pop(key, None)
            if value.is_known:
                variables[key] = value.text
    return FunctionConfig(
        name=name,
        handler=_text(places, "Handler"),
        timeout_s=float(_text(places, "Timeout") or 3),
        memory_mb=int(_text(places, "MemorySize") or 128),
        code=_text(places, "CodeUri"),
        variables=variables,
    )


def _text(places: Sequence[YamlNode], key: str) -> str:
    """A known value as text; empty without one."""
    return next((node.text for place in reversed(places) if (node := place.get(key)) is not None), "")
