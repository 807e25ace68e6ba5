"""`lambda-latency policy`: prints the minimal IAM policy of a command that calls AWS."""

from __future__ import annotations

import argparse
from typing import Any

from lambda_latency.cli.exit_statuses import FINE

CALLING = ("report", "fetch", "doctor", "cost")  # `report` is for --xray


def add_parser(subparsers: Any, summary: str) -> None:
    """Add the command's parser with its arguments."""
    parser = subparsers.add_parser(
        "policy",
        help=summary,
        description="Prints the minimal IAM policy of a command that calls AWS, as JSON: what report --xray, fetch, "
        "doctor (--account, --stack, --online) or cost --account may do, and nothing else. All calls only read.",
    )
    parser.add_argument("of", choices=CALLING, metavar="COMMAND", help=f"one of {', '.join(CALLING)}")


def run(options: argparse.Namespace) -> int:
    """Print the policy; returns the exit status."""
    if options.of == "doctor":
        from lambda_latency.doctor import account_policy

        print(account_policy())
    elif options.of == "cost":
        from lambda_latency.prices import account_usage_policy

        print(account_usage_policy())
    else:
        from lambda_latency.fetch import iam_policy

        print(iam_policy())
    return FINE
