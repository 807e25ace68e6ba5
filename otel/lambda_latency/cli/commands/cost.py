"""`lambda-latency cost`: estimates what a month of tracing costs, before the first invoice."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_latency.cli.arguments import add_parameter_option, region
from lambda_latency.cli.exit_statuses import EXIT_STATUSES, FAILED, FINE, SOMETHING_SKIPPED
from lambda_latency.cli.messages import fail, usage, warn

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from lambda_latency.doctor import Bill, OwnUsage
    from lambda_latency.prices import Prices

__all__ = ["add_parser", "run"]

# Seconds that the searches for one explanation cover: the alarm's window twice, the hour before, and the end's window.
SEARCHED_S = (300, 300, 3600, 300)
MOST_SCANNED = Decimal(5 * 10**9)  # bytes, after which a search ends
MOST = Decimal(10**15)  # of anything: a bill beyond it has more digits than its sums keep
ACCOUNT_ONLY = ("rule", "profile", "endpoint_url")
TRACERS = ("kit", "adot", "adot-fast", "xray-sdk", "powertools")
EPILOG = f"""\
examples:
  lambda-latency cost --requests 50000000 --rate 5%
  lambda-latency cost out/traces.jsonl      spans and cold starts as there
  lambda-latency cost --template .          memory and architecture as there
  lambda-latency cost --account             requests and sampling of an account
  lambda-latency cost --transaction-search --prices mine.toml
  lambda-latency cost --explanations 30     alarms that explain themselves

{EXIT_STATUSES}
"""


def add_parser(subparsers: Any, summary: str) -> None:
    """Add the command's parser with its arguments."""
    parser = subparsers.add_parser(
        "cost",
        help=summary,
        description="Estimates what a month of tracing costs: X-Ray or Transaction Search, the time that tracing adds "
        "to Lambda, alarms; for rates up to 100 %, by public list prices or your own.",
        epilog=EPILOG,
    )
    add = parser.add_argument
    add(
        "sources",
        nargs="*",
        metavar="TRACES",
        help="trace files from which spans per request and cold starts are counted",
    )
    add("--requests", type=number, metavar="N", help="requests per month; default 1000000")
    add("--rate", type=share, metavar="P", help="share of the requests that is traced; default 5%%")
    add(
        "--reservoir",
        type=number,
        metavar="N",
        help="requests per second that are traced before the rate applies; default 1",
    )
    add("--spans", type=number, metavar="N", help="spans per request; default 8")
    add("--cold", type=share, metavar="P", help="share of cold starts; default 1%%")
    add(
        "--template",
        type=Path,
        metavar="PATH",
        help="a template, or a folder with one: its functions' memory (the mean) and architecture (the most frequent)",
    )
    add_parameter_option(parser)
    add("--memory", type=number, metavar="MB", help="memory of a function; default 512")
    add("--architecture", choices=("arm64", "x86_64"), metavar="A", help="arm64 (default) or x86_64")
    add("--tracer", choices=TRACERS, default="kit", metavar="T", help=f"one of {', '.join(TRACERS)}; default kit")
    add(
        "--transaction-search", action="store_true", help="spans go to CloudWatch Logs and are paid for by the gigabyte"
    )
    add("--indexed", type=share, metavar="P", help="share of the spans that are indexed; default 1%%")
    add("--alarm-metrics", type=number, default=Decimal(0), metavar="N", help="metrics of alarms; default 0")
    add(
        "--traces-read",
        type=number,
        default=Decimal(0),
        metavar="N",
        help="traces that are retrieved or scanned per month; default 0",
    )
    add("--explanations", type=number, metavar="N", help="alarms per month that `lambda-latency alarm` explains")
    add(
        "--region",
        type=region,
        metavar="R",
        help="region whose prices are used; default us-east-1, with --account the account's",
    )
    add("--prices", type=Path, metavar="FILE", help="a file with your own prices, in the form of prices.toml")
    add("--json", action="store_true", help="print JSON")
    account = parser.add_argument_group("an account's own numbers, by read-only calls (extra fetch)").add_argument
    account("--account", action="store_true", help="requests, sampling and Transaction Search as in the last 30 days; "
            "options override them")  # fmt: skip
    account("--stack", default="", metavar="S", help="only the functions of this stack")
    account("--rule", default="", metavar="NAME", help="the sampling rule; default: the first one for every service")
    account("--profile", metavar="P", help="a profile of the AWS configuration")
    account("--endpoint-url", metavar="U", help="address of AWS's services, if not AWS")
    account("--print-policy", action="store_true", help="print the minimal IAM policy and exit")


def number(text: str) -> Decimal:
    """A number between 0 and `MOST`."""
    import argparse

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
    """A share between 0 and 1, written as `5%` or `0.05`."""
    import argparse

    value = number(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    if value > 1:
        raise argparse.ArgumentTypeError(f"must be a share such as 5% or 0.05, got {text}")
    return value


def run(options: argparse.Namespace) -> int:
    """Print the estimate; returns the exit status."""
    from lambda_latency.doctor import Usage, bill, over_rates, usage_policy
    from lambda_latency.doctor import bills_as_json as as_json
    from lambda_latency.doctor import bills_as_text as as_text
    from lambda_latency.prices import LISTED, read_prices

    if options.print_policy:
        print(usage_policy())
        return FINE
    alone = next((name for name in ACCOUNT_ONLY if getattr(options, name)), None)
    if alone is not None and not (options.account or options.stack):
        return usage(f"--{alone.replace('_', '-')} needs --account", "add --account, or --stack S")
    own = _own(options)
    region = options.region or own.region or "us-east-1"
    try:
        prices = read_prices(region, options.prices)
    except OSError as error:
        warn(f"{options.prices} cannot be read: {error.strerror}")
        return FAILED
    except ValueError as error:
        return usage(str(error), f"see {LISTED} for the form")
    spans, cold, status = options.spans, options.cold, FINE
    if options.sources:
        seen = _seen(options.sources)
        if isinstance(seen, str):
            warn(seen)
            return FAILED
        spans = seen[0] if spans is None else spans
        cold = seen[1] if cold is None else cold
        status = SOMETHING_SKIPPED if seen[2] else FINE
    memory, processor = _sizes(options, region)
    usual = Usage(Decimal(1_000_000))
    asked = Usage(
        requests=first(options.requests, own.requests, usual.requests),
        rate=first(options.rate, own.rate, usual.rate),
        reservoir=first(options.reservoir, own.reservoir, usual.reservoir),
        spans=first(spans, usual.spans),
        cold=first(cold, usual.cold),
        memory_mb=max(first(options.memory, memory, usual.memory_mb), Decimal(128)),
        processor=options.architecture or processor or usual.processor,
        tracer=options.tracer,
        transaction_search=options.transaction_search or own.transaction_search,
        indexed_percent=first(
            None if options.indexed is None else options.indexed * 100, own.indexed_percent,
            usual.indexed_percent,
        ),
        alarm_metrics=options.alarm_metrics,
        traces_read=options.traces_read,
    )  # fmt: skip
    made = bill(asked, prices)
    explained = None if options.explanations is None else _explained(options.explanations, made, prices)
    if options.json:
        print(as_json(made, over_rates(asked, prices), prices, explained))
    else:
        print(as_text(made, over_rates(asked, prices), prices))
        if explained is not None:
            print(f"\n{_explained_text(explained, asked.processor, prices)}")
    if own.region and not options.json:
        print(own.said)
    return SOMETHING_SKIPPED if own.refused else status


def _explained(count: Decimal, made: Bill, prices: Prices) -> dict[str, Any]:
    """The cost of explaining an alarm and its end, and of that many in a month, as JSON values."""
    from lambda_latency.alarm import MEASURED, a_month, explanation
    from lambda_latency.doctor import MONTH_S

    usage = made.usage
    scanned = None
    if usage.transaction_search:
        a_second = made.traced / MONTH_S * usage.spans * usage.span_bytes
        scanned = sum((min(MOST_SCANNED, a_second * seconds) for seconds in SEARCHED_S), Decimal(0))
    one = explanation(prices, usage.processor, scanned_bytes=scanned)
    month = a_month(count, prices, usage.processor, scanned_bytes=scanned, read=usage.traces_read)
    return {
        "count": float(count),
        "scanned_bytes": None if scanned is None else round(scanned),
        "one": {service: float(round(dollars, 7)) for service, dollars in one.items()},
        "month": {service: float(round(dollars, 4)) for service, dollars in month.items()},
        "measured": MEASURED,
    }


def _explained_text(explained: dict[str, Any], processor: str, prices: Prices) -> str:
    from lambda_latency.alarm import PRICED

    one, month = explained["one"], explained["month"]
    parts = ", ".join(f"{service} {dollars:.5f}" for service, dollars in one.items() if dollars)
    unused = "traces_read_million" if explained["scanned_bytes"] is not None else "logs_scanned_gb"
    names = (*(name for name in PRICED if name != unused), f"lambda_gb_second_{processor}")
    foreign = prices.foreign(*names)
    missing = f" Of {prices.region} the list lacks {foreign}." if foreign else ""
    return (
        f"Explaining an alarm and its end costs ${sum(one.values()):.4f}: {parts}.\n"
        f"{explained['count']:,.0f} a month cost ${sum(month.values()):,.2f} beyond the free quantities.\n"
        f"Prices: {prices.source(*names)}.{missing}"
    )


def first(*values: Decimal | None) -> Decimal:
    """The first value that is not None; the last one never is."""
    return next(value for value in values if value is not None)


def _own(options: argparse.Namespace) -> OwnUsage:
    """The account's own numbers; empty without --account and --stack."""
    from lambda_latency.doctor import OwnUsage, own_usage
    from lambda_latency.fetch import Place

    if not options.account and not options.stack:
        return OwnUsage("")
    return own_usage(Place(options.profile, options.region, options.endpoint_url), options.stack, options.rule)


def _sizes(options: argparse.Namespace, region: str) -> tuple[Decimal | None, str]:
    """Memory in MB and processor of the template's functions; None and empty if they are unknown."""
    from lambda_latency.doctor import Where, read_app, sizes_of, template_in
    from lambda_latency.template import Finding

    if options.template is None:
        return None, ""
    app = read_app(template_in(options.template), Where(dict(options.parameter), region))
    if isinstance(app, Finding):
        fail(f"{app.source}:{app.line}: {app.what}", app.todo)
    for one in app.undecided:
        warn(f"{app.name}:{one.line}: {one}")
    return sizes_of(app)


def _seen(sources: Sequence[str]) -> tuple[Decimal, Decimal, bool] | str:
    """Spans per request, share of cold starts (0 to 1), and whether parts were skipped; the reason without a trace."""
    from lambda_latency.trace import read_traces

    reading = read_traces(*sources)
    if not reading.traces:
        from lambda_latency.cli.unread import unread

        return unread(reading.problems, sources)
    spans = sum(len(trace.spans) for trace in reading.traces)
    cold = sum(trace.cold_start for trace in reading.traces)
    requests = len(reading.traces)
    skipped = any(problem.effect == "skipped" for problem in reading.problems)
    return Decimal(spans) / requests, Decimal(cold) / requests, skipped
