"""Stacks of the kit's own: a template, and a function whose code is a part of the kit with its locked packages."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ALARM", "ARCHIVE", "PROCESSORS", "PartError", "Stack", "write_function", "write_stack"]

KIT = Path(__file__).parent
MODULES = ("__init__.py", "files.py", "installing.py", "spelling.py", "unpacking.py", "version.py")
PYTHON = "3.13"
PROCESSORS = {"arm64": "aarch64", "x86_64": "x86_64"}  # wheel architecture by Lambda's name


class PartError(Exception):
    """The stack cannot be written; the message has the reason and the remedy."""

    exit_status = 1


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack: its template, the lock of its function's packages, and the subpackages of the kit that this imports."""

    template: Path
    requirements: Path
    subpackages: tuple[str, ...]

    @property
    def text(self) -> str:
        """The template for code in `function/`, which needs no build."""
        return self.template.read_text(encoding="utf-8")


# An installed kit has the template of the first in its example, a checkout at its top level.
ALARM = Stack(
    next(filter(Path.is_file, [KIT / "example" / "app" / "explain.yaml"]), KIT.parents[1] / "explain.yaml"),
    KIT / "alarm" / "requirements.txt",
    ("alarm", "fetch", "latency", "page", "prices", "redaction", "text", "trace"),
)
ARCHIVE = Stack(
    KIT / "archive" / "archive.yaml",
    KIT / "archive" / "requirements.txt",
    ("archive", "fetch", "latency", "prices", "redaction", "trace"),
)
Install = Callable[[Path, str], None]


def write_stack(
    stack: Stack, folder: Path, processors: Sequence[str] = tuple(PROCESSORS), install: Install | None = None
) -> None:
    """Writes `template.yaml` and `function/` into a new or empty folder. Raises `PartError`.

    The function has the packages of `processors`: those of both fit into Lambda's 250 MB only without pyarrow.
    `install` installs the packages for one of them (`arm64`, `x86_64`) into an empty folder; default: the locked ones.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise PartError(f"{folder} is not an empty folder\n  name a new one")
    function = folder / "function"
    try:
        function.mkdir(parents=True)
        (folder / "template.yaml").write_text(stack.text, encoding="utf-8")
        write_function(stack, function, processors, install)
    except OSError as error:
        raise PartError(f"{error.filename or folder} cannot be written: {error.strerror or error}") from error


def write_function(
    stack: Stack, folder: Path, processors: Sequence[str] = tuple(PROCESSORS), install: Install | None = None
) -> None:
    """Writes the function's code into an existing folder, with arguments as in `write_stack`. May raise OSError."""
    target = folder / "lambda_latency"
    target.mkdir()
    for name in MODULES:
        shutil.copy(KIT / name, target / name)
    for name in stack.subpackages:
        shutil.copytree(KIT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    for processor in processors:  # the names of libraries differ by processor
        with tempfile.TemporaryDirectory(prefix="lambda-latency-") as temporary:
            packages = Path(temporary)
            if install is None:
                install_packages(stack.requirements, packages, processor)
            else:
                install(packages, processor)
            shutil.copytree(packages, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".lock", "bin"))


def install_packages(requirements: Path, folder: Path, processor: str) -> None:
    """Installs the packages of a lock for a Lambda processor. Raises `PartError` with the installer's message."""
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
        messages = done.stderr.strip().splitlines()
        raise PartError(
            f"the function's packages cannot be installed: {messages[-1] if messages else 'no message'}\n"
            "  check the package index of pip and uv; pip install uv if pip is missing"
        )
