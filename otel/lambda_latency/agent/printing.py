"""What the command line prints for assistants: the text of the tools.

Their modules are imported when they are used, because the server starts without them.
"""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing is slow
if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_latency.agent.brief import Find
    from lambda_latency.latency import Owners, ReadSpans, Report
    from lambda_latency.trace import Trace


def brief_of(report: Report, find: Find, command: Sequence[str], spans: ReadSpans | None = None) -> str:
    """Return the text of `why_slow`, with a baseline that of `compare`; `command` has the words that print the report.

    Its names become quoted names, so that it is judged again.
    """
    from lambda_latency.agent.brief import brief, names_in, quoted_report, shell
    from lambda_latency.agent.quoting import QuotedNames
    from lambda_latency.latency import Traffic

    accounts, baseline, traffic = report.breakdowns, report.baseline, report.traffic
    names = QuotedNames(names_in(accounts) if baseline is None else names_in(accounts, baseline))
    if isinstance(traffic, Traffic):
        by_route = {names(route): count for route, count in traffic.by_route.items()}
        traffic = Traffic(traffic.total, by_route, traffic.by_hour, traffic.without_stage)
    quoted = quoted_report(
        names,
        accounts,
        find,
        baseline=baseline,
        baseline_names=report.against.sources if report.against is not None else (),
        slow_ns=report.groups.slowness.limit_ns,
        problems=report.problems,
        sources=report.sources,
        traffic=traffic,
        owners=report.owners,
        spans=spans,
    )
    return brief(quoted, shell(*command)) + "\n"


def trace_brief(trace: Trace, owners: Owners, command: Sequence[str]) -> str:
    """Return the text of `show_request`."""
    from lambda_latency.agent.answers.requests import request_text
    from lambda_latency.agent.brief import shell
    from lambda_latency.latency import waterfall_of

    return request_text(trace, waterfall_of(trace, owners), shell(*command)) + "\n"
