"""The properties that SAM's functions get from `Globals`.

SAM merges them before CloudFormation evaluates conditions: an `If` of a function replaces a list or a mapping of
Globals, also where the chosen case is a list, or AWS::NoValue.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lambda_latency.template.intrinsics import GONE, called
from lambda_latency.template.node import Node

SAM = "AWS::Serverless::Function"
IGNORED = "IgnoreGlobals"  # SAM's attribute with the properties of Globals that a resource does not get


def places_of(root: Node, resource: Node) -> tuple[Node, ...]:
    """The properties of a function: those of Globals that it gets, and its own, which override them."""
    everyone = _shared(root, resource)
    own = resource.get("Properties")
    return tuple(place for place in (everyone, own) if place is not None)


def settled(root: Node, resource: Node, value: Callable[[Node], Node]) -> Node:
    """A resolved resource that is equal to the one that SAM merges before its conditions are evaluated."""
    everyone, own = _shared(root, resource), resource.get("Properties")
    done = value(resource)
    entries = {str(key.value): (key, one) for key, one in done.entries}
    if everyone is None or own is None or "Properties" not in entries:
        return done
    ignored: list[str] = []
    known = {str(key.value): (key, one) for key, one in entries["Properties"][1].entries}
    for name, key, written in own.named():
        shared = everyone.get(name)
        if shared is None or value(shared).function == GONE:
            continue
        whole = value(_merged(shared, written))
        apart = _merged(value(shared), known[name][1]) if name in known else None
        if whole != apart:
            ignored.append(name)
            known.pop(name, None)
            known |= {name: (key, whole)} if whole.function != GONE else {}
    if ignored:
        properties = replace(entries["Properties"][1], entries=tuple(known.values()))
        names = [*_ignored(resource), *ignored]
        listed = Node("list", done.line, 0, 0, items=tuple(map(_scalar, names)))
        entries |= {"Properties": (entries["Properties"][0], properties), IGNORED: (_scalar(IGNORED), listed)}
    return replace(done, entries=tuple(entries.values()))


def _shared(root: Node, resource: Node) -> Node | None:
    """The properties of Globals that a resource gets; None if it gets none."""
    everyone = root.get("Globals", "Function")
    ignored = _ignored(resource)
    if resource.text_at("Type") != SAM or everyone is None or "*" in ignored:
        return None
    kept = tuple(entry for entry in everyone.entries if entry[0].value not in ignored)
    return replace(everyone, entries=kept) if ignored else everyone


def _ignored(resource: Node) -> list[str]:
    named = resource.get(IGNORED)
    return [one.text for one in named.scalars()] if named is not None else []


def _merged(shared: Node, own: Node) -> Node:
    """A value of Globals and one of a function, as SAM merges them."""
    if called(shared) is not None or called(own) is not None or shared.kind != own.kind or own.kind == "scalar":
        return own
    if own.kind == "list":
        return replace(own, items=(*shared.items, *own.items))
    mine = {key.value: (key, one) for key, one in own.entries}
    both = {key.value: (key, _merged(one, mine[key.value][1]) if key.value in mine else one)
            for key, one in shared.entries}  # fmt: skip
    return replace(own, entries=tuple({**mine, **both}.values()))


def _scalar(text: str) -> Node:
    return Node("scalar", 0, 0, 0, value=text)
