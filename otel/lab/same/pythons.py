"""Environments of packages, each from a lock of its own: made under build/, anew only when the lock has changed."""

import sys
from pathlib import Path

from lab.locks import environment
from lab.pythons import find

ROOT = Path(__file__).parents[3]


def prepare(name: str, lock: Path, version: str) -> Path | None:
    """The interpreter of the environment `name` for a Python, such as "3.13"; None where that is not here."""
    python = python_of(version)
    if python is None:
        return None
    return environment(ROOT / "build" / name / f"python{version}", lock, python)


def python_of(version: str) -> str | None:
    """The interpreter that runs this, where it is of that version, or another one that answers."""
    own_version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return sys.executable if version == own_version else find(version)
