"""The answers of `why_slow` and `compare`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lambda_latency.agent.brief import brief, names_in, quoted_report
from lambda_latency.agent.commands import report_command
from lambda_latency.agent.errors import RefusedError
from lambda_latency.agent.quoting import Names, quoted
from lambda_latency.latency import instant

if TYPE_CHECKING:
    from lambda_latency.agent.loading import Call, Loader


def why_slow(
    loader: Loader,
    call: Call,
    source: str | None = None,
    since: str | None = None,
    until: str | None = None,
    route: str | None = None,
    slow_ms: float | None = None,
) -> str:
    """Why the slow requests of a source are slow."""
    loaded, since_ns, until_ns = loader.load(source, call), time_of(since), time_of(until)
    slow_ns = round(slow_ms * 1e6) if slow_ms is not None else loader.slow_ns
    report = quoted_report(
        loaded.names,
        loaded.chosen(route, since_ns, until_ns),
        loaded.find,
        slow_ns=slow_ns,
        problems=loaded.problems,
        sources=[loaded.name],
        owners=loaded.owners,
        spans=loaded.spans,
    )
    slow = slow_ns if slow_ms is not None else None  # a setting holds for the command, too
    command = report_command(loader.words(loaded.name), loaded.names, route, since=since_ns, until=until_ns, slow=slow)
    return brief(report, command, newest="" if source else quoted(loaded.name))


def compare(loader: Loader, call: Call, baseline: str, source: str | None = None, route: str | None = None) -> str:
    """What became slower or faster since a baseline."""
    then, now = loader.load(baseline, call), loader.load(source, call)
    if (now.name, route) == (then.name, None):
        raise RefusedError("source and baseline are the same", "name two sets of traces; why_slow is for one")
    owners = now.owners.settle(now.accounts, then.accounts)
    names = Names(names_in(now.accounts, then.accounts))
    report = quoted_report(
        names,
        now.chosen(route, None, None),
        now.find,
        baseline=then.chosen(route, None, None),
        baseline_names=[then.name],
        slow_ns=loader.slow_ns,
        problems=[*now.problems, *then.problems],
        sources=[now.name],
        owners=owners,
        spans=now.spans,
    )
    command = report_command(loader.words(now.name), names, route, against=then.name)
    return brief(report, command, newest="" if source else quoted(now.name))


def time_of(text: str | None) -> int | None:
    """A time or an age as epoch nanoseconds. Raises `ValueError`."""
    return instant(text[:60], time.time_ns()) if text is not None else None
