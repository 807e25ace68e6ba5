"""Writes the stack that explains alarms, for any app: a template and the function's code in a folder.

The template is explain.yaml, which lies at the top level of a checkout.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lambda_latency import stacks
from lambda_latency.stacks import Part, PartError

if TYPE_CHECKING:
    from lambda_latency.stacks import Install

__all__ = ["TEMPLATE", "PartError", "install_packages", "part_template", "write_function", "write_part"]

KIT = Path(__file__).parent.parent
# In the installed kit, else at the top level of the checkout.
TEMPLATE = next(
    (path for path in (KIT / "example" / "app" / "explain.yaml",) if path.is_file()), KIT.parents[1] / "explain.yaml"
)
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
PART = Part(("alarm", "fetch", "latency", "page", "prices", "runtime/redact", "text", "trace"))


def write_part(folder: Path, install: Install) -> None:
    """Writes `template.yaml` and `function/` into a new or empty folder.

    `install` installs the packages for a processor (`arm64`, `x86_64`) into an empty folder. Raises `PartError`.
    """
    stacks.write_part(PART, folder, part_template(), install)


def part_template() -> str:
    """The template for code in `function/`, which needs no build."""
    return TEMPLATE.read_text(encoding="utf-8")


def write_function(folder: Path, install: Install | None = None) -> None:
    """Writes the function's code into an existing folder: some of the kit, and the packages for both processors.

    `install` as in `write_part`. Raises `PartError`.
    """
    stacks.write_function(PART, folder, install or install_packages)


def install_packages(folder: Path, processor: str) -> None:
    """Installs the locked packages for a Lambda processor. Raises `PartError` with the installer's message."""
    stacks.install_packages(REQUIREMENTS, folder, processor)
