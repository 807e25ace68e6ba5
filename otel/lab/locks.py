"""Locks of packages with hashes, and the environments that are made of them.

The locks of one folder are variants of one set of packages. What all of them have stands in the folder's base.txt; a
lock there includes it (`-r base.txt`, which pip and uv read) and has only the rest. As a program, which is the last
step of `make lock`, it divides the complete locks that uv has written.

Usual time: a second.
"""

import os
import re
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = tuple(ROOT / name for name in ("requirements/versions", "requirements/bridge", "otel/lab/cost/pins"))
INCLUDE = "-r base.txt\n"


def environment(folder: Path, lock: Path, python: str | Path, *options: str) -> Path:
    """The interpreter of an environment with a lock's packages; it is made anew only when the lock or its base changed.

    `options` are those of `uv pip sync`. Raises CalledProcessError if a package cannot be installed.
    """
    stamp = folder / "lock.txt"
    if not stamp.exists() or stamp.read_text("utf-8") != whole(lock):
        print(f"Setting up {folder.relative_to(ROOT)} from {lock.relative_to(ROOT)} ...", file=sys.stderr)
        uv = Path(sys.executable).with_name("uv")
        tell = {**os.environ, "VIRTUAL_ENV": str(folder)}
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", python, folder], check=True)
        subprocess.run([uv, "pip", "sync", "--quiet", "--require-hashes", *options, lock], env=tell, check=True)
        stamp.write_text(whole(lock), "utf-8")
    return folder / "bin" / "python"


def whole(lock: Path) -> str:
    """The text of a lock with its base in place of the line that includes it."""
    text = lock.read_text("utf-8")
    return text.replace(INCLUDE, lock.with_name("base.txt").read_text("utf-8")) if text.startswith(INCLUDE) else text


def packages(text: str) -> list[str]:
    """The packages of a lock's text: of each the line with its version and marker, and the lines of its hashes."""
    return re.findall(r"^\S.*\n(?:[ ].*\n)*", text, re.MULTILINE)


def share(folder: Path) -> None:
    """Divide the locks of a folder, whether complete or divided before, into its base.txt and the rest of each."""
    locks = {lock: packages(whole(lock)) for lock in folder.glob("*.txt") if lock.name != "base.txt"}
    base = set.intersection(*map(set, locks.values()))
    (folder / "base.txt").write_text("".join(sorted(base)), "utf-8")
    for lock, pinned in locks.items():
        lock.write_text(INCLUDE + "".join(package for package in pinned if package not in base), "utf-8")


def main(parser: ArgumentParser) -> None:
    """Divide all of them."""
    parser.parse_args()
    for folder in FOLDERS:
        share(folder)
