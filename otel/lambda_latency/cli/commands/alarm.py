"""`lambda-latency alarm`: prints, writes or deploys the stack that explains the alarms of another stack."""

from __future__ import annotations

import shlex
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_latency.cli.exit_statuses import EXIT_STATUSES, FAILED, FINE
from lambda_latency.cli.messages import fail, usage

if TYPE_CHECKING:
    import argparse

__all__ = ["add_parser", "run"]

CHATS = ("slack", "teams")
PROCESSORS = ("arm64", "x86_64")
EPILOG = f"""\
examples:
  lambda-latency alarm                                   print the template
  lambda-latency alarm --stack shop-prod --topic ARN --deploy
  lambda-latency alarm --stack shop-prod --topic ARN --out explain

{EXIT_STATUSES}
"""


def add_parser(subparsers: Any, summary: str) -> None:
    """Add the command's parser with its arguments."""
    parser = subparsers.add_parser(
        "alarm",
        help=summary,
        description="A separate stack that explains the alarms of another one: when an alarm fires, a function reads "
        "the slow and the other traces of its window, and reports which part is slow, who owns it and what to do. "
        "Without --out and --deploy the template is printed, and nothing is written.",
        epilog=EPILOG,
    )
    parser.add_argument("--stack", metavar="S", help="explain the alarms whose names begin with this stack's name")
    parser.add_argument("--topic", metavar="ARN", help="SNS topic that receives the explanations")
    parser.add_argument("--webhook-parameter", metavar="P", help="SSM parameter with the address of a chat's webhook")
    parser.add_argument("--chat", choices=CHATS, default="slack", help="type of the webhook: slack (default) or teams")
    parser.add_argument("--architecture", choices=PROCESSORS, default="arm64", help="arm64 (default) or x86_64")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write template and code into a new folder")
    parser.add_argument("--deploy", action="store_true", help="deploy it by the SAM CLI, as the stack S-explain")
    parser.add_argument("--region", metavar="R", help="with --deploy: the region")
    parser.add_argument("--profile", metavar="P", help="with --deploy: profile of the AWS configuration")


def run(options: argparse.Namespace) -> int:
    """Print, write or deploy the stack; returns the exit status."""
    from lambda_latency.alarm import install_packages, part_template, write_part

    if not (options.out or options.deploy):
        print(part_template(), end="")
        return FINE
    if options.stack is None:
        return usage("--stack is missing", "add --stack and the name of the stack whose alarms are to be explained")
    if not (options.topic or options.webhook_parameter):
        return usage("explanations have no receiver", "add --topic ARN, --webhook-parameter NAME, or both")
    if options.out is not None:
        write_part(options.out, install_packages)
        print(f"{options.out} has the template and the function's code. Next:\n")
        print(f"  {shlex.join(_command(options, options.out))}")
        return FINE if not options.deploy else _deploy(options, options.out)
    with tempfile.TemporaryDirectory(prefix="lambda-latency-") as folder:
        part = Path(folder) / "part"
        write_part(part, install_packages)
        return _deploy(options, part)


def _deploy(options: argparse.Namespace, folder: Path) -> int:
    import shutil
    import subprocess

    from lambda_latency.installing import install_command

    sam = shutil.which("sam") or shutil.which("sam", path=str(Path(sys.executable).parent))
    if sam is None:
        fail("--deploy needs the SAM CLI, which is not installed", install_command("local"))
    done = subprocess.run([sam, *_command(options, folder)[1:]], check=False)
    return FINE if done.returncode == 0 else FAILED


def _command(options: argparse.Namespace, folder: Path) -> list[str]:
    """The command line of the deployment (`sam deploy ...`)."""
    values = {
        "AlarmPrefix": options.stack,
        "AlarmTopicArn": options.topic or "",
        "ChatWebhookParameter": options.webhook_parameter or "",
        "Chat": options.chat,
        "Architecture": options.architecture,
    }
    command = ["sam", "deploy", "--template-file", str(folder / "template.yaml")]
    command += ["--stack-name", f"{options.stack}-explain", "--resolve-s3", "--capabilities", "CAPABILITY_IAM"]
    command += ["--region", options.region] if options.region else []
    command += ["--profile", options.profile] if options.profile else []
    return [*command, "--parameter-overrides", *(f"{name}={value}" for name, value in values.items() if value)]
