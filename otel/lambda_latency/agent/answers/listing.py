"""The answer of `list_requests`: single requests, the slowest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.agent.answers.verdicts import time_of
from lambda_latency.agent.brief import DATA, STYLE
from lambda_latency.agent.budget import Answer
from lambda_latency.agent.commands import report_command
from lambda_latency.agent.quoting import quoted
from lambda_latency.latency import trace_name
from lambda_latency.text import instant_of, ms

if TYPE_CHECKING:
    from lambda_latency.agent.loading import Call, Loader
    from lambda_latency.latency import Account


def list_requests(
    loader: Loader,
    call: Call,
    source: str | None = None,
    since: str | None = None,
    until: str | None = None,
    route: str | None = None,
    slower_than_ms: float = 0,
    errors: bool = False,
    timeouts: bool = False,
    newest: bool = False,
    limit: int = 10,
) -> str:
    """The requests that match, the slowest or the newest first."""
    loaded, since_ns, until_ns = loader.load(source, call), time_of(since), time_of(until)
    every = loaded.chosen(route, since_ns, until_ns).named(loaded.names, loaded.names.part)
    order = reversed(every.order()) if newest else every.slowest(len(every))
    kinds = list(every.kinds)
    found = [
        at
        for at in order
        if every.walls_ns[at] > slower_than_ms * 1e6
        and (kinds[every.kind_of[at]].error or not errors)
        and (kinds[every.kind_of[at]].timed_out or not timeouts)
    ]
    answer = Answer()
    if source is None:
        answer.add(f"source: {quoted(loaded.name)} (the newest trace file)")
    first = "newest" if newest else "slowest"
    answer.add(f"{len(found):,} of {len(every):,} requests match; the {first} first")
    command = report_command(loader.words(loaded.name), loaded.names, route, since=since_ns, until=until_ns)
    answer.add(f"All of them: {command} --per-request --json -")
    if found:
        answer.add("trace id | started | took | route | status | marks | longest part")
        for one in every.made(found[:limit], with_calls=False):
            if not answer.add(_row(one)):
                break
    if len(found) > limit:
        answer.add(f"{len(found) - limit:,} more match; limit shows up to 50, and route, since or slower_than_ms fewer")
    return answer.text(DATA, more="narrow it by route, since, slower_than_ms, or a smaller limit")


def _row(one: Account) -> str:
    marks = [word for word, on in (("cold", one.cold_start), ("error", one.error), ("timeout", one.timed_out)) if on]
    longest = f"{one.parts[0][0].label} {ms(one.parts[0][1], STYLE)}" if one.parts else "-"
    cells = (
        trace_name(one.trace_id, one.start_ns),
        instant_of(one.start_ns),
        ms(one.wall_ns, STYLE),
        one.route,
        str(one.status_code or "-"),
        " ".join(marks) or "-",
        longest,
    )
    return " | ".join(cells)
