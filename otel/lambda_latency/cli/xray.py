"""The traces of an account: shared by `fetch` and `report --xray`, and the explanation of `report --alarm`."""

from __future__ import annotations

import io
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from lambda_latency.cli.arguments import instant
from lambda_latency.cli.exit_statuses import FAILED, FINE, INTERRUPTED, SOMETHING_SKIPPED
from lambda_latency.cli.messages import fail, warn
from lambda_latency.cli.settings import settings_of

if TYPE_CHECKING:
    import argparse

    from lambda_latency.alarm import Alarm
    from lambda_latency.cli.request import Request
    from lambda_latency.fetch import Account, Result
    from lambda_latency.latency import Traffic, Unknown


def add_choice_options(options: Any) -> None:
    """Add the options that select requests of files or of X-Ray. `options` is a parser or a group of one."""
    options.add_argument("--since", type=instant, metavar="T", help="requests from T on: 2026-11-25T08:00:00Z, or 24h")
    options.add_argument("--until", type=instant, metavar="T", help="requests before T")
    options.add_argument("--route", metavar="R", help='requests of one route, such as "POST /orders"')


def account_of(options: argparse.Namespace) -> Account:
    """Return the account and region that the options name."""
    from lambda_latency.fetch import Account, Place

    return Account(Place(options.profile, options.region))


def progress_of(options: argparse.Namespace) -> TextIO:
    """Return the stream for the progress of a fetch: stderr, used only if it is a terminal; a buffer with --quiet."""
    return io.StringIO() if options.quiet else sys.stderr


def warn_of_early_end(result: Result) -> None:
    """Print why a fetch ended early, after all other output."""
    if result.fetched.ended is not None and result.status != INTERRUPTED:
        warn(str(result.fetched.ended))


def fetch_traces(request: Request, options: argparse.Namespace, folder: Path) -> tuple[Request, Result]:
    """Fetch traces into a file below `folder`; returns the report's request on them, and the result."""
    from dataclasses import replace

    from lambda_latency.fetch import Choice, console, resolve
    from lambda_latency.trace import Source

    choice, now_ns = Choice(route=options.route), time.time_ns()
    selection = resolve(options.since, options.until, now_ns=now_ns, choice=choice, trace_id=options.trace)
    account = account_of(options)
    path = folder / "traces.jsonl"
    result = account.fetch(selection, path, progress_of(options))
    on_result = replace(
        request,
        sources=[Source(result.source, path, whole=True)],
        since_ns=None if selection.trace_id else selection.since_ns,
        until_ns=None if selection.trace_id else selection.until_ns,
        traffic=_traffic(account, result, options.route),
        earlier_problems=result.problems,
        notes=[] if options.quiet else [result.sentence],
        console=console(result.region) if account.is_aws else None,
    )
    return on_result, result


def _traffic(account: Account, result: Result, route: str | None) -> Traffic | Unknown:
    """Return the number of requests, traced or not; or the reason why it is unknown."""
    from lambda_latency.fetch import FetchError
    from lambda_latency.latency import Traffic, Unknown

    stages = [stage for stage in result.fetched.stages if stage]
    if result.selection.trace_id is not None:
        return Unknown()
    if result.fetched.ended is not None:
        return Unknown("is unknown: not all traces were fetched")
    if not stages:
        return Unknown("is not known: they did not come through API Gateway, which counts requests")
    try:
        counted = account.count(result)
    except FetchError as error:
        return Unknown(f"is not known: {error.what}", is_refused=True)
    if counted.total is None:
        return Unknown(f"is not known: API Gateway's metric Count has no data of {', '.join(stages)}")
    if route is None:
        without_stage = result.fetched.stages.get("", 0)
        return Traffic(counted.total, counted.by_route, counted.by_hour, without_stage)
    if route in counted.by_route:
        return Traffic(counted.by_route[route])
    return Unknown("is not known: API Gateway counts by route only with detailed metrics (MetricsEnabled)")


def explain_alarm(options: argparse.Namespace) -> int:
    """Print the message that the function of `lambda-latency stack alarm` sends; returns the exit status."""
    from lambda_latency.alarm import clock, explain, fetched, message_of, page_of, plain_text
    from lambda_latency.fetch import Account, Place
    from lambda_latency.files import replace_files, unwritable
    from lambda_latency.latency import AnalysisOptions, Owners

    settings = settings_of(options)
    place = Place(options.profile, options.region or settings.region)
    account = Account(place)
    alarm = _last_alarm(options, place, account.region)
    our_patterns, their_patterns = options.ours or settings.ours, options.theirs or settings.theirs
    analysis_options = AnalysisOptions(owners=Owners(tuple(our_patterns), tuple(their_patterns)))
    with tempfile.TemporaryDirectory(prefix="lambda-latency-") as folder:
        evidence = fetched(account, alarm, Path(folder), lambda: 1.0)
        if not (evidence.chosen or evidence.sample):
            reason, *lacks = evidence.lacks or ["there is no trace in the alarm's window"]
            window = f"Looked from {clock(alarm.begin_ns)} to {clock(alarm.at_ns)} in {alarm.region}"
            warn("\n  ".join([reason.rstrip("."), *lacks, window]))
            return FAILED
        explanation = explain(alarm, evidence, analysis_options)
        if options.html is not None:
            path, page = Path(options.html), page_of(explanation)
            try:
                replace_files([(path, page)])
            except OSError as error:
                fail(unwritable(path, error), "name a file in a folder that you may write to")
        print(plain_text(message_of(explanation)), end="")
    return SOMETHING_SKIPPED if evidence.lacks else FINE


def _last_alarm(options: argparse.Namespace, place: Any, region: str) -> Alarm:
    """Return the last change of the alarm's state to ALARM, at --until or before."""
    from dataclasses import replace

    from lambda_latency.alarm import last_ring
    from lambda_latency.fetch import Clients, refusal

    try:
        alarm = last_ring(Clients(place).make("cloudwatch"), options.alarm, region, options.until)
    except Exception as error:
        raise refusal(error, place) or error from error
    return replace(alarm, threshold_ns=options.slow) if options.slow is not None else alarm
