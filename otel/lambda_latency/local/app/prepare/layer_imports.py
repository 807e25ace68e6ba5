"""Finds modules that a function has only here: its code imports them, and only the tracing layer contains them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from lambda_latency.template import own_python_files

OPENTELEMETRY = frozenset(["opentelemetry", "amazon"])  # code that imports it means the tracing layer


def borrowed(code: Path, own: Sequence[Path], tracing: Sequence[Path]) -> list[str]:
    """The names of such modules, sorted. `own` are the folders of the function's packages and of its runtime's."""
    return sorted(
        name for name in {*_imported(code)} - OPENTELEMETRY if _is_in(tracing, name) and not _is_in((code, *own), name)
    )


def _imported(code: Path) -> Iterator[str]:
    """The top-level names that the files of a folder import."""
    for file in own_python_files(code, ()):
        try:
            tree = ast.parse(file.read_bytes())
        except (OSError, SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                yield from (one.name.partition(".")[0] for one in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]


def _is_in(folders: Sequence[Path], name: str) -> bool:
    return any((folder / name).is_dir() or (folder / f"{name}.py").is_file() for folder in folders)
