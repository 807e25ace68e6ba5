"""`lambda-latency cost`: estimates what a month of tracing costs, before the first invoice."""

from __future__ import annotations

import argparse
import json
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_latency.cli.arguments import region
from lambda_latency.cli.exit_statuses import FAILED, FINE, SOMETHING_SKIPPED
from lambda_latency.cli.messages import fail, usage, warn
from lambda_latency.documentation import page_address

if TYPE_CHECKING:
    from lambda_latency.prices import AccountUsage, Prices, Usage

EPILOG = """\
examples:
  lambda-latency cost --requests 50000000 --rate 5%
  lambda-latency cost --template .          memory and architecture as there
  lambda-latency cost --account             requests and sampling of an account
  lambda-latency cost --details month.toml  all else, and prices of your own

exit status: 0 fine, 1 failed, 2 usage, 4 estimated but the account refused a
call, 130 Ctrl-C
"""
# The keys of [usage] in a file of details that have taken the place of options.
KEYS = {
    "--reservoir": "reservoir",
    "--spans": "spans",
    "--cold": "cold",
    "--memory": "memory_mb",
    "--architecture": "processor",
    "--tracer": "tracer",
    "--transaction-search": "transaction_search",
    "--indexed": "indexed_percent",
    "--alarm-metrics": "alarm_metrics",
    "--traces-read": "traces_read",
}
REMOVED = {option: f"set {key} in the table [usage] of a file: --details FILE" for option, key in KEYS.items()} | {
    "--prices": "name the same file with --details FILE",
    "--parameter": "set memory_mb and processor in the table [usage] of a file: --details FILE",
    "--explanations": f"each message of an alarm says its cost; {page_address('how-to/explain-alarms')} has the sum",
    "--stack": "--account reads all functions; for some of them, write --requests N",
    "--rule": "--account reads the rule for every service; for another, write --rate P",
    "--profile": "set the variable AWS_PROFILE",
    "--json": "write --format json",
    "--print-policy": "lambda-latency policy cost prints it",
}


def add_parser(subparsers: Any, summary: str) -> None:
    """Add the command's parser with its arguments."""
    parser = subparsers.add_parser(
        "cost",
        help=summary,
        description="Estimates what a month of tracing costs: X-Ray or Transaction Search, the time that tracing adds "
        "to Lambda, alarms; for rates up to 100 %, by public list prices or your own.",
        epilog=EPILOG,
    )
    parser.removed = REMOVED
    add = parser.add_argument
    add("--requests", type=number, metavar="N", help="requests per month; default 1000000")
    add("--rate", type=share, metavar="P", help="share of the requests that is traced; default 5%%")
    add("--region", type=region, metavar="R", help="region of the prices; default us-east-1, or the account's")
    add(
        "--template",
        type=Path,
        metavar="PATH",
        help="a template, or a folder with one: its functions' memory (the mean) and architecture (the most frequent)",
    )
    add(
        "--account",
        action="store_true",
        help="requests, sampling and Transaction Search of the last 30 days, by read-only calls (extra fetch)",
    )
    add("--details", type=Path, metavar="FILE", help="a TOML file with all other details, and prices of your own")
    add("--format", choices=("text", "json"), default="text", help="text (default) or json")


def number(text: str) -> Decimal:
    """Read a number between 0 and `MOST`."""
    from lambda_latency.prices import MOST

    try:
        value = Decimal(text.replace("_", ""))
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"must be a number, got {text!r}") from None
    if not value.is_finite() or value < 0:
        raise argparse.ArgumentTypeError(f"must be 0 or more, got {text}")
    if value > MOST:
        raise argparse.ArgumentTypeError(f"must be {MOST} or less, got {text}")
    return value


def share(text: str) -> Decimal:
    """Read a share between 0 and 1, written as `5%` or `0.05`."""
    value = number(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    if value > 1:
        raise argparse.ArgumentTypeError(f"must be a share such as 5% or 0.05, got {text}")
    return value


def run(options: argparse.Namespace) -> int:
    """Print the estimate; returns the exit status."""
    from lambda_latency.prices import AccountUsage, Usage, read_prices, read_usage

    account = _account(options.region) if options.account else AccountUsage("")
    region = options.region or account.region or "us-east-1"
    try:
        details = read_usage(options.details) if options.details else {}
        prices = read_prices(region, options.details)
    except OSError as error:
        warn(f"{options.details} cannot be read: {error.strerror}")
        return FAILED
    except ValueError as error:
        return usage(str(error), f"{page_address('reference/cli')} has the keys of this file")
    typed = {name: getattr(options, name) for name in ("requests", "rate") if getattr(options, name) is not None}
    stated = _sizes(options.template, region) | account.usage | details | typed
    month, assumed = Usage(**stated), [name for name in account.unread() if name not in stated]
    _print(options, month, prices, account, assumed)
    return SOMETHING_SKIPPED if account.refused else FINE


def _print(
    options: argparse.Namespace, month: Usage, prices: Prices, account: AccountUsage, assumed: list[str]
) -> None:
    from lambda_latency.prices import bills_as_json, bills_as_text

    if options.format == "json":
        document = bills_as_json(month, prices) | {"assumed": assumed, "refused": account.refused}
        print(json.dumps(document, indent=2))
        return
    if account.refused:  # the refused calls are first: what is assumed in their place is not the account's
        print(f"{account.refusals_text(assumed, month)}\n")
    print(bills_as_text(month, prices, assumed=bool(assumed)))
    for line in account.lines:
        print(line)


def _account(region: str | None) -> AccountUsage:
    from datetime import datetime, timezone

    from lambda_latency.fetch import Clients, Place, refusal, rejects_credentials
    from lambda_latency.prices import read_account

    place = Place(region=region)
    try:
        clients = Clients(place)
        return read_account(clients.make, clients.region, datetime.now(timezone.utc), rejects_credentials)
    except Exception as error:
        raise refusal(error, place) or error from error


def _sizes(template: Path | None, region: str) -> dict[str, Any]:
    """Return the mean memory and the most frequent processor of a template's functions, as far as they are known."""
    from statistics import fmean, mode

    if template is None:
        return {}
    from lambda_latency.doctor import Deployment, read_app, template_in
    from lambda_latency.template import Diagnostic

    app = read_app(template_in(template), Deployment({}, region))
    if isinstance(app, Diagnostic):
        fail(f"{app.source}:{app.line}: {app.problem}", app.todo)
    for undecided in app.undecided:
        warn(f"{app.name}:{undecided.line}: {undecided}")
    sizes: dict[str, Any] = {}
    memories = [memory for fn in app.functions if (memory := fn.number("MemorySize", default=128)) is not None]
    processors = [fn.processor for fn in app.functions if fn.processor]
    if memories:
        sizes["memory_mb"] = Decimal(round(fmean(memories)))
    if processors:
        sizes["processor"] = mode(processors)
    return sizes
