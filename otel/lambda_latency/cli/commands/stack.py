"""`lambda-latency stack`: prints, writes or deploys the stacks of the kit's own, by the SAM CLI."""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_latency.cli.arguments import count
from lambda_latency.cli.exit_statuses import FAILED, FINE
from lambda_latency.cli.messages import fail, usage, warn
from lambda_latency.cli.parser import Parser

if TYPE_CHECKING:
    from lambda_latency.stacks import Stack

CHATS = ("slack", "teams")
PROCESSORS = ("arm64", "x86_64")
DESCRIPTION = """\
Stacks of the kit's own in an account. Without --out and --deploy the template
is printed, and nothing is written. Profile and region of a deployment are the
SAM CLI's: AWS_PROFILE, AWS_REGION."""
EPILOG = """\
examples:
  lambda-latency stack layer lambda-latency --deploy      print the layer's ARN
  lambda-latency stack alarm                              print the template
  lambda-latency stack alarm shop-prod --topic ARN --deploy
  lambda-latency stack archive shop-archive --keep 90 --out archive-stack
"""
# What to do if the name of a stack is missing.
NAMES = {
    "layer": "write a name for the new stack",
    "alarm": "write the name of the stack whose alarms are to be explained",
    "archive": "write a name for the new stack",
}
# What to do in place of the options of earlier versions.
REMOVED = {
    "--stack": "the name follows the action: lambda-latency stack alarm NAME",
    "--region": "set the variable AWS_REGION",
    "--profile": "set the variable AWS_PROFILE",
}


def add_parser(subparsers: Any, summary: str) -> None:
    """Add the command's parser with its arguments."""
    parser: Parser = subparsers.add_parser("stack", help=summary, description=DESCRIPTION, epilog=EPILOG)
    parser.removed = REMOVED
    actions = parser.add_subparsers(title="stacks", metavar="STACK", dest="action", required=True)
    layer: Parser = actions.add_parser(
        "layer",
        help="deploy the kit's layer once for all apps of an account",
        description="A stack with the kit and OpenTelemetry's packages as one layer, for `lambda-latency adopt "
        "--layer`: once for each account and region. Each deployment makes a new version; apps keep the one that they "
        "name.",
    )
    layer.add_argument("name", nargs="?", metavar="NAME", help="the name of the new stack, and of the layer")
    layer.add_argument("--organization", default="", metavar="ID", help="share it with an organization: o-...")
    alarm: Parser = actions.add_parser(
        "alarm",
        help="explain every alarm of another stack when it fires",
        description="A separate stack that explains the alarms of another one: when an alarm fires, a function reads "
        "the slow and the other traces of its window, and reports which part is slow, who owns it and what to do.",
    )
    alarm.add_argument("name", nargs="?", metavar="NAME", help="the stack whose alarms are explained, by NAME-explain")
    alarm.add_argument("--topic", default="", metavar="ARN", help="SNS topic that receives the explanations")
    alarm.add_argument(
        "--webhook-parameter", default="", metavar="P", help="SSM parameter with the address of a chat's webhook"
    )
    alarm.add_argument("--chat", choices=CHATS, default="slack", help="type of the webhook: slack (default) or teams")
    archive: Parser = actions.add_parser(
        "archive",
        help="archive the traces of an account each hour",
        description="A stack with a bucket, and a function that fetches an account's traces into it each hour.",
    )
    archive.add_argument("name", nargs="?", metavar="NAME", help="the name of the new stack")
    archive.add_argument("--keep", type=count, metavar="DAYS", help="days that traces are kept; default 400")
    for stack in (alarm, archive):
        stack.add_argument("--architecture", choices=PROCESSORS, default="arm64", help="arm64 (default) or x86_64")
    for stack in (layer, alarm, archive):
        stack.removed = REMOVED
        stack.add_argument("--out", type=Path, metavar="DIR", help="write template and code into a new folder")
        stack.add_argument("--deploy", action="store_true", help="deploy it by the SAM CLI")


def run(options: argparse.Namespace) -> int:
    """Print, write or deploy a stack; returns the exit status."""
    from lambda_latency.stacks import ALARM, ARCHIVE

    stack = {"alarm": ALARM, "archive": ARCHIVE}.get(options.action)
    if stack is None:
        return _layer(options)
    if not (options.out or options.deploy):
        print(stack.text, end="")
        return FINE
    if options.name is None:
        return usage("NAME is missing", NAMES[options.action])
    if stack is ARCHIVE:
        values = {"KeepDays": str(options.keep or ""), "Architecture": options.architecture}
        return _write_and_deploy(options, stack, options.name, values, [options.architecture])
    if not (options.topic or options.webhook_parameter):
        return usage("explanations have no receiver", "add --topic ARN, --webhook-parameter NAME, or both")
    values = {
        "AlarmPrefix": options.name,
        "AlarmTopicArn": options.topic,
        "ChatWebhookParameter": options.webhook_parameter,
        "Chat": options.chat,
        "Architecture": options.architecture,
    }
    return _write_and_deploy(options, stack, f"{options.name}-explain", values, PROCESSORS)


def _layer(options: argparse.Namespace) -> int:
    """Print, write or deploy the stack of the kit's layer; returns the exit status."""
    from lambda_latency.adopt import LAYER_TEMPLATE, write_layer_stack

    if not (options.out or options.deploy):
        print(LAYER_TEMPLATE.read_text(encoding="utf-8"), end="")
        return FINE
    if options.name is None:
        return usage("NAME is missing", NAMES["layer"])
    with tempfile.TemporaryDirectory(prefix="lambda-latency-") as temporary:
        folder = options.out or Path(temporary, "stack")
        missing = write_layer_stack(folder)
        if missing:
            print(f"No bytecode for {', '.join(missing)} (not installed): their cold starts will compile the layer.")
        command = _sam_deploy(options.name, {"Organization": options.organization}, folder)
        if not options.deploy:
            print(f"{folder} has the template and the layer. Next:\n\n  {shlex.join(command)}")
            return FINE
        status = _deploy(command)
    return status or _print_layer(options.name)


def _print_layer(stack: str) -> int:
    """Print the ARN of a deployed layer, and what to do with it; returns the exit status."""
    import json
    import subprocess

    command = [_sam(), "list", "stack-outputs", "--stack-name", stack, "--output", "json"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        outputs = {output["OutputKey"]: output["OutputValue"] for output in json.loads(listed.stdout)}
        arn = outputs["LayerArn"]
    except (ValueError, KeyError, TypeError):
        warn(f"the ARN of the layer cannot be read: {listed.stderr.strip()}\n  it is the output LayerArn of {stack}")
        return FAILED
    print(f"\n{arn}\n\nIn the folder of each app:\n\n  lambda-latency adopt --layer {arn}")
    return FINE


def _write_and_deploy(
    options: argparse.Namespace, stack: Stack, name: str, values: Mapping[str, str], processors: Sequence[str]
) -> int:
    """Write the stack into --out, or a temporary folder, and deploy it with --deploy; returns the exit status.

    `values` are the template's parameters; an empty one is left at its default.
    """
    from lambda_latency.stacks import write_stack

    if options.out is not None:
        write_stack(stack, options.out, processors)
        command = _sam_deploy(name, values, options.out)
        print(f"{options.out} has the template and the function's code. Next:\n\n  {shlex.join(command)}")
        return _deploy(command) if options.deploy else FINE
    with tempfile.TemporaryDirectory(prefix="lambda-latency-") as temporary:
        folder = Path(temporary) / "part"
        write_stack(stack, folder, processors)
        return _deploy(_sam_deploy(name, values, folder))


def _sam() -> str:
    """Return the SAM CLI, or end with what installs it."""
    import shutil

    from lambda_latency.installing import install_command

    sam = shutil.which("sam") or shutil.which("sam", path=str(Path(sys.executable).parent))
    if sam is None:
        fail("--deploy needs the SAM CLI, which is not installed", install_command("local"))
    return sam


def _deploy(command: list[str]) -> int:
    import subprocess

    done = subprocess.run([_sam(), *command[1:]], check=False)
    return FINE if done.returncode == 0 else FAILED


def _sam_deploy(stack: str, values: Mapping[str, str], folder: Path) -> list[str]:
    """Return the command line of the deployment."""
    command = ["sam", "deploy", "--template-file", str(folder / "template.yaml")]
    command += ["--stack-name", stack, "--resolve-s3", "--capabilities", "CAPABILITY_IAM"]
    overrides = [f"{name}={value}" for name, value in values.items() if value]
    return [*command, "--parameter-overrides", *overrides] if overrides else command  # the option needs a value
