"""The answers of `why_slow` and `compare`."""

from __future__ import annotations

from lambda_latency.agent.brief import brief, names_in, quoted_report, report_command
from lambda_latency.agent.loading import Loader, ToolCall, time_of
from lambda_latency.agent.quoting import QuotedNames, quoted
from lambda_latency.agent.tools import RefusedError


def why_slow(
    loader: Loader,
    call: ToolCall,
    source: str | None = None,
    since: str | None = None,
    until: str | None = None,
    route: str | None = None,
    slow_ms: float | None = None,
) -> str:
    """Print why the slow requests of a source are slow."""
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
    slow = slow_ns if slow_ms is not None else None  # the command has the settings
    command = report_command(loader.words(loaded.name), loaded.names, route, since=since_ns, until=until_ns, slow=slow)
    return brief(report, command, newest="" if source else quoted(loaded.name))


def compare(loader: Loader, call: ToolCall, baseline: str, source: str | None = None, route: str | None = None) -> str:
    """Print what became slower or faster since a baseline."""
    earlier, current = loader.load(baseline, call), loader.load(source, call)
    if (current.name, route) == (earlier.name, None):
        raise RefusedError("source and baseline are the same", "name two sets of traces; why_slow is for one")
    owners = current.owners.settle(current.breakdowns, earlier.breakdowns)
    names = QuotedNames(names_in(current.breakdowns, earlier.breakdowns))
    report = quoted_report(
        names,
        current.chosen(route, None, None),
        current.find,
        baseline=earlier.chosen(route, None, None),
        baseline_names=[earlier.name],
        slow_ns=loader.slow_ns,
        problems=[*current.problems, *earlier.problems],
        sources=[current.name],
        owners=owners,
        spans=current.spans,
    )
    command = report_command(loader.words(current.name), names, route, against=earlier.name)
    return brief(report, command, newest="" if source else quoted(current.name))
