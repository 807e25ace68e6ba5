"""Stacks of the kit's own: a template, and a function whose code is a part of the kit with its locked packages."""

from __future__ import annotations

import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    Install: TypeAlias = Callable[[Path, str], None]

__all__ = ["PROCESSORS", "Part", "PartError", "install_packages", "write_function", "write_part"]

KIT = Path(__file__).parent
MODULES = ("__init__.py", "files.py", "installing.py", "spelling.py", "stacks.py", "version.py")
PYTHON = "3.13"
PROCESSORS = {"arm64": "aarch64", "x86_64": "x86_64"}  # wheel architecture by Lambda's name


class PartError(Exception):
    """The stack cannot be written; the message has the reason and the remedy."""

    exit_status = 1


@dataclass(frozen=True, slots=True)
class Part:
    """The code of a function: the rooms of the kit that it imports, and the processors whose packages are in it.

    The file names of the packages' libraries differ by processor.
    """

    rooms: tuple[str, ...]
    processors: tuple[str, ...] = tuple(PROCESSORS)


def write_part(part: Part, folder: Path, template: str, install: Install) -> None:
    """Writes `template.yaml` and `function/` into a new or empty folder.

    `install` installs the packages for a processor (`arm64`, `x86_64`) into an empty folder. Raises `PartError`.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise PartError(f"{folder} is not an empty folder\n  name a new one")
    function = folder / "function"
    try:
        function.mkdir(parents=True)
        (folder / "template.yaml").write_text(template, encoding="utf-8")
    except OSError as error:
        raise PartError(f"{error.filename or folder} cannot be written: {error.strerror or error}") from error
    write_function(part, function, install)


def write_function(part: Part, folder: Path, install: Install) -> None:
    """Writes the function's code into an existing folder. `install` as in `write_part`. Raises `PartError`."""
    target = folder / "lambda_latency"
    try:
        target.mkdir()
        for name in MODULES:
            shutil.copy(KIT / name, target / name)
        for name in part.rooms:
            shutil.copytree(KIT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        for processor in part.processors:
            with tempfile.TemporaryDirectory(prefix="lambda-latency-") as temporary:
                install(Path(temporary), processor)
                shutil.copytree(temporary, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".lock", "bin"))
    except OSError as error:
        raise PartError(f"{error.filename or folder} cannot be written: {error.strerror or error}") from error


def install_packages(requirements: Path, folder: Path, processor: str) -> None:
    """Installs the packages of a lock for a Lambda processor. Raises `PartError` with the installer's message."""
    import subprocess  # not needed in the function, which contains this module, too

    common = ["--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:", "--target", str(folder)]
    machine = PROCESSORS[processor]
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is not None:
        command = [uv, "pip", "install", *common, "--python-version", PYTHON]
        command += ["--python-platform", f"{machine}-manylinux_2_28"]
    else:
        command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", *common]
        command += ["--python-version", PYTHON, "--implementation", "cp"]
        command += ["--platform", f"manylinux2014_{machine}", "--platform", f"manylinux_2_28_{machine}"]
    done = subprocess.run([*command, "--requirement", str(requirements)], capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise PartError(
            f"the function's packages cannot be installed: {said[-1] if said else 'no message'}\n"
            "  check the package index of pip and uv; pip install uv if pip is missing"
        )
