"""Environments of packages, each from a lock of its own: made under build/, anew only when the lock has changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.every_python import find

__all__ = ["ROOT", "prepare", "python_of"]

ROOT = Path(__file__).parent.parent.parent


def prepare(name: str, lock: Path, version: str) -> Path | None:
    """The interpreter of the environment `name` for a Python, such as "3.13"; None where that is not here."""
    python = python_of(version)
    if python is None:
        return None
    environment = ROOT / "build" / name / f"python{version}"
    stamp = environment / "lock.txt"
    if not stamp.exists() or stamp.read_bytes() != lock.read_bytes():
        print(f"Setting up {environment.relative_to(ROOT)} from {lock.relative_to(ROOT)} ...", file=sys.stderr)
        uv = Path(sys.executable).with_name("uv")
        tell = {**os.environ, "VIRTUAL_ENV": str(environment)}
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", python, environment], check=True)
        subprocess.run([uv, "pip", "sync", "--quiet", "--require-hashes", lock], env=tell, check=True)
        shutil.copyfile(lock, stamp)
    return environment / "bin" / "python"


def python_of(version: str) -> str | None:
    """The interpreter that runs this, where it is of that version, or another one that answers."""
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    return sys.executable if version == own else find(version)
