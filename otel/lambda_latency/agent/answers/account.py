"""The tools that read an AWS account, only with `--account`: a first call names the price, a second one pays it."""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from lambda_latency.agent.brief import brief, names_in, quoted_report, shell
from lambda_latency.agent.loading import Loader, ToolCall, time_of
from lambda_latency.agent.quoting import QuotedNames, quoted
from lambda_latency.agent.tools import AccountOptions, Cancelled, RefusedError
from lambda_latency.alarm import explain, fetched, last_ring
from lambda_latency.fetch import Account, Choice, Clients, Place, resolve
from lambda_latency.latency import against, load
from lambda_latency.text import instant_of

DEFAULT_LIMIT = 1_000  # traces of a fetch
HOUR_NS = 3_600 * 10**9


def fetch_traces(
    loader: Loader,
    call: ToolCall,
    since: str | None = None,
    until: str | None = None,
    route: str | None = None,
    slower_than_ms: float | None = None,
    errors: bool = False,
    limit: int = DEFAULT_LIMIT,
    confirm_usd: float | None = None,
) -> str:
    """Name the source that has the fetched traces; or the price, until it is confirmed."""
    options, place = _place(loader)
    slower_ns = round(slower_than_ms * 1e6) if slower_than_ms is not None else None
    choice = Choice(None, slower_ns, errors=errors, route=route.strip('"') if route is not None else None)
    selection = resolve(time_of(since), time_of(until), now_ns=time.time_ns(), choice=choice, most=limit)
    account = Account(place)
    if (question := _unpaid(account.price(selection), confirm_usd, options)) is not None:
        return question
    words = ["fetch", "--since", instant_of(selection.since_ns), "--until", instant_of(selection.until_ns)]
    words += ["--route", choice.route] if choice.route is not None else []
    words += ["--slower-than", f"{slower_than_ms:g}"] if slower_than_ms is not None else []
    words += ["--errors"] if errors else []
    if call.is_gone():
        raise Cancelled
    path = loader.add_fetched([*words, "--max", str(limit), *_where(options)])
    result = account.fetch(selection, path, io.StringIO())
    return f"source: {path.name}\n{quoted(result.sentence, 300)}\nwhy_slow with this source says what is slow."


def explain_alarm(
    loader: Loader, call: ToolCall, alarm: str, at: str | None = None, confirm_usd: float | None = None
) -> str:
    """Print the verdict on the traces of an alarm's window, and the comparison with the hour before."""
    options, place = _place(loader)
    account = Account(place)
    rang = last_ring(Clients(place).make("cloudwatch"), alarm, account.region, time_of(at))
    selection = resolve(rang.begin_ns - HOUR_NS, rang.at_ns, now_ns=time.time_ns())
    if (question := _unpaid(2 * account.price(selection), confirm_usd, options)) is not None:  # slow ones and a sample
        return question
    if call.is_gone():
        raise Cancelled
    with tempfile.TemporaryDirectory(prefix="alarm-") as folder:
        traces = fetched(account, rang, Path(folder), lambda: 0.0 if call.is_gone() else 1.0)
        if not (traces.chosen or traces.sample):
            raise RefusedError("there is no trace in the alarm's window", "check the time and the sampling")
        explained = explain(rang, traces, loader.analysis_options)
        accounts, windows = explained.report.breakdowns, (traces.sample, traces.hour_before)
        current, earlier = (load(files, [], processes=1, options=loader.analysis_options) for files in windows)
        owners = loader.analysis_options.owners.settle(accounts, current, earlier)
        names = QuotedNames(names_in(accounts, current, earlier))
        quoted_current, quoted_baseline = (breakdown.named(names, names.part) for breakdown in (current, earlier))
        compared = None
        if quoted_current and quoted_baseline:
            compared = against(quoted_current, quoted_baseline, ["the hour before"])
        report = quoted_report(
            names, accounts, explained.find, compared=compared, slow_ns=rang.threshold_ns, owners=owners
        )
        command = shell("report", "--alarm", alarm, "--until", instant_of(rang.at_ns), *_where(options))
        window = f"{instant_of(rang.begin_ns)} to {instant_of(rang.at_ns)}"
        return f"alarm {quoted(alarm)}, {window}, with the hour before as baseline\n{brief(report, command)}"


def _place(loader: Loader) -> tuple[AccountOptions, Place]:
    options = loader.account
    assert options is not None
    return options, Place(options.profile, options.region)


def _where(options: AccountOptions) -> Sequence[str]:
    options_by_name = (("--profile", options.profile), ("--region", options.region))
    return [word for name, value in options_by_name if value is not None for word in (name, value)]


def _unpaid(price: float, confirmed: float | None, options: AccountOptions) -> str | None:
    """Return the question to the user; None if the price is confirmed. Raises `RefusedError` above the limit."""
    if price > options.most_usd:
        raise RefusedError(
            f"AWS would charge about ${price:,.4f}, above the limit of ${options.most_usd:,.2f} a call",
            "ask for a shorter time; the user may start the server with --most-usd",
        )
    if confirmed is not None and confirmed >= price:
        return None
    return (
        f"Nothing was fetched. AWS would charge about ${price:,.4f}, beyond what is free each month.\n"
        f"Ask the user, then call again with confirm_usd={max(0.0001, price * 1.01):.4f}."
    )
