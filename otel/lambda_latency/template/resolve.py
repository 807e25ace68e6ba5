"""Resolves a template for given parameters and a region: evaluates conditions, parameters and mappings.

Every command reads templates through this module, so that all of them see the same functions.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lambda_latency.template.conditions import Conditions, Undecided
from lambda_latency.template.inherited import places_of, settled
from lambda_latency.template.intrinsics import Intrinsics, in_long_form
from lambda_latency.template.node import Node
from lambda_latency.template.parameters import ASSUMED, parameter_value, placeholder, pseudo_parameters

CONDITIONAL = ("Resources", "Outputs")


@dataclass(frozen=True, slots=True)
class Resolved:
    """A resolved template, and the used conditions whose values are assumed, by line. `settle` resolves a
    resource as written, also one whose condition is false.
    """

    root: Node
    undecided: tuple[Undecided, ...]
    settle: Callable[[Node], Node]

    def places(self, resource: Node) -> tuple[Node, ...]:
        """The properties of a function as written: resolved, those of Globals first."""
        return places_of(self.root, self.settle(resource))


def resolve(
    root: Node,
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
    values = {name: _text(text) for name, text in (pseudo_parameters(region) | pseudo).items()}
    passed = {*later, *(name for name, text in parameters.items() if text is None)}
    placeholders = {name: _text(text) for name, text in ASSUMED.items()}
    for name, _, parameter in root.named("Parameters"):
        known = None if name in passed else parameter_value(parameter, parameters.get(name))
        stand_in = placeholder(name, parameter) if known is None else None
        assumed = parameter_value(parameter, stand_in) if stand_in is not None else None
        values |= {name: known} if known is not None else {}
        placeholders |= {name: assumed} if assumed is not None else {}
    conditions = Conditions(root, Intrinsics(root, values), Intrinsics(root, placeholders | values), passed, later)
    evaluate = Intrinsics(root, values, conditions, only)

    def settle(resource: Node) -> Node:
        return settled(root, resource, evaluate)

    kept = []
    for key, section in root.entries:
        if key.value in CONDITIONAL and section.kind == "mapping":
            kept.append((key, replace(section, entries=tuple(_existing(section, settle, conditions)))))
        else:
            kept.append((key, evaluate(section) if key.value in ("Globals", "Outputs") else section))
    undecided = sorted(conditions.used.values(), key=lambda one: (one.line, one.name))
    return Resolved(replace(root, entries=tuple(kept)), tuple(undecided), settle)


def node_of(value: Any) -> Node:
    """A parsed template, with functions in their long form, as a node without lines."""
    if isinstance(value, Mapping):
        return Node("mapping", 0, 0, 0, entries=tuple((node_of(key), node_of(one)) for key, one in value.items()))
    if isinstance(value, list):
        return Node("list", 0, 0, 0, items=tuple(map(node_of, value)))
    return Node("scalar", 0, 0, 0, value=value)


def value_of(node: Node) -> Any:
    """The reverse of `node_of`."""
    node = in_long_form(node)
    if node.kind == "mapping":
        return {key.value: value_of(one) for key, one in node.entries}
    return [value_of(one) for one in node.items] if node.kind == "list" else node.value


def _existing(section: Node, settle: Callable[[Node], Node], conditions: Conditions) -> list[tuple[Node, Node]]:
    """The resources or outputs without a false condition. A true condition is removed from them."""
    found = []
    for key, one in section.entries:
        condition = one.get("Condition")
        named = str(condition.value) if condition is not None and condition.kind == "scalar" else ""
        holds = conditions(named) if named else True
        if holds is not False:
            kept = tuple(entry for entry in one.entries if holds is None or entry[0].value != "Condition")
            found.append((key, settle(replace(one, entries=kept))))
    return found


def _text(text: str) -> Node:
    return Node("scalar", 0, 0, 0, value=text)
