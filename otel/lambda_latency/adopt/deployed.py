"""Writes the stack of the kit's layer with OpenTelemetry's packages, to be deployed once for many apps."""

from __future__ import annotations

import shutil
from pathlib import Path

from lambda_latency.adopt.bundle import install_packages
from lambda_latency.adopt.bytecode import compile_folder
from lambda_latency.adopt.errors import AdoptError
from lambda_latency.adopt.plan import layer_content
from lambda_latency.adopt.wording import AdoptOptions
from lambda_latency.files import unwritable
from lambda_latency.layer import WRAPPER

LAYER_TEMPLATE = Path(__file__).with_name("layer.yaml")
RUNTIMES = ("python3.10", "python3.11", "python3.12", "python3.13", "python3.14")


def write_layer_stack(folder: Path) -> list[str]:
    """Writes template and layer into a new or empty folder; returns the runtimes for which it has no bytecode.

    Raises `AdoptError`, also with pip's last lines.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AdoptError(f"{folder} is not an empty folder", "name a new one")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(LAYER_TEMPLATE, folder / "template.yaml")
        return write_layer(folder / "layer")
    except OSError as error:
        raise AdoptError(unwritable(folder, error), "name another folder") from error


def write_layer(folder: Path) -> list[str]:
    """Writes the layer into a new folder; returns the runtimes for which it has no bytecode.

    Raises `AdoptError` with pip's last lines, or OSError.
    """
    install_packages(folder / "python")
    for name, source in layer_content(AdoptOptions(packages="bundled")).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, path)
    (folder / WRAPPER).chmod(0o755)
    return compile_folder(folder, RUNTIMES)
