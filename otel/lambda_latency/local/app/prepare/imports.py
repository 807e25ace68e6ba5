"""What the code of a function imports: modules that it has only here, and the X-Ray SDK or Powertools' Tracer."""

from __future__ import annotations

import ast
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from lambda_latency.local.differences import DIFFERENCES
from lambda_latency.template import own_python_files

OPENTELEMETRY = frozenset(["opentelemetry", "amazon"])  # code that imports it means the tracing layer
SDK, TRACER = "aws_xray_sdk", ("aws_lambda_powertools.Tracer", "aws_lambda_powertools.tracing")
WORDS = (SDK.encode(), b"powertools")  # a file that imports either contains one of these
VARIABLE = "LAMBDA_LATENCY_XRAY_SDK"
_parsing = (
    threading.Lock()
)  # Python 3.11 fails at times in two threads: https://github.com/python/cpython/issues/106905
BRIDGED = next(difference for difference in DIFFERENCES if difference.name == "xray-sdk")


def borrowed(code: Path, packages: Sequence[Path], tracing: Sequence[Path]) -> list[str]:
    """Return the modules that only the tracing layer has, sorted. `packages` are the function's and its runtime's."""
    names = {name.partition(".")[0] for name in _imported(code)} - OPENTELEMETRY
    return sorted(name for name in names if _is_in(tracing, name) and not _is_in((code, *packages), name))


def bridge_variables(environment: Mapping[str, str], folders: Iterable[Path]) -> dict[str, str]:
    """Return the variable by which the kit replaces an imported SDK or Tracer, unless the function chooses itself."""
    names = (name for folder in folders for name in _imported(folder, WORDS))
    uses_sdk = (name.partition(".")[0] == SDK or name.startswith(TRACER) for name in names)
    return {VARIABLE: "bridge"} if VARIABLE not in environment and any(uses_sdk) else {}


def _imported(folder: Path, words: Sequence[bytes] = (b"",)) -> Iterator[str]:
    """Yield the full names that those files of a folder import which contain one of these words."""
    for file in own_python_files(folder, ()):
        try:
            content = file.read_bytes()
            if any(word in content for word in words):
                with _parsing:
                    tree = ast.parse(content)
                yield from _imported_by(tree)
        except (OSError, SyntaxError, ValueError):
            continue


def _imported_by(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_in(folders: Sequence[Path], name: str) -> bool:
    return any((f / name).is_dir() or (f / f"{name}.py").is_file() for f in folders)
