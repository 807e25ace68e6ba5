"""The tools that read an AWS account, only with `--account`: a first call tells the price, a second one pays it."""

from __future__ import annotations

import io
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_latency.agent.answers.verdicts import time_of
from lambda_latency.agent.brief import brief, names_in, quoted_report
from lambda_latency.agent.commands import shell
from lambda_latency.agent.errors import Cancelled, RefusedError
from lambda_latency.agent.quoting import Names, quoted
from lambda_latency.alarm import explain, fetched, last_ring
from lambda_latency.fetch import Account, Choice, Clients, Place, resolve
from lambda_latency.latency import against, load
from lambda_latency.text import instant_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_latency.agent.loading import Call, Loader
    from lambda_latency.agent.options import AccountOptions

USUAL = 1_000  # traces of a fetch
HOUR_NS = 3_600 * 10**9


def fetch_traces(
    loader: Loader,
    call: Call,
    since: str | None = None,
    until: str | None = None,
    route: str | None = None,
    slower_than_ms: float | None = None,
    errors: bool = False,
    limit: int = USUAL,
    confirm_usd: float | None = None,
) -> str:
    """The name of a source with the fetched traces; or the price, as long as it is not confirmed."""
    options, place = _place(loader)
    slower_ns = round(slower_than_ms * 1e6) if slower_than_ms is not None else None
    choice = Choice(None, slower_ns, errors=errors, route=route.strip('"') if route is not None else None)
    asked = resolve(time_of(since), time_of(until), now_ns=time.time_ns(), choice=choice, most=limit)
    account = Account(place)
    if (told := _unpaid(account.price(asked), confirm_usd, options)) is not None:
        return told
    words = ["report", "--xray", "--since", instant_of(asked.since_ns), "--until", instant_of(asked.until_ns)]
    words += ["--route", choice.route] if choice.route is not None else []
    words += ["--slower-than", f"{slower_than_ms:g}"] if slower_than_ms is not None else []
    words += ["--errors"] if errors else []
    if call.is_gone():
        raise Cancelled
    path = loader.add_fetched([*words, "--max", str(limit), *_where(options)])
    result = account.fetch(asked, path, io.StringIO())
    return f"source: {path.name}\n{quoted(result.sentence, 300)}\nwhy_slow with this source says what is slow."


def explain_alarm(
    loader: Loader, call: Call, alarm: str, at: str | None = None, confirm_usd: float | None = None
) -> str:
    """The verdict on the traces of an alarm's window, and the comparison with the hour before."""
    options, place = _place(loader)
    account = Account(place)
    rang = last_ring(Clients(place).make("cloudwatch"), alarm, account.region, time_of(at))
    asked = resolve(rang.begin_ns - HOUR_NS, rang.at_ns, now_ns=time.time_ns())
    if (told := _unpaid(2 * account.price(asked), confirm_usd, options)) is not None:  # slow ones and a sample
        return told
    if call.is_gone():
        raise Cancelled
    with tempfile.TemporaryDirectory(prefix="alarm-") as folder:
        found = fetched(account, rang, Path(folder), lambda: 0.0 if call.is_gone() else 1.0)
        if not (found.chosen or found.sample):
            raise RefusedError("there is no trace in the alarm's window", "check the time and the sampling")
        explained = explain(rang, found, loader.terms)
        sample, before = (load(some, [], processes=1, terms=loader.terms) for some in (found.sample, found.before))
        owners = loader.terms.owners.settle(explained.report.accounts, sample, before)
        names = Names(names_in(explained.report.accounts, sample, before))
        now, then = (one.named(names, names.part) for one in (sample, before))
        report = quoted_report(
            names, explained.report.accounts, explained.find, slow_ns=rang.threshold_ns, owners=owners
        )
        if now and then:
            report = replace(report, against=against(now, then, ["the hour before"]))
        command = shell("explain", alarm, "--at", instant_of(rang.at_ns), *_where(options))
        window = f"{instant_of(rang.begin_ns)} to {instant_of(rang.at_ns)}"
        return f"alarm {quoted(alarm)}, {window}, with the hour before as baseline\n{brief(report, command)}"


def _place(loader: Loader) -> tuple[AccountOptions, Place]:
    options = loader.account
    assert options is not None
    return options, Place(options.profile, options.region, options.endpoint_url)


def _where(options: AccountOptions) -> Sequence[str]:
    given = (("--profile", options.profile), ("--region", options.region))
    return [word for name, value in given if value is not None for word in (name, value)]


def _unpaid(price: float, confirmed: float | None, options: AccountOptions) -> str | None:
    """What to ask of the user; None if the price is confirmed. Raises `RefusedError` above the user's limit."""
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
