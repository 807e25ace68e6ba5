"""What `demo` and `serve` share: the options of the system on this machine, and whether it can run here."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_latency.cli.arguments import parameter
from lambda_latency.cli.messages import fail

if TYPE_CHECKING:
    import argparse

    from lambda_latency.latency import Terms

__all__ = ["add_system_options", "provider_is_theirs", "require_local"]

PROVIDER = "payments.example.com"  # its spans are in the laptop's traces, and it is somebody else's all the same


def add_system_options(parser: argparse.ArgumentParser) -> None:
    """Which template, with which parameters, and where traces go."""
    parser.add_argument("--out", type=Path, default=Path("out"), metavar="DIR", help="where traces go (default: out)")
    parser.add_argument(
        "--template", type=Path, default=Path("template.yaml"), metavar="FILE", help="default: template.yaml"
    )
    parser.add_argument(
        "--parameter",
        type=parameter,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the template, such as Tracing=Off or Instrumentation=layer; may be repeated",
    )


def provider_is_theirs() -> Terms:
    """How the system's traces are judged."""
    from lambda_latency.latency import Owners, Terms

    return Terms(owners=Owners(theirs=(PROVIDER,)))


def require_local() -> None:
    """End the command where the extra `local` is not installed: reading traces needs none of it."""
    if sys.platform != "linux":
        fail("the local system needs Linux (on Windows: WSL)", "AWS's runtime client for Python runs nowhere else")
    missing = [name for name in ("samcli", "awslambdaric", "moto") if importlib.util.find_spec(name) is None]
    if missing:
        fail(
            f"the local system needs {', '.join(missing)}", "pip install 'lambda-latency[local]', or `make setup` here"
        )
