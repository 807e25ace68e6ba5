"""`lambda-latency fetch`: traces from an AWS account into a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_latency.cli.exit_statuses import EXIT_STATUSES
from lambda_latency.cli.messages import usage
from lambda_latency.cli.xray import (
    account_of,
    add_choice_options,
    add_xray_options,
    asked_for,
    print_estimate,
    print_policy,
    progress_of,
    warn_of_early_end,
)

if TYPE_CHECKING:
    import argparse

__all__ = ["add_parser", "run"]


def add_parser(subparsers: Any, summary: str) -> None:
    """Its arguments."""
    parser = subparsers.add_parser(
        "fetch",
        help=summary,
        description="Fetches traces from X-Ray or Transaction Search into a file of JSON lines that `report` reads: "
        "the last hour or any period, each trace once. Handles throttling, pages and limits of AWS's APIs.",
        epilog=EXIT_STATUSES,
    )
    add_choice_options(parser)
    add_xray_options(parser, "the file to write")


def run(options: argparse.Namespace) -> int:
    """Fetch traces from an AWS account into a file."""
    if options.print_policy:
        return print_policy()
    if options.out is None and not options.dry_run:
        return usage("--out is missing", "add --out FILE")
    asked = asked_for(options)
    account = account_of(options)
    if options.dry_run:
        return print_estimate(account, asked)
    result = account.fetch(asked, options.out, progress_of(options))
    print(result.told)
    warn_of_early_end(result)
    return result.status
