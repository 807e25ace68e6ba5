"""The functions of a SAM or CloudFormation template, with their literal values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_latency.template.finding import Finding
from lambda_latency.template.node import read_yaml

if TYPE_CHECKING:
    from lambda_latency.template.node import Node

__all__ = ["Function", "read_functions"]

KINDS = ("AWS::Serverless::Function", "AWS::Lambda::Function")


@dataclass(frozen=True, slots=True)
class Function:
    """One function by its logical id. `variables`: those with a literal value, without intrinsic functions."""

    name: str
    handler: str
    timeout_s: float
    memory_mb: int
    code: str
    variables: Mapping[str, str]


def read_functions(path: Path) -> tuple[Function, ...]:
    """All functions, merged with `Globals`. Raises `OSError`, and `ValueError` for invalid YAML."""
    root = read_yaml(path.name, path.read_text(encoding="utf-8"))
    if isinstance(root, Finding):
        raise ValueError(str(root))
    everyone = root.get("Globals", "Function")
    resources = root.get("Resources")
    found = []
    for name, _, resource in resources.named() if resources is not None else ():
        kind = resource.get("Type")
        if kind is not None and kind.value in KINDS:
            places = [place for place in (everyone, resource.get("Properties")) if place is not None]
            found.append(_function(name, places))
    return tuple(found)


def _function(name: str, places: list[Node]) -> Function:
    """Merges properties; later ones override earlier ones."""
    variables: dict[str, str] = {}
    for place in places:
        node = place.get("Environment", "Variables")
        for key, _, value in node.named() if node is not None else ():
            variables.pop(key, None)
            if value.kind == "scalar" and not value.function and not value.empty:
                variables[key] = str(value.value)
    return Function(
        name=name,
        handler=_text(places, "Handler"),
        timeout_s=float(_text(places, "Timeout") or 3),
        memory_mb=int(_text(places, "MemorySize") or 128),
        code=_text(places, "CodeUri"),
        variables=variables,
    )


def _text(places: list[Node], key: str) -> str:
    """A literal value as text; empty without one."""
    for place in reversed(places):
        node = place.get(key)
        if node is not None:
            return str(node.value) if node.kind == "scalar" and not node.function and not node.empty else ""
    return ""
