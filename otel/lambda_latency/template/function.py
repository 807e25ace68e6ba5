"""The functions of a SAM or CloudFormation template, with the values that are known before the deployment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lambda_latency.template.finding import Finding
from lambda_latency.template.inherited import places_of
from lambda_latency.template.node import Node, read_yaml
from lambda_latency.template.resolve import resolve

REGION = "us-east-1"  # of tests
KINDS = ("AWS::Serverless::Function", "AWS::Lambda::Function")


@dataclass(frozen=True, slots=True)
class Function:
    """One function by its logical id. `variables`: those with a known value."""

    name: str
    handler: str
    timeout_s: float
    memory_mb: int
    code: str
    variables: Mapping[str, str]


def read_functions(path: Path) -> tuple[Function, ...]:
    """All functions with the defaults of the parameters. Raises `OSError`, and `ValueError` for invalid YAML."""
    root = read_yaml(path.name, path.read_text(encoding="utf-8"))
    if isinstance(root, Finding):
        raise ValueError(str(root))
    resolved = resolve(root, {}, REGION).root
    return tuple(
        _function(name, places_of(resolved, resource))
        for name, _, resource in resolved.named("Resources")
        if resource.text_at("Type") in KINDS
    )


def _function(name: str, places: Sequence[Node]) -> Function:
    """Merges properties; later ones override earlier ones."""
    variables: dict[str, str] = {}
    for place in places:
        for key, _, value in place.named("Environment", "Variables"):
            variables.pop(key, None)
            if value.is_known:
                variables[key] = value.text
    return Function(
        name=name,
        handler=_text(places, "Handler"),
        timeout_s=float(_text(places, "Timeout") or 3),
        memory_mb=int(_text(places, "MemorySize") or 128),
        code=_text(places, "CodeUri"),
        variables=variables,
    )


def _text(places: Sequence[Node], key: str) -> str:
    """A known value as text; empty without one."""
    return next((node.text for place in reversed(places) if (node := place.get(key)) is not None), "")
