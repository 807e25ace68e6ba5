"""Writes the stack that explains alarms, for any app: a template and the function's code in a folder.

The template is the example's explain.yaml, which the example deploys with `Alarms=explained`.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    Install: TypeAlias = Callable[[Path, str], None]

__all__ = ["PROCESSORS", "TEMPLATE", "PartError", "install_packages", "part_template", "write_function", "write_part"]

KIT = Path(__file__).parent.parent
# In the installed kit, else at the top level of the checkout.
TEMPLATE = next(
    (path for path in (KIT / "example" / "app" / "explain.yaml",) if path.is_file()), KIT.parents[1] / "explain.yaml"
)
BUILT = "    Metadata: { BuildMethod: makefile, ContextPath: ., WorkingDirectory: . }\n"  # by the example's Makefile
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
# The packages that the function imports, and the modules beside them.
ROOMS = ("alarm", "fetch", "latency", "page", "prices", "text", "trace")
MODULES = ("__init__.py", "files.py", "installing.py", "version.py")
PYTHON = "3.13"
PROCESSORS = {"arm64": "aarch64", "x86_64": "x86_64"}  # wheel architecture by Lambda's name


class PartError(Exception):
    """The stack cannot be written; the message has the reason and the remedy."""

    exit_status = 1


def write_part(folder: Path, install: Install) -> None:
    """Writes `template.yaml` and `function/` into a new or empty folder.

    `install` installs the packages for a processor (`arm64`, `x86_64`) into an empty folder. Raises `PartError`.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise PartError(f"{folder} is not an empty folder\n  name a new one")
    function = folder / "function"
    try:
        function.mkdir(parents=True)
        (folder / "template.yaml").write_text(part_template(), encoding="utf-8")
    except OSError as error:
        raise PartError(f"{error.filename or folder} cannot be written: {error.strerror or error}") from error
    write_function(function, install)


def part_template() -> str:
    """The template for code in `function/`, which needs no build."""
    return TEMPLATE.read_text(encoding="utf-8").replace(BUILT, "").replace("CodeUri: functions/", "CodeUri: function/")


def write_function(folder: Path, install: Install | None = None) -> None:
    """Writes the function's code into an existing folder: some of the kit, and the packages for both processors.

    The file names of their libraries differ by processor. `install` as in `write_part`. Raises `PartError`.
    """
    target = folder / "lambda_latency"
    try:
        target.mkdir()
        for name in MODULES:
            shutil.copy(KIT / name, target / name)
        for name in ROOMS:
            shutil.copytree(KIT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        for processor in PROCESSORS:
            with tempfile.TemporaryDirectory(prefix="lambda-latency-") as temporary:
                (install or install_packages)(Path(temporary), processor)
                shutil.copytree(temporary, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".lock", "bin"))
    except OSError as error:
        raise PartError(f"{error.filename or folder} cannot be written: {error.strerror or error}") from error


def install_packages(folder: Path, processor: str) -> None:
    """Installs the locked packages for a Lambda processor. Raises `PartError` with the installer's message."""
    import subprocess  # not needed in the function, which contains this module, too

    common = ["--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:", "--target", str(folder)]
    machine = PROCESSORS[processor]
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is not None:
        command = [uv, "pip", "install", *common, "--python-version", PYTHON]
        command += ["--python-platform", f"{machine}-manylinux2014"]
    else:
        command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", *common]
        command += ["--python-version", PYTHON, "--implementation", "cp", "--platform", f"manylinux2014_{machine}"]
    done = subprocess.run([*command, "--requirement", str(REQUIREMENTS)], capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise PartError(
            f"the function's packages cannot be installed: {said[-1] if said else 'no message'}\n"
            "  check the package index of pip and uv; pip install uv if pip is missing"
        )
