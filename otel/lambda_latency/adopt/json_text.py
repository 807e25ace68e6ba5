"""Writes what is added to a template as JSON, with intrinsic functions in their long form."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from lambda_latency.template import Finding, Node, read_yaml

__all__ = ["Tree", "as_json"]

Tree: TypeAlias = "str | Mapping[str, Tree] | Sequence[Tree]"


def as_json(tree: Tree, newline: str = "", margin: str = "", unit: str = "") -> str:
    """A tree, whose scalars are YAML source, as JSON: scalars in one line, and all of it without a `newline`.

    Lines after the first begin with `margin`, and with a `unit` for each level.
    """
    if isinstance(tree, str):
        read = read_yaml("", tree)
        assert not isinstance(read, Finding), tree
        return json.dumps(_value(read), ensure_ascii=False)
    inner = margin + unit
    if isinstance(tree, Mapping):
        parts = [f"{json.dumps(key)}: {as_json(one, newline, inner, unit)}" for key, one in tree.items()]
    else:
        parts = [as_json(one, newline, inner, unit) for one in tree]
    begin, end = "{}" if isinstance(tree, Mapping) else "[]"
    if not newline:
        return f"{begin}{', '.join(parts)}{end}"
    lines = f",{newline}".join(f"{inner}{part}" for part in parts)
    return f"{begin}{newline}{lines}{newline}{margin}{end}"


def _value(node: Node) -> Any:
    """The value of a node, with `!Ref Name` as `{"Ref": "Name"}`."""
    value: Any = node.value
    if node.kind == "list":
        value = [_value(one) for one in node.items]
    elif node.kind == "mapping":
        value = {name: _value(one) for name, _, one in node.named()}
    if not node.function:
        return value
    if node.function == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {node.function if node.function in ("Ref", "Condition") else f"Fn::{node.function}": value}
