"""Shared by `fetch` and `report --xray`: the options that select an account's traces, and the fetch they describe."""

from __future__ import annotations

import io
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from lambda_latency.cli.arguments import count, gigabytes, instant, ms
from lambda_latency.cli.exit_statuses import FINE, INTERRUPTED
from lambda_latency.cli.messages import warn

if TYPE_CHECKING:
    import argparse

    from lambda_latency.cli.request import Request
    from lambda_latency.fetch import Account, Asked, Result
    from lambda_latency.latency import Traffic, Unknown

# Options of `add_xray_options` that a report on files rejects.
XRAY_ONLY = (
    "slower_than",
    "errors",
    "filter",
    "max",
    "max_gb",
    "source",
    "out",
    "profile",
    "region",
    "endpoint_url",
    "dry_run",
)


def add_choice_options(options: Any) -> None:
    """Add the options that select requests of files or of X-Ray. `options` is a parser or a group of one."""
    options.add_argument("--since", type=instant, metavar="T", help="requests from T on: 2026-11-25T08:00:00Z, or 24h")
    options.add_argument("--until", type=instant, metavar="T", help="requests before T")
    options.add_argument("--route", metavar="R", help='requests of one route, such as "POST /orders"')


def add_xray_options(options: Any, out: str) -> None:
    """Add the options that select an account and its traces.

    `options` is a parser or a group of one; `out` is the help of `--out`.
    """
    options.add_argument("--slower-than", type=ms, metavar="MS", help="only requests that took over MS milliseconds")
    options.add_argument("--errors", action="store_true", help="only requests that were answered with 4xx or 5xx")
    options.add_argument("--filter", metavar="EXPR", help="only traces that match this filter expression of X-Ray")
    options.add_argument("--max", type=count, metavar="N", help="at most N traces, the newest")
    options.add_argument(
        "--max-gb", type=gigabytes, metavar="GB", help="stop before Logs Insights scans more (Transaction Search)"
    )
    options.add_argument(
        "--source",
        choices=("x-ray", "transaction-search", "both"),
        help="where to read traces (default: the destination that the account is set to)",
    )
    options.add_argument("--out", type=Path, metavar="FILE", help=out)
    options.add_argument("--profile", metavar="P", help="profile of the AWS configuration")
    options.add_argument("--region", metavar="R", help="region of X-Ray")
    options.add_argument("--endpoint-url", metavar="U", help="address of X-Ray and CloudWatch, if not AWS")
    options.add_argument("--dry-run", action="store_true", help="print the number of calls and what X-Ray charges")
    options.add_argument("--print-policy", action="store_true", help="print the minimal IAM policy")


def asked_for(options: argparse.Namespace) -> Asked:
    """The traces that the options select; without a time, those of the last hour."""
    from lambda_latency.fetch import Choice, resolve

    return resolve(
        options.since,
        options.until,
        now_ns=time.time_ns(),
        choice=Choice(
            (options.filter or "").strip() or None, options.slower_than, errors=options.errors, route=options.route
        ),
        most=options.max,
        trace_id=getattr(options, "trace", None),
        most_billed=options.max_gb,
    )


def account_of(options: argparse.Namespace) -> Account:
    """The account and region that the options name."""
    from lambda_latency.fetch import Account, Place

    return Account(Place(options.profile, options.region, options.endpoint_url))


def progress_of(options: argparse.Namespace) -> TextIO:
    """The stream for the progress of a fetch: stderr, of which only a terminal is used; a buffer with --quiet."""
    return io.StringIO() if options.quiet else sys.stderr


def print_estimate(account: Account, asked: Asked, source: str) -> int:
    """Print the estimate of `--dry-run`; returns the exit status."""
    print(account.estimate(asked, source), end="")
    return FINE


def print_policy() -> int:
    """Print the IAM policy of `--print-policy`; returns the exit status."""
    from lambda_latency.fetch import iam_policy

    print(iam_policy())
    return FINE


def warn_of_early_end(result: Result) -> None:
    """Print why a fetch ended early, after all other output."""
    if result.fetched.ended is not None and result.status != INTERRUPTED:
        warn(str(result.fetched.ended))


def fetched(request: Request, options: argparse.Namespace, folder: Path) -> tuple[Request, Result]:
    """Fetch traces into a file, below `folder` without --out; returns the report's request on them, and the result."""
    from dataclasses import replace

    from lambda_latency.fetch import console
    from lambda_latency.trace import Source

    asked, account = asked_for(options), account_of(options)
    path = options.out or folder / "traces.jsonl"
    result = account.fetch(asked, path, progress_of(options), source=options.source or "")
    notes = [] if options.quiet else [result.sentence, f"Traces: {options.out}." if options.out else ""]
    on_result = replace(
        request,
        sources=[Source(result.source, path, whole=True)],
        since_ns=None if asked.trace_id else asked.since_ns,
        until_ns=None if asked.trace_id else asked.until_ns,
        traffic=_traffic(account, result, options),
        known=result.problems,
        notes=[note for note in notes if note],
        console=None if options.endpoint_url else console(result.region),
    )
    return on_result, result


def _traffic(account: Account, result: Result, options: argparse.Namespace) -> Traffic | Unknown:
    """The number of requests, traced or not; or the reason why it is unknown."""
    from lambda_latency.fetch import FetchError
    from lambda_latency.latency import Traffic, Unknown

    stages = [stage for stage in result.fetched.stages if stage]
    if options.filter or options.errors or options.slower_than is not None:
        return Unknown("is unknown for a selection (--filter, --slower-than, --errors)")
    if result.fetched.cut or result.fetched.ended is not None:
        return Unknown("is unknown: not all traces were fetched")
    if not stages:
        return Unknown("is not known: they did not come through API Gateway, which counts requests")
    try:
        counted = account.count(result)
    except FetchError as error:
        return Unknown(f"is not known: {error.what}")
    if counted.total is None:
        return Unknown(f"is not known: API Gateway's metric Count has no data of {', '.join(stages)}")
    if options.route is None:
        beside = result.fetched.stages.get("", 0)
        return Traffic(counted.total, counted.by_route, counted.by_hour, beside)
    if options.route in counted.by_route:
        return Traffic(counted.by_route[options.route])
    return Unknown("is not known: API Gateway counts by route only with detailed metrics (MetricsEnabled)")
