"""`lambda-latency mcp`: an MCP server on standard input and output, for the assistants in editors."""

from __future__ import annotations

import os

from lambda_latency.cli.exit_statuses import FINE
from lambda_latency.cli.messages import usage
from lambda_latency.documentation import page_address

TYPE_CHECKING = False  # importing typing is slow
if TYPE_CHECKING:
    import argparse
    from typing import Any

    from lambda_latency.agent import Options


def add_parser(subparsers: Any, summary: str) -> None:
    """Add the command's parser with its arguments."""
    parser = subparsers.add_parser(
        "mcp",
        help=summary,
        description="An MCP server on standard input and output, for assistants in editors. It reads trace files below "
        "the roots and writes nothing; without --account it opens no socket.",
    )
    parser.add_argument("--root", action="append", metavar="DIR", help="a folder that may be read; default: this one")
    account = parser.add_argument_group("account (extra fetch)")
    account.add_argument("--account", action="store_true", help="also tools that fetch traces from X-Ray")
    account.add_argument("--profile", metavar="P", help="profile of the AWS configuration")
    account.add_argument("--region", metavar="R", help="region of the traces")
    account.add_argument("--most-usd", type=float, default=0.1, metavar="N", help="most dollars a call; default 0.10")
    parser.removed = dict.fromkeys(
        ("--install", "--agents", "--write"), f"{page_address('how-to/ask-an-assistant')} has the lines"
    )


def run(options: argparse.Namespace) -> int:
    """Serve until the input ends; returns the exit status."""
    roots = [os.path.realpath(root) for root in options.root or ["."]]
    for root in roots:
        if not os.path.isdir(root):  # noqa: PTH112
            return usage(f"--root {root} is no folder", "name a folder that exists")
    from lambda_latency.agent import serve

    serve(roots, lambda: _settings(roots, options), account=options.account)
    return FINE


def _settings(roots: list[str], options: argparse.Namespace) -> Options:
    """Read the settings of the first root. Raises `ValueError`, which the assistant reads."""
    from pathlib import Path

    from lambda_latency.agent import AccountOptions, Options
    from lambda_latency.cli.settings import read_settings

    settings = read_settings(Path(roots[0]))
    account = AccountOptions(options.profile, options.region, options.most_usd)
    return Options(
        roots,
        ours=settings.ours,
        theirs=settings.theirs,
        from_lambda=settings.from_ == "lambda",
        slow_ns=settings.slow,
        ignored=settings.ignore,
        account=account if options.account else None,
    )
