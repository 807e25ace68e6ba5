"""The properties that SAM's functions get from `Globals`.

SAM merges them before CloudFormation evaluates conditions: an `If` of a function replaces a list or a mapping of
Globals, also where the chosen case is a list, or AWS::NoValue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from lambda_latency.template.intrinsics import GONE, called
from lambda_latency.template.node import YamlNode, scalar

SAM = "AWS::Serverless::Function"
# SAM's attribute with the properties of Globals that a resource does not get
IGNORED = "IgnoreGlobals"


def places_of(root: YamlNode, resource: YamlNode) -> tuple[YamlNode, ...]:
    """The properties of a function: those of Globals that it gets, and its own, which override them."""
    places = _shared(root, resource), resource.get("Properties")
    return tuple(place for place in places if place is not None)


def first_value(places: Iterable[YamlNode], *path: str) -> YamlNode | None:
    """The property of the first place that has it; None without one."""
    values = (place.get(*path) for place in places)
    return next((value for value in values if value is not None), None)


def settled(root: YamlNode, resource: YamlNode, evaluate: Callable[[YamlNode], YamlNode]) -> YamlNode:
    """A resolved resource that is equal to the one that SAM merges before its conditions are evaluated."""
    inherited, properties = _shared(root, resource), resource.get("Properties")
    resolved = evaluate(resource)
    entries = {str(key.value): (key, node) for key, node in resolved.entries}
    if inherited is None or properties is None or "Properties" not in entries:
        return resolved
    ignored: list[str] = []
    merged = {str(key.value): (key, node) for key, node in entries["Properties"][1].entries}
    for name, key, written in properties.named():
        shared = inherited.get(name)
        if shared is None or evaluate(shared).function == GONE:
            continue
        expected = evaluate(_merged(shared, written))
        actual = _merged(evaluate(shared), merged[name][1]) if name in merged else None
        if expected != actual:
            ignored.append(name)
            merged.pop(name, None)
            merged |= {name: (key, expected)} if expected.function != GONE else {}
    if ignored:
        properties = replace(entries["Properties"][1], entries=tuple(merged.values()))
        names = [*_ignored(resource), *ignored]
        listed = YamlNode("list", resolved.line, 0, 0, items=tuple(map(scalar, names)))
        entries |= {"Properties": (entries["Properties"][0], properties), IGNORED: (scalar(IGNORED), listed)}
    return replace(resolved, entries=tuple(entries.values()))


def _shared(root: YamlNode, resource: YamlNode) -> YamlNode | None:
    """The properties of Globals that a resource gets; None if it gets none."""
    shared = root.get("Globals", "Function")
    ignored = _ignored(resource)
    if resource.text_at("Type") != SAM or shared is None or "*" in ignored:
        return None
    inherited = tuple(entry for entry in shared.entries if entry[0].value not in ignored)
    return replace(shared, entries=inherited) if ignored else shared


def _ignored(resource: YamlNode) -> list[str]:
    named = resource.get(IGNORED)
    return [node.text for node in named.scalars()] if named is not None else []


def _merged(shared: YamlNode, written: YamlNode) -> YamlNode:
    """A value of Globals and one of a function, as SAM merges them."""
    is_computed = called(shared) is not None or called(written) is not None
    if is_computed or shared.kind != written.kind or written.kind == "scalar":
        return written
    if written.kind == "list":
        return replace(written, items=(*shared.items, *written.items))
    mine = {key.value: (key, node) for key, node in written.entries}
    both = {key.value: (key, _merged(node, mine[key.value][1]) if key.value in mine else node)
            for key, node in shared.entries}  # fmt: skip
    return replace(written, entries=tuple({**mine, **both}.values()))
