"""Runs the artifacts of `sam build` instead of the sources, in read-only folders as on Lambda."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from lambda_latency.local.errors import UsageError
from lambda_latency.local.gateway.sam import built_folders
from lambda_latency.local.sandbox.function import Function

__all__ = ["built_functions"]

BUILT = Path(".aws-sam", "build", "template.yaml")
FUNCTION, LAYER = "AWS::Serverless::Function", "AWS::Serverless::LayerVersion"
WRITE = 0o222


def built_functions(root: Path, functions: Iterable[Function], folder: Path) -> tuple[Function, ...]:
    """The functions with their artifacts and layers, copied below `folder`.

    Raises `UsageError` if an artifact is missing.
    """
    artifacts = built_folders(root / BUILT, FUNCTION, "CodeUri")
    layers = built_folders(root / BUILT, LAYER, "ContentUri")
    # All functions of the example have the same layers: all layers of its template.
    copies = tuple(_copied(layers.get(name), folder / name, root) for name in sorted(layers))
    return tuple(
        replace(
            function,
            code=_copied(artifacts.get(function.name), folder / function.name, root),
            layers=copies,
            read_only=True,
        )
        for function in functions
    )


def _copied(artifact: Path | None, copy: Path, root: Path) -> Path:
    """A read-only copy."""
    if artifact is None or not artifact.is_dir():
        raise UsageError(f"{root / BUILT} has no artifact of {copy.name}", "run make build")
    shutil.copytree(artifact, copy)
    for path in (copy, *copy.rglob("*")):
        path.chmod(path.stat().st_mode & ~WRITE)
    return copy
