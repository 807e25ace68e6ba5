"""`lambda-latency alarm`: prints, writes or deploys the stack that explains the alarms of another stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_latency.cli.deploying import add_deploy_options, write_and_deploy
from lambda_latency.cli.exit_statuses import EXIT_STATUSES, FINE
from lambda_latency.cli.messages import usage

if TYPE_CHECKING:
    import argparse

CHATS = ("slack", "teams")
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
    add_deploy_options(parser, "S-explain")


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
    values = {
        "AlarmPrefix": options.stack,
        "AlarmTopicArn": options.topic or "",
        "ChatWebhookParameter": options.webhook_parameter or "",
        "Chat": options.chat,
        "Architecture": options.architecture,
    }
    return write_and_deploy(
        options, f"{options.stack}-explain", values, lambda folder: write_part(folder, install_packages)
    )
