"""A Python environment for each set of pins, in build/cost, with its packages alone, compiled."""

from __future__ import annotations

import sys
from pathlib import Path

from lab.cost.variants import ROOT
from lab.locks import environment

__all__ = ["interpreter"]

PINS = Path(__file__).with_name("pins")


def interpreter(pins: str) -> Path:
    """The Python of this environment, which is created if it is missing or its lock has changed."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    python = Path(sys.base_prefix) / "bin" / f"python{version}"
    return environment(
        ROOT / "build" / "cost" / f"{pins}-{version}", PINS / f"{pins}.txt", python, "--compile-bytecode"
    )
