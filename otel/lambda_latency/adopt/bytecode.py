"""Compiles the layer for an app's runtimes: /opt is read-only, so without bytecode every cold start compiles."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from lambda_latency.pythons import pythons, version_of
from lambda_latency.template import LAYER_FOLDER

LIMIT_S = 120


def compile_layer(root: Path, runtimes: Iterable[str]) -> list[str]:
    """Compiles the layer for each runtime (`python3.13`); returns the runtimes whose Python is not installed."""
    remove_bytecode(root)
    if not (root / LAYER_FOLDER).is_dir():
        return []  # the app has a layer of its own making, or shares one
    return compile_folder(root / LAYER_FOLDER, runtimes)


def compile_folder(folder: Path, runtimes: Iterable[str]) -> list[str]:
    """Compiles a layer's folder for each runtime; returns the runtimes whose Python is not installed."""
    missing = []
    for runtime in sorted(set(runtimes)):
        python = find_python(runtime)
        # Unchecked hashes: the source in /opt cannot change.
        command = [python or "", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash",
                   "-s", str(folder), "-p", "/opt", str(folder)]  # fmt: skip
        if python is None or not _runs(command):
            missing.append(runtime)
    return missing


def remove_bytecode(root: Path) -> None:
    """Removes the layer's bytecode of all versions."""
    for cache in (root / LAYER_FOLDER).rglob("__pycache__"):
        shutil.rmtree(cache, ignore_errors=True)


def find_python(runtime: str) -> str | None:
    """The interpreter of a runtime, or None: the same that `serve` finds, with those of pyenv, uv and asdf."""
    version = version_of(runtime)
    interpreter = pythons().get(version) if version is not None else None
    return str(interpreter) if interpreter is not None else None


def _runs(command: list[str]) -> bool:
    try:
        return subprocess.run(command, check=False, capture_output=True, timeout=LIMIT_S).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
