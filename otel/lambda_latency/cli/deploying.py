"""Writes and deploys the stacks of the kit's own, by the SAM CLI."""

from __future__ import annotations

import shlex
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_latency.cli.arguments import region
from lambda_latency.cli.exit_statuses import FAILED, FINE
from lambda_latency.cli.messages import fail

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping

PROCESSORS = ("arm64", "x86_64")


def add_deploy_options(parser: argparse.ArgumentParser, stack: str, condition: str = "") -> None:
    """Add --architecture, --out, --deploy, --region and --profile; `stack` names the stack that is deployed."""
    parser.add_argument(
        "--architecture", choices=PROCESSORS, default="arm64", help=f"{condition}arm64 (default) or x86_64"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help=f"{condition}write template and code into a new folder")
    parser.add_argument(
        "--deploy", action="store_true", help=f"{condition}deploy it by the SAM CLI, as the stack {stack}"
    )
    parser.add_argument("--region", type=region, metavar="R", help="with --deploy: the region")
    parser.add_argument("--profile", metavar="P", help="with --deploy: profile of the AWS configuration")


def write_and_deploy(
    options: argparse.Namespace, stack: str, values: Mapping[str, str], write: Callable[[Path], None]
) -> int:
    """Write the stack into --out, or a temporary folder, and deploy it with --deploy; returns the exit status.

    `values` are the template's parameters; an empty one is left at its default. `write` writes the stack.
    """
    if options.out is not None:
        write(options.out)
        print(f"{options.out} has the template and the function's code. Next:\n")
        print(f"  {shlex.join(_command(options, stack, values, options.out))}")
        return FINE if not options.deploy else _deploy(_command(options, stack, values, options.out))
    with tempfile.TemporaryDirectory(prefix="lambda-latency-") as folder:
        part = Path(folder) / "part"
        write(part)
        return _deploy(_command(options, stack, values, part))


def _deploy(command: list[str]) -> int:
    import shutil
    import subprocess

    from lambda_latency.installing import install_command

    sam = shutil.which("sam") or shutil.which("sam", path=str(Path(sys.executable).parent))
    if sam is None:
        fail("--deploy needs the SAM CLI, which is not installed", install_command("local"))
    done = subprocess.run([sam, *command[1:]], check=False)
    return FINE if done.returncode == 0 else FAILED


def _command(options: argparse.Namespace, stack: str, values: Mapping[str, str], folder: Path) -> list[str]:
    """The command line of the deployment (`sam deploy ...`)."""
    command = ["sam", "deploy", "--template-file", str(folder / "template.yaml")]
    command += ["--stack-name", stack, "--resolve-s3", "--capabilities", "CAPABILITY_IAM"]
    command += ["--region", options.region] if options.region else []
    command += ["--profile", options.profile] if options.profile else []
    return [*command, "--parameter-overrides", *(f"{name}={value}" for name, value in values.items() if value)]
