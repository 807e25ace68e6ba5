"""Writes what is added to a template as JSON, with intrinsic functions in their long form."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from lambda_latency.template import Finding, read_yaml, value_of

Tree: TypeAlias = "str | Mapping[str, Tree] | Sequence[Tree]"


def as_json(tree: Tree, newline: str = "", margin: str = "", unit: str = "") -> str:
    """A tree, whose scalars are YAML source, as JSON: scalars in one line, and all of it without a `newline`.

    Lines after the first begin with `margin`, and with a `unit` for each level.
    """
    if isinstance(tree, str):
        read = read_yaml("", tree)
        assert not isinstance(read, Finding), tree
        return json.dumps(value_of(read), ensure_ascii=False)
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
