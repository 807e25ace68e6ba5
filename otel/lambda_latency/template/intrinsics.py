"""Evaluates the intrinsic functions of CloudFormation in a value; what is unknown stays as written."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from lambda_latency.template.node import Node

VARIABLE = re.compile(r"\$\{([^!}][^}]*)\}")
GONE = "NoValue"
DEPTH = 100


def called(node: Node) -> tuple[str, Node] | None:
    """The intrinsic function of a value in either notation, without `Fn::`, and its argument; None for other values."""
    if node.function:
        return node.function, replace(node, function="")
    if node.kind == "mapping" and len(node.entries) == 1:
        name, argument = str(node.entries[0][0].value), node.entries[0][1]
        if name.startswith("Fn::") or name == "Ref" or (name == "Condition" and argument.kind == "scalar"):
            return name.removeprefix("Fn::"), argument
    return None


def in_long_form(node: Node) -> Node:
    """A value as a mapping if it is an unknown function (`Fn::Sub: text`)."""
    if not node.function:
        return node
    name = node.function if node.function in ("Ref", "Condition") else f"Fn::{node.function}"
    if node.function == GONE:
        name, node = "Ref", replace(node, value="AWS::NoValue")
    argument = replace(node, function="")
    return replace(argument, kind="mapping", value=None, items=(), entries=((_scalar(name), argument),))


class Intrinsics:
    """Evaluates values. `values` are those of parameters, by name; `condition` returns a condition's value, or None if
    it is unknown; `only` are the names of the evaluated functions, by default all.
    """

    def __init__(
        self,
        root: Node,
        values: Mapping[str, Node],
        condition: Callable[[str], bool | None] = lambda _: None,
        only: Collection[str] = (),
    ) -> None:
        self.values = values
        self._root, self._condition = root, condition
        self._do = {name: do for name, do in FUNCTIONS.items() if not only or name in only}
        self._depth = 0

    def __call__(self, node: Node) -> Node:
        """A value with its functions evaluated. An unknown one has its `function` in both notations."""
        self._depth += 1
        try:
            if self._depth > DEPTH:
                return replace(node, function=node.function or "Unknown")
            return self._one(node)
        finally:
            self._depth -= 1

    def _one(self, node: Node) -> Node:
        call = called(node)
        if call is not None:
            return self._function(*call, node)
        if node.kind == "list":
            return replace(node, items=tuple(one for one in map(self, node.items) if one.function != GONE))
        if node.kind == "mapping":
            pairs = ((key, self(value)) for key, value in _merged(node))
            return replace(node, entries=tuple((key, value) for key, value in pairs if value.function != GONE))
        return node

    def _function(self, name: str, argument: Node, at: Node) -> Node:
        if name == "Ref" and argument.value == "AWS::NoValue":
            return Node("scalar", at.line, at.start, at.end, function=GONE)
        do = self._do.get(name)
        found = do(self, argument) if do is not None else None
        if found is not None:
            # A selected value keeps its own line; a computed one has the line of the function.
            return found if found.line else replace(found, line=at.line, start=at.start, end=at.end)
        return replace(self._inside(argument), line=at.line, start=at.start, end=at.end, function=name)

    def _inside(self, argument: Node) -> Node:
        """The argument of a function that is not evaluated."""
        if called(argument) is not None:
            return in_long_form(self(argument))
        items = tuple(map(self, argument.items))  # AWS::NoValue stays in them: their number counts
        return replace(argument, items=items, entries=tuple((key, self(value)) for key, value in argument.entries))

    def ref(self, argument: Node) -> Node | None:
        return self.values.get(str(argument.value))

    def sub(self, argument: Node) -> Node | None:
        text = argument.items[0] if argument.items else argument
        own = {}
        if len(argument.items) > 1:
            own = {name: self(value) for name, _, value in argument.items[1].named()}

        def value(match: re.Match[str]) -> str:
            name = match[1].strip()
            known = own[name] if name in own else self.values.get(name)
            return known.text if known is not None and known.is_known else match[0]

        if not text.is_known:
            return None
        filled = VARIABLE.sub(value, text.text)
        left = {match[1].strip() for match in VARIABLE.finditer(filled)}
        if not left:
            return _scalar(filled.replace("${!", "${"))
        named = tuple((_scalar(name), one) for name, one in own.items() if name in left)
        if not named:
            return replace(_scalar(filled), function="Sub")
        mapping = Node("mapping", 0, 0, 0, entries=named)
        return Node("list", 0, 0, 0, items=(_scalar(filled), mapping), function="Sub")

    def join(self, argument: Node) -> Node | None:
        parts = self(argument)
        if not _is_of_list(parts):
            return None
        between, pieces = parts.items
        texts = [_in_sub(one) for one in pieces.items]
        if _are_known(pieces):
            return _scalar(between.text.join(one.text for one in pieces.items))
        if None in texts:
            return None
        return replace(_scalar(between.text.replace("${", "${!").join(filter(None, texts))), function="Sub")

    def choose(self, argument: Node) -> Node | None:
        if len(argument.items) != 3:
            return None
        holds = self._condition(str(argument.items[0].value))
        return None if holds is None else self(argument.items[1 if holds else 2])

    def find_in_map(self, argument: Node) -> Node | None:
        keys = [self(one) for one in argument.items[:3]]
        if len(keys) != 3 or not all(one.is_known for one in keys):
            return None
        found = self._root.get("Mappings", *(one.text for one in keys))
        default = argument.items[3].get("DefaultValue") if len(argument.items) > 3 else None
        return self(default) if found is None and default is not None else found

    def select(self, argument: Node) -> Node | None:
        parts = self(argument)
        if not _is_of_list(parts):
            return None
        index, pieces = parts.items
        place = int(index.text) if index.text.isdecimal() else len(pieces.items)
        return pieces.items[place] if place < len(pieces.items) else None

    def split(self, argument: Node) -> Node | None:
        parts = self(argument)
        if len(parts.items) != 2 or not _are_known(parts) or not parts.items[0].text:
            return None
        pieces = parts.items[1].text.split(parts.items[0].text)
        return Node("list", 0, 0, 0, items=tuple(map(_scalar, pieces)))


FUNCTIONS: Mapping[str, Callable[[Intrinsics, Node], Node | None]] = {
    "Ref": Intrinsics.ref,
    "Sub": Intrinsics.sub,
    "Join": Intrinsics.join,
    "If": Intrinsics.choose,
    "FindInMap": Intrinsics.find_in_map,
    "Select": Intrinsics.select,
    "Split": Intrinsics.split,
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


def _in_sub(piece: Node) -> str | None:
    """A part of a joined text as a part of a `Sub`; None for one that has no such form."""
    if piece.is_known:
        return piece.text.replace("${", "${!")
    if piece.function in ("Ref", "GetAtt"):
        return "${" + ".".join(str(one.value) for one in piece.scalars()) + "}"
    return str(piece.value) if piece.function == "Sub" and piece.kind == "scalar" else None


def _scalar(text: str) -> Node:
    return Node("scalar", 0, 0, 0, value=text)


def _is_of_list(argument: Node) -> bool:
    """Whether an argument is a pair of a known scalar and a list that is not computed."""
    return (
        len(argument.items) == 2
        and argument.items[0].is_known
        and argument.items[1].kind == "list"
        and not argument.items[1].function
    )


def _are_known(pieces: Node) -> bool:
    return all(one.is_known for one in pieces.items)
