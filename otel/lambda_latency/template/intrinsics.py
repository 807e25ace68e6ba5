"""Evaluates the intrinsic functions of CloudFormation in a value; what is unknown stays as written."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from lambda_latency.template.node import YamlNode, scalar

VARIABLE = re.compile(r"\$\{([^!{}][^{}]*)\}")
GONE = "NoValue"
DEPTH = 100


def called(node: YamlNode) -> tuple[str, YamlNode] | None:
    """The intrinsic function of a value in either notation, without `Fn::`, and its argument; None for other values."""
    if node.function:
        return node.function, replace(node, function="")
    if node.kind == "mapping" and len(node.entries) == 1:
        name, argument = str(node.entries[0][0].value), node.entries[0][1]
        if name.startswith("Fn::") or name == "Ref" or (name == "Condition" and argument.kind == "scalar"):
            return name.removeprefix("Fn::"), argument
    return None


def in_long_form(node: YamlNode) -> YamlNode:
    """A value as a mapping if it is an unknown function (`Fn::Sub: text`)."""
    if not node.function:
        return node
    name = node.function if node.function in ("Ref", "Condition") else f"Fn::{node.function}"
    if node.function == GONE:
        name, node = "Ref", replace(node, value="AWS::NoValue")
    argument = replace(node, function="")
    return replace(argument, kind="mapping", value=None, items=(), entries=((scalar(name), argument),))


class Intrinsics:
    """Evaluates values. `values` are those of parameters, by name; `condition` returns a condition's value, or None if
    it is unknown; `only` are the names of the evaluated functions, by default all.
    """

    def __init__(
        self,
        root: YamlNode,
        values: Mapping[str, YamlNode],
        condition: Callable[[str], bool | None] = lambda _: None,
        only: Collection[str] = (),
    ) -> None:
        self.values = values
        self._root, self._condition = root, condition
        self._do = {name: do for name, do in FUNCTIONS.items() if not only or name in only}
        self._depth = 0

    def __call__(self, node: YamlNode) -> YamlNode:
        """A value with its functions evaluated. An unknown one has its `function` in both notations."""
        self._depth += 1
        try:
            if self._depth > DEPTH:
                return replace(node, function=node.function or "Unknown")
            return self._evaluate(node)
        finally:
            self._depth -= 1

    def _evaluate(self, node: YamlNode) -> YamlNode:
        call = called(node)
        if call is not None:
            return self._function(*call, node)
        if node.kind == "list":
            return replace(node, items=tuple(n for n in map(self, node.items) if n.function != GONE))
        if node.kind == "mapping":
            pairs = ((key, self(value)) for key, value in _merged(node))
            return replace(node, entries=tuple((key, value) for key, value in pairs if value.function != GONE))
        return node

    def _function(self, name: str, argument: YamlNode, place: YamlNode) -> YamlNode:
        if name == "Ref" and argument.value == "AWS::NoValue":
            return YamlNode("scalar", place.line, place.start, place.end, function=GONE)
        do = self._do.get(name)
        result = do(self, argument) if do is not None else None
        if result is not None:
            # A selected value keeps its own line; a computed one has the line of the function.
            return result if result.line else replace(result, line=place.line, start=place.start, end=place.end)
        return replace(self._unevaluated(argument), line=place.line, start=place.start, end=place.end, function=name)

    def _unevaluated(self, argument: YamlNode) -> YamlNode:
        """The argument of a function that is not evaluated."""
        if called(argument) is not None:
            return in_long_form(self(argument))
        items = tuple(map(self, argument.items))  # AWS::NoValue stays in them: their number counts
        return replace(argument, items=items, entries=tuple((key, self(value)) for key, value in argument.entries))

    def ref(self, argument: YamlNode) -> YamlNode | None:
        return self.values.get(str(argument.value))

    def sub(self, argument: YamlNode) -> YamlNode | None:
        text = argument.items[0] if argument.items else argument
        definitions = {name: self(node) for mapping in argument.items[1:2] for name, _, node in mapping.named()}

        def value(match: re.Match[str]) -> str:
            name = match[1].strip()
            node = definitions.get(name, self.values.get(name))
            return node.text if node is not None and node.is_known else match[0]

        if not text.is_known:
            return None
        filled = VARIABLE.sub(value, text.text)
        unfilled = {match[1].strip() for match in VARIABLE.finditer(filled)}
        if not unfilled:
            return scalar(filled.replace("${!", "${"))
        return _sub_of(filled, definitions, unfilled)

    def join(self, argument: YamlNode) -> YamlNode | None:
        parts = self(argument)
        if not _is_of_list(parts):
            return None
        between, pieces = parts.items
        texts = [_in_sub(piece) for piece in pieces.items]
        if _are_known(pieces):
            return scalar(between.text.join(piece.text for piece in pieces.items))
        if None in texts:
            return None
        return replace(scalar(between.text.replace("${", "${!").join(filter(None, texts))), function="Sub")

    def choose(self, argument: YamlNode) -> YamlNode | None:
        if len(argument.items) != 3:
            return None
        holds = self._condition(str(argument.items[0].value))
        return None if holds is None else self(argument.items[1 if holds else 2])

    def find_in_map(self, argument: YamlNode) -> YamlNode | None:
        keys = [self(key) for key in argument.items[:3]]
        if len(keys) != 3 or not all(key.is_known for key in keys):
            return None
        mapped = self._root.get("Mappings", *(key.text for key in keys))
        default = argument.items[3].get("DefaultValue") if len(argument.items) > 3 else None
        return self(default) if mapped is None and default is not None else mapped

    def select(self, argument: YamlNode) -> YamlNode | None:
        parts = self(argument)
        if not _is_of_list(parts):
            return None
        index, pieces = parts.items
        place = int(index.text) if index.text.isdecimal() else len(pieces.items)
        return pieces.items[place] if place < len(pieces.items) else None

    def split(self, argument: YamlNode) -> YamlNode | None:
        parts = self(argument)
        if len(parts.items) != 2 or not _are_known(parts) or not parts.items[0].text:
            return None
        pieces = parts.items[1].text.split(parts.items[0].text)
        return YamlNode("list", 0, 0, 0, items=tuple(map(scalar, pieces)))


FUNCTIONS: Mapping[str, Callable[[Intrinsics, YamlNode], YamlNode | None]] = {
    "Ref": Intrinsics.ref,
    "Sub": Intrinsics.sub,
    "Join": Intrinsics.join,
    "If": Intrinsics.choose,
    "FindInMap": Intrinsics.find_in_map,
    "Select": Intrinsics.select,
    "Split": Intrinsics.split,
}


def _merged(node: YamlNode) -> list[tuple[YamlNode, YamlNode]]:
    """The entries of a mapping, including those of YAML's merge key (`<<: *common`)."""
    entries = {key.value: (key, child) for key, child in node.entries if key.value != "<<"}
    for merge_key, mapping in node.entries:
        for source in (mapping.items or (mapping,)) if merge_key.value == "<<" else ():
            for key, child in source.entries:
                entries.setdefault(key.value, (key, child))
    return [*entries.values()]


def _sub_of(text: str, definitions: Mapping[str, YamlNode], unfilled: Collection[str]) -> YamlNode:
    """A `Sub` of a text with unfilled names, and with its definitions of them."""
    entries = tuple((scalar(name), node) for name, node in definitions.items() if name in unfilled)
    if not entries:
        return replace(scalar(text), function="Sub")
    mapping = YamlNode("mapping", 0, 0, 0, entries=entries)
    return YamlNode("list", 0, 0, 0, items=(scalar(text), mapping), function="Sub")


def variables_of(argument: YamlNode) -> list[str]:
    """The names in the text of a `Sub` that it does not define itself, such as `Stage` and `Queue.Arn`."""
    defined = [name for mapping in argument.items[1:2] for name, _, _ in mapping.named()]
    text = str((argument.items or (argument,))[0].value)
    names = [name.strip() for name in VARIABLE.findall(text)]
    return [name for name in names if name not in defined]


def _in_sub(piece: YamlNode) -> str | None:
    """A part of a joined text as a part of a `Sub`; None for one that has no such form."""
    if piece.is_known:
        return piece.text.replace("${", "${!")
    if piece.function in ("Ref", "GetAtt"):
        return "${" + ".".join(str(name.value) for name in piece.scalars()) + "}"
    return str(piece.value) if piece.function == "Sub" and piece.kind == "scalar" else None


def _is_of_list(argument: YamlNode) -> bool:
    """Whether an argument is a pair of a known scalar and a list that is not computed."""
    return (
        len(argument.items) == 2
        and argument.items[0].is_known
        and argument.items[1].kind == "list"
        and not argument.items[1].function
    )


def _are_known(pieces: YamlNode) -> bool:
    return all(piece.is_known for piece in pieces.items)
