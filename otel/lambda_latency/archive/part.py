"""Writes the stack that archives an account each hour: a template and the function's code in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lambda_latency import stacks
from lambda_latency.stacks import Part

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["TEMPLATE", "install_packages", "write_part"]

TEMPLATE = Path(__file__).with_name("archive.yaml")
ROOMS = ("archive", "fetch", "latency", "prices", "trace")
PART = Part(TEMPLATE, Path(__file__).with_name("requirements.txt"), ROOMS)


def write_part(folder: Path, processor: str, install: Callable[[Path, str], None]) -> None:
    """Writes `template.yaml` and `function/` into a new or empty folder; as `stacks.write_part`."""
    stacks.write_part(PART, folder, processor, install)


def install_packages(folder: Path, processor: str) -> None:
    """Installs the locked packages for a Lambda processor; as `stacks.install_packages`."""
    stacks.install_packages(PART.requirements, folder, processor)
