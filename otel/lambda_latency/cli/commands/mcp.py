"""`lambda-latency mcp`: an MCP server on standard input and output, for the assistants in editors."""

from __future__ import annotations

import os

from lambda_latency.cli.exit_statuses import EXIT_STATUSES, FAILED, FINE
from lambda_latency.cli.messages import usage, warn

TYPE_CHECKING = False  # the server starts without typing and pathlib
if TYPE_CHECKING:
    import argparse
    from typing import Any

    from lambda_latency.agent import Options

CLIENTS = ("claude", "cursor", "kiro", "vscode")


def add_parser(subparsers: Any, summary: str) -> None:
    """Add the command's parser with its arguments."""
    parser = subparsers.add_parser(
        "mcp",
        help=summary,
        description="An MCP server on standard input and output, for assistants in editors. It reads trace files below "
        "the roots and writes nothing; without --account it opens no socket.",
        epilog=EXIT_STATUSES,
    )
    parser.add_argument("--root", action="append", metavar="DIR", help="a folder that may be read; default: this one")
    account = parser.add_argument_group("account (extra fetch)")
    account.add_argument("--account", action="store_true", help="also tools that fetch traces from X-Ray")
    account.add_argument("--profile", metavar="P", help="profile of the AWS configuration")
    account.add_argument("--region", metavar="R", help="region of the traces")
    account.add_argument("--endpoint-url", metavar="U", help="address of AWS's services, if not AWS")
    account.add_argument("--most-usd", type=float, default=0.1, metavar="N", help="most dollars a call; default 0.10")
    install = parser.add_argument_group("installation, in the folder of a project")
    install.add_argument(
        "--install", choices=CLIENTS, metavar="CLIENT", help=f"print the entry for {', '.join(CLIENTS)}"
    )
    install.add_argument(
        "--agents", action="store_true", help="the block for AGENTS.md, for assistants that run commands"
    )
    install.add_argument("--write", action="store_true", help="write what --install and --agents print")


def run(options: argparse.Namespace) -> int:
    """Serve until the input ends; returns the exit status."""
    if options.install is not None or options.agents:
        return _install(options)
    if options.write:
        return usage("--write needs --install or --agents", "add --install and one of " + ", ".join(CLIENTS))
    roots = [os.path.realpath(one) for one in options.root or ["."]]
    for one in roots:
        if not os.path.isdir(one):  # noqa: PTH112
            return usage(f"--root {one} is no folder", "name a folder that exists")
    from lambda_latency.agent import serve

    serve(roots, lambda: _settings(roots, options), account=options.account)
    return FINE


def _install(options: argparse.Namespace) -> int:
    """Print the changes of files as diffs, and write them if asked; returns the exit status."""
    from pathlib import Path

    from lambda_latency.agent import changes_for
    from lambda_latency.files import replace_files, unwritable

    arguments = [word for one in options.root or ["."] for word in ("--root", one)]
    if options.account:
        arguments.append("--account")
        for name in ("profile", "region"):
            arguments += [f"--{name}", getattr(options, name)] if getattr(options, name) is not None else []
    changes = changes_for(Path(), options.install, arguments, agents=options.agents)
    for one in changes:
        print(one.diff or f"{one.path} has it already.\n", end="")
    changes = [one for one in changes if one.diff]
    if not changes:
        return FINE
    if not options.write:
        print("Nothing was written: --write does it.")
        return FINE
    try:
        for one in changes:
            one.path.parent.mkdir(parents=True, exist_ok=True)
        replace_files([(one.path, one.after) for one in changes])
    except OSError as error:
        return _failed(unwritable(error.filename, error))
    print(f"Written: {', '.join(str(one.path) for one in changes)}.")
    return FINE


def _failed(what: str) -> int:
    warn(f"{what}\n  check the permissions of the folder")
    return FAILED


def _settings(roots: list[str], options: argparse.Namespace) -> Options:
    """The settings of the first root. Raises `ValueError`, which the assistant reads."""
    from pathlib import Path

    from lambda_latency.agent import AccountOptions, Options
    from lambda_latency.cli.settings import read_settings

    found = read_settings(Path(roots[0]))
    account = AccountOptions(options.profile, options.region, options.endpoint_url, options.most_usd)
    return Options(
        roots,
        ours=found.ours,
        theirs=found.theirs,
        from_lambda=found.from_ == "lambda",
        slow_ns=found.slow,
        ignored=found.ignore,
        account=account if options.account else None,
    )
