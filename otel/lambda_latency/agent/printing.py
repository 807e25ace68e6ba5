"""What the command line prints or writes for assistants: the text of the tools, and entries of their settings.

Their modules are imported when they are used, because the server starts without them.
"""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing would take a third of the time of the start
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from lambda_latency.agent.clients import Change
    from lambda_latency.latency import Owners, Report
    from lambda_latency.trace import Span, Trace


def brief_of(
    report: Report,
    find: Callable[[Collection[str]], Mapping[str, Trace]],
    command: Sequence[str],
    spans: Callable[[Collection[str]], Iterable[Span]] | None = None,
) -> str:
    """The text of `why_slow`, with a baseline that of `compare`. The report is judged again, with quoted names.

    `command` has the words that print the report.
    """
    from lambda_latency.agent.brief import brief, names_in, quoted_report
    from lambda_latency.agent.commands import shell
    from lambda_latency.agent.quoting import Names
    from lambda_latency.latency import Traffic

    accounts, baseline, traffic = report.accounts, report.baseline, report.traffic
    names = Names(names_in(accounts, *([baseline] if baseline is not None else [])))
    if isinstance(traffic, Traffic):
        by_route = {names(route): count for route, count in traffic.by_route.items()}
        traffic = Traffic(traffic.total, by_route, traffic.by_hour, traffic.beside)
    again = quoted_report(
        names,
        accounts,
        find,
        baseline=baseline,
        baseline_names=report.against.sources if report.against is not None else (),
        slow_ns=report.classes.slowness.limit_ns,
        problems=report.problems,
        sources=report.sources,
        traffic=traffic,
        owners=report.owners,
        spans=spans,
    )
    return brief(again, shell(*command)) + "\n"


def trace_brief(trace: Trace, owners: Owners, command: Sequence[str]) -> str:
    """The text of `show_request`."""
    from lambda_latency.agent.answers.requests import request_text
    from lambda_latency.agent.commands import shell
    from lambda_latency.latency import waterfall_of

    return request_text(trace, waterfall_of(trace, owners), shell(*command)) + "\n"


def changes_for(
    folder: Path, client: str | None, arguments: Sequence[str] = (), *, agents: bool = False
) -> list[Change]:
    """The changes of a project's files for a client, and of its AGENTS.md if asked. Raises `InstallError`."""
    from lambda_latency.agent.clients import agents_change, client_change

    changes = [client_change(client, folder, list(arguments))] if client is not None else []
    return [*changes, *([agents_change(folder)] if agents else [])]
