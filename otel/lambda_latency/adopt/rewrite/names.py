"""The local names of the X-Ray SDK's recorder and `patch_all` in a module, and its unused names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import libcst as cst
from libcst import matchers

__all__ = ["CORE", "SDK", "Names", "dotted", "read_names"]

SDK = "aws_xray_sdk"
CORE = "aws_xray_sdk.core"
PATCHES = ("patch", "patch_all")
Kind = TypeVar("Kind", bound=cst.CSTNode)


@dataclass(slots=True)
class Names:
    """`recorder` and `patches`: local names. `imports`: the top-level statements that import `aws_xray_sdk.core`.
    `others`: other imports of the SDK, with their nodes. `bound`: all names in the module.
    """

    recorder: str = ""
    patches: dict[str, str] = field(default_factory=dict)
    imports: list[cst.ImportFrom] = field(default_factory=list)
    others: list[tuple[cst.CSTNode, str]] = field(default_factory=list)
    bound: set[str] = field(default_factory=set)

    def free(self, name: str) -> str:
        """The name itself if the module does not use it, else the name with a prefix."""
        return name if name not in self.bound else f"otel_{name}"


def read_names(module: cst.Module) -> Names:
    """Reads the imports of a module. Only top-level imports count: others may not be executed."""
    found = Names()
    at_top = [line.body[0] for line in module.body if isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1]
    for node in _of(module, cst.ImportFrom):
        name = dotted(node.module) if node.module is not None and not node.relative else ""
        if name.partition(".")[0] != SDK:
            continue
        aliases = [] if isinstance(node.names, cst.ImportStar) else list(node.names)
        known = [alias for alias in aliases if alias.evaluated_name in ("xray_recorder", *PATCHES)]
        if name != CORE or node not in at_top:
            found.others.append((node, name))
            continue
        found.imports.append(node)
        for alias in known:
            local = alias.evaluated_alias or alias.evaluated_name
            if alias.evaluated_name in PATCHES:
                found.patches[local] = alias.evaluated_name
            else:
                found.recorder = local
        if len(known) < max(len(aliases), 1):
            found.others.append((node, name))
    for plain in _of(module, cst.Import):
        names = [dotted(alias.name) for alias in plain.names]
        found.others += [(plain, name) for name in names if name.partition(".")[0] == SDK]
    found.bound = {node.value for node in _of(module, cst.Name)}
    return found


def dotted(node: cst.CSTNode) -> str:
    """The text `a.b.c` of names and attributes; empty for any other expression."""
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute):
        owner = dotted(node.value)
        return f"{owner}.{node.attr.value}" if owner else ""
    return ""


def _of(module: cst.Module, kind: type[Kind]) -> Iterator[Kind]:
    found = matchers.findall(module, matchers.MatchIfTrue(lambda node: isinstance(node, kind)))
    return (node for node in found if isinstance(node, kind))
