"""Resolves a template for given parameters and a region: evaluates conditions, parameters and mappings.

Values that are known only after deployment (`!GetAtt`, a parameter without a default) stay as written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from lambda_latency.template.node import Node

__all__ = ["resolve"]

VARIABLE = re.compile(r"\$\{([^!}][^}]*)\}")
PARTITIONS = (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"), ("us-isob-", "aws-iso-b"), ("us-iso-", "aws-iso"))
SUFFIXES = {"aws-cn": "amazonaws.com.cn"}
GONE = "NoValue"
DEPTH = 100


def resolve(root: Node, parameters: Mapping[str, str], region: str = "") -> Node:
    """The template as deployed; without a `region`, values that depend on it are unknown.

    An unresolved value has its `function` (`Ref`, `Sub`, `If`, ...) in both notations; unknown parts of a text are
    `${Name}`. An `If` with an unknown condition keeps both values.
    """
    return _Resolver(root, parameters, region).everything()


class _Resolver:
    def __init__(self, root: Node, parameters: Mapping[str, str], region: str) -> None:
        self._root = root
        self._values: dict[str, str] = {}
        declared = root.get("Parameters")
        for name, _, parameter in declared.named() if declared is not None else ():
            default = parameter.get("Default")
            if name in parameters:
                self._values[name] = parameters[name]
            elif default is not None and default.kind == "scalar" and default.value is not None:
                self._values[name] = _text(default)
        if region:
            partition = next((name for start, name in PARTITIONS if region.startswith(start)), "aws")
            self._values["AWS::Region"] = region
            self._values["AWS::Partition"] = partition
            self._values["AWS::URLSuffix"] = SUFFIXES.get(partition, "amazonaws.com")
        self._conditions: dict[str, bool | None] = {}
        self._depth = 0

    def everything(self) -> Node:
        kept = []
        for key, value in self._root.entries:
            if key.value == "Resources" and value.kind == "mapping":
                kept.append((key, replace(value, entries=tuple(self._resources(value)))))
            elif key.value in ("Globals", "Outputs"):
                kept.append((key, self(value)))
            else:
                kept.append((key, value))
        return replace(self._root, entries=tuple(kept))

    def _resources(self, section: Node) -> list[tuple[Node, Node]]:
        found = []
        for key, resource in section.entries:
            condition = resource.get("Condition")
            named = str(condition.value) if condition is not None and condition.kind == "scalar" else ""
            if not named or self._condition(named) is not False:
                found.append((key, self(resource)))
        return found

    def __call__(self, node: Node) -> Node:
        self._depth += 1
        try:
            if self._depth > DEPTH:
                return replace(node, function=node.function or "Unknown")
            return self._one(node)
        finally:
            self._depth -= 1

    def _one(self, node: Node) -> Node:
        if node.function:
            return self._function(node.function, replace(node, function=""), node)
        if node.kind == "mapping" and len(node.entries) == 1:
            name = str(node.entries[0][0].value)
            if name in ("Ref", "Condition") or name.startswith("Fn::"):
                argument = node.entries[0][1]
                if name != "Condition" or argument.kind == "scalar":
                    return self._function(name.removeprefix("Fn::"), argument, node)
        if node.kind == "list":
            return replace(node, items=tuple(one for one in map(self, node.items) if one.function != GONE))
        if node.kind == "mapping":
            pairs = ((key, self(value)) for key, value in _merged(node))
            return replace(node, entries=tuple((key, value) for key, value in pairs if value.function != GONE))
        return node

    def _function(self, name: str, argument: Node, at: Node) -> Node:
        do = FUNCTIONS.get(name)
        found = do(self, argument) if do is not None else None
        if found is not None:
            # A selected value keeps its own line; a computed one has the line of the function.
            return found if found.line else replace(found, line=at.line, start=at.start, end=at.end)
        place = replace(argument, line=at.line, start=at.start, end=at.end, function=name)
        if name in ("Ref", "GetAtt", "Condition"):
            return place
        return replace(place, items=tuple(map(self, argument.items)))

    def ref(self, argument: Node) -> Node | None:
        name = str(argument.value)
        if name == "AWS::NoValue":
            return Node("scalar", 0, 0, 0, function=GONE)
        return _scalar(self._values[name]) if name in self._values else None

    def sub(self, argument: Node) -> Node | None:
        text = argument.items[0] if argument.items else argument
        own: dict[str, Node] = {}
        if len(argument.items) > 1:
            own = {name: self(value) for name, _, value in argument.items[1].named()}

        def value(match: re.Match[str]) -> str:
            name = match[1].strip()
            if name in own:
                return _text(own[name]) if _is_text(own[name]) else match[0]
            return self._values.get(name, match[0])

        if text.kind != "scalar":
            return None
        filled = VARIABLE.sub(value, _text(text))
        return Node("scalar", 0, 0, 0, value=filled, function="Sub" if VARIABLE.search(filled) else "")

    def join(self, argument: Node) -> Node | None:
        parts = self(argument)
        if len(parts.items) != 2 or parts.items[1].kind != "list" or parts.items[1].function:
            return None
        texts = [_text(one) if _is_text(one) else "${Unknown}" for one in parts.items[1].items]
        joined = str(parts.items[0].value or "").join(texts)
        return Node("scalar", 0, 0, 0, value=joined, function="Sub" if VARIABLE.search(joined) else "")

    def choose(self, argument: Node) -> Node | None:
        if len(argument.items) != 3:
            return None
        holds = self._condition(str(argument.items[0].value))
        return None if holds is None else self(argument.items[1 if holds else 2])

    def find_in_map(self, argument: Node) -> Node | None:
        keys = [self(one) for one in argument.items[:3]]
        if len(keys) != 3 or not all(map(_is_text, keys)):
            return None
        found = self._root.get("Mappings", *map(_text, keys))
        return found if found is not None and _is_text(found) else None

    def select(self, argument: Node) -> Node | None:
        parts = self(argument)
        if len(parts.items) != 2 or parts.items[1].kind != "list" or parts.items[1].function:
            return None
        try:
            return parts.items[1].items[int(str(parts.items[0].value))]
        except (ValueError, IndexError):
            return None

    def split(self, argument: Node) -> Node | None:
        parts = self(argument)
        if len(parts.items) != 2 or not all(map(_is_text, parts.items)) or not _text(parts.items[0]):
            return None
        pieces = _text(parts.items[1]).split(_text(parts.items[0]))
        return Node("list", 0, 0, 0, items=tuple(map(_scalar, pieces)))

    def truth(self, argument: Node) -> Node | None:
        holds = self._condition(str(argument.value))
        return None if holds is None else Node("scalar", 0, 0, 0, value=holds)

    def _condition(self, name: str) -> bool | None:
        """The value of a condition; None if unknown."""
        if name not in self._conditions:
            self._conditions[name] = None  # a circular condition is unknown
            node = self._root.get("Conditions", name)
            self._conditions[name] = self._holds(node) if node is not None else None
        return self._conditions[name]

    def _holds(self, node: Node) -> bool | None:
        if node.function:
            name, argument = node.function, replace(node, function="")
        elif node.kind == "mapping" and len(node.entries) == 1:
            name, argument = str(node.entries[0][0].value).removeprefix("Fn::"), node.entries[0][1]
        else:
            return None
        if name == "Condition":
            return self._condition(str(argument.value))
        if name == "Equals":
            both = [self(one) for one in argument.items]
            return _text(both[0]) == _text(both[1]) if len(both) == 2 and all(map(_is_text, both)) else None
        parts = [self._holds(one) for one in argument.items]
        if name == "Not":
            return None if len(parts) != 1 or parts[0] is None else not parts[0]
        if name == "And":
            return False if False in parts else None if None in parts else True
        if name == "Or":
            return True if True in parts else None if None in parts else False
        return None


FUNCTIONS: dict[str, Callable[[_Resolver, Node], Node | None]] = {
    "Ref": _Resolver.ref,
    "Sub": _Resolver.sub,
    "Join": _Resolver.join,
    "If": _Resolver.choose,
    "FindInMap": _Resolver.find_in_map,
    "Select": _Resolver.select,
    "Split": _Resolver.split,
    "Condition": _Resolver.truth,
}


def _merged(node: Node) -> list[tuple[Node, Node]]:
    """The entries of a mapping, including those of YAML's merge key (`<<: *common`)."""
    own = [(key, value) for key, value in node.entries if key.value != "<<"]
    names = {key.value for key, _ in own}
    for key, value in node.entries:
        for source in (value.items or (value,)) if key.value == "<<" else ():
            own += [entry for entry in source.entries if entry[0].value not in names]
            names |= {entry[0].value for entry in source.entries}
    return own


def _scalar(text: str) -> Node:
    return Node("scalar", 0, 0, 0, value=text)


def _is_text(node: Node) -> bool:
    return node.kind == "scalar" and not node.function and node.value is not None


def _text(node: Node) -> str:
    """A scalar in CloudFormation's notation: `true`, not `True`."""
    return str(node.value).lower() if isinstance(node.value, bool) else str(node.value)
