"""A Python environment for each set of pins, in build/bench, with its packages alone, compiled."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from bench.cost.variants import ROOT

__all__ = ["interpreter"]

PINS = Path(__file__).with_name("pins")


def interpreter(pins: str) -> Path:
    """The Python of this environment, which is created if it is missing or its lock has changed."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    environment = ROOT / "build" / "bench" / f"{pins}-{version}"
    lock = PINS / f"{pins}.txt"
    stamp = environment / "lock.txt"
    if not stamp.exists() or stamp.read_bytes() != lock.read_bytes():
        uv = Path(sys.executable).with_name("uv")
        tell = {**os.environ, "VIRTUAL_ENV": str(environment)}
        base = Path(sys.base_prefix) / "bin" / f"python{version}"
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", base, environment], check=True)
        subprocess.run(
            [uv, "pip", "sync", "--quiet", "--require-hashes", "--compile-bytecode", lock], env=tell, check=True
        )
        shutil.copyfile(lock, stamp)
    return environment / "bin" / "python"
