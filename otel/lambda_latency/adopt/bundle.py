"""Puts OpenTelemetry's packages into the kit's own layer, for apps that do not use ADOT's layer."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from lambda_latency.adopt.changes import Change, Plan
from lambda_latency.adopt.errors import AdoptError
from lambda_latency.adopt.wording import PACKAGES
from lambda_latency.template import LAYER_FOLDER

LOCK = Path(__file__).with_name("packages.txt")
LIMIT_S = 600
# Pure wheels run on either processor and on every Python.
PIP = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile", "--no-deps",
       "--require-hashes", "--only-binary=:all:", "--implementation", "py", "--abi", "none", "--platform", "any",
       "--python-version", "3.12")  # fmt: skip


def add_packages(plan: Plan) -> None:
    """Adds the packages to a plan that writes their lock. Raises `AdoptError` with pip's last lines."""
    shown = f"{LAYER_FOLDER}/{PACKAGES}"
    if not any(change.shown == shown for change in plan.changes):
        return
    with tempfile.TemporaryDirectory(prefix="lambda-latency-packages-") as folder:
        install_packages(Path(folder))
        for file in sorted(Path(folder).rglob("*")):
            name = f"{LAYER_FOLDER}/python/{file.relative_to(folder).as_posix()}"
            path = plan.root / name
            original = path.read_bytes() if path.is_file() else None
            if file.is_file() and original != file.read_bytes():
                plan.changes.append(Change(path, name, original, file.read_bytes()))


def install_packages(folder: Path) -> None:
    """Installs the packages into a folder with pip. Raises `AdoptError` with pip's last lines."""
    command = [sys.executable, *PIP, "--requirement", str(LOCK), "--target", str(folder)]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        raise AdoptError(f"pip took over {LIMIT_S} s", "check the network, or leave out --packages bundled") from None
    shutil.rmtree(folder / "bin", ignore_errors=True)
    if ran.returncode:
        lines = "\n  ".join(ran.stderr.strip().splitlines()[-4:])
        raise AdoptError(f"pip cannot install OpenTelemetry's packages: {lines}", "or leave out --packages bundled")
