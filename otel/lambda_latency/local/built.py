"""The artifacts in place of the sources: what `sam build` made, in folders that nobody can write to, like Lambda's."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from lambda_latency.local.errors import UsageError
from lambda_latency.local.function import Function
from lambda_latency.local.sam import code_folders

__all__ = ["built_functions"]

BUILT = Path(".aws-sam", "build", "template.yaml")
WRITE = 0o222


def built_functions(root: Path, functions: Iterable[Function], folder: Path) -> tuple[Function, ...]:
    """The functions with their artifacts, copied below `folder`, as code.

    Raises `UsageError` where one was not built.
    """
    folders = code_folders(root / BUILT)
    found = []
    for function in functions:
        artifact = folders.get(function.name)
        if artifact is None or not artifact.is_dir():
            raise UsageError(f"{root / BUILT} has no artifact of {function.name}", "say make build")
        code = folder / function.name
        shutil.copytree(artifact, code)
        for path in (code, *code.rglob("*")):
            path.chmod(path.stat().st_mode & ~WRITE)
        found.append(replace(function, code=code, read_only=True))
    return tuple(found)
