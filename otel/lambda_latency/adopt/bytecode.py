"""Bytecode of the layer for the runtimes of an app: /opt is read-only, so without it every cold start compiles."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from lambda_latency.adopt.wording import LAYER_FOLDER

__all__ = ["compile_layer", "remove_bytecode"]

LIMIT_S = 120


def compile_layer(root: Path, runtimes: Iterable[str]) -> list[str]:
    """Compile for each runtime (`python3.13`); returns those whose Python is not here."""
    remove_bytecode(root)
    missing = []
    for runtime in sorted(set(runtimes)):
        python = find_python(runtime)
        # By hash and unchecked: nobody can change the source in /opt.
        command = [python or "", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash",
                   "-s", str(root / LAYER_FOLDER), "-p", "/opt", str(root / LAYER_FOLDER)]  # fmt: skip
        if python is None or not _runs(command):
            missing.append(runtime)
    return missing


def remove_bytecode(root: Path) -> None:
    """Remove that of every version."""
    for cache in (root / LAYER_FOLDER).rglob("__pycache__"):
        shutil.rmtree(cache, ignore_errors=True)


def find_python(runtime: str) -> str | None:
    """The interpreter of a runtime's version. One on the PATH may be a stub that exits, so each is asked."""
    version = tuple(map(int, runtime.removeprefix("python").split(".")))
    if version == sys.version_info[:2]:
        return sys.executable
    found = shutil.which(runtime)
    ask = f"import sys; sys.exit(sys.version_info[:2] != {version})"
    return found if found is not None and _runs([found, "-c", ask]) else None


def _runs(command: list[str]) -> bool:
    try:
        return subprocess.run(command, check=False, capture_output=True, timeout=LIMIT_S).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
