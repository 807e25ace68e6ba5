"""Writes the stack that archives an account each hour: a template and the function's code in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lambda_latency import stacks
from lambda_latency.stacks import Part

if TYPE_CHECKING:
    from lambda_latency.stacks import Install

TEMPLATE = Path(__file__).with_name("archive.yaml")
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
ROOMS = ("archive", "fetch", "latency", "prices", "trace")


def write_part(folder: Path, processor: str, install: Install) -> None:
    """Writes `template.yaml` and `function/`, for one processor, into a new or empty folder.

    With the packages of both processors the code would be larger than Lambda's 250 MB. `install` installs them into an
    empty folder. Raises `PartError`.
    """
    stacks.write_part(Part(ROOMS, (processor,)), folder, TEMPLATE.read_text(encoding="utf-8"), install)


def install_packages(folder: Path, processor: str) -> None:
    """Installs the locked packages for a Lambda processor. Raises `PartError` with the installer's message."""
    stacks.install_packages(REQUIREMENTS, folder, processor)
