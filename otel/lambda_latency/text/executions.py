"""What a report says about durable executions besides what it says about requests: attempts, waits, running ones."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from statistics import median_low
from typing import NamedTuple

from lambda_latency.latency import Breakdown, Breakdowns, CauseGroup, Component, Report, names_of
from lambda_latency.text.style import Style
from lambda_latency.text.words import clean, ms, number, plural
from lambda_latency.trace import EXECUTION_ROUTE, RUNNING

LONGER_TIMES = 2  # as long as a typical wait of the same name: the longer ones are counted
MOST_WAITS = 3
# Units of long times, in seconds
UNITS = ((86_400, "days"), (3_600, "h"), (60, "min"), (1, "s"))


class DesignedWait(NamedTuple):
    """A wait by design of the executions of a route; `longer` wait over `LONGER_TIMES` as long as a typical one."""

    route: str
    name: str
    executions: int
    typical_ns: int
    max_ns: int
    longer: int


def routes_of(breakdowns: Breakdowns) -> list[str]:
    """Return the routes of requests, each once."""
    kinds = list(breakdowns.kinds)
    return sorted({kinds[kind].route for kind in {*breakdowns.kind_of}})


def attempts_of_group(group: CauseGroup, report: Report) -> str:
    """Return ` (3 attempts)`, as `attempts_text`, for the executions of a cause group."""
    attempts = attempts_text(group.edge.component, report.breakdowns.made(group.members))
    return f" ({attempts})" if attempts else ""


def attempts_text(component: Component, executions: Iterable[Breakdown]) -> str:
    """`3 attempts`: the median of a step in these executions; nothing if that is one attempt."""
    if component.category != "step":
        return ""
    made = [calls for execution in executions for called, calls in execution.calls if called == component]
    count = median_low([calls.calls + calls.retries for calls in made] or [1])
    return f"{count} attempts" if count > 1 else ""


def waits(breakdowns: Breakdowns) -> list[DesignedWait]:
    """Return the waits by design, those of most executions first."""
    names = {
        call: edge.component.name for (edge, _), call in breakdowns.calls.items() if edge.component.category == "wait"
    }
    kinds = list(breakdowns.kinds)
    waited: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for place, call in enumerate(breakdowns.call_of if names else ()):
        if call in names:
            kind = kinds[breakdowns.kind_of[bisect_right(breakdowns.calls_end, place) - 1]]
            waited[kind.route, names[call]].append(breakdowns.call_ns[place])
    listed: list[DesignedWait] = []
    for (route, name), times_ns in waited.items():
        typical_ns = median_low(times_ns)
        longer = sum(ns > LONGER_TIMES * typical_ns for ns in times_ns)
        listed.append(DesignedWait(route, name, len(times_ns), typical_ns, max(times_ns), longer))
    return sorted(listed, key=lambda wait: (-wait.executions, wait.route, wait.name))


def execution_sentences(report: Report, style: Style) -> Iterator[str]:
    """Name the waits that take longer than a typical one, and count the executions that have not ended."""
    longer = [wait for wait in waits(report.breakdowns) if wait.longer]
    for wait in sorted(longer, key=lambda wait: -wait.max_ns)[:MOST_WAITS]:
        count, all_ = number(wait.longer), number(wait.executions)
        (function,) = names_of([wait.route])
        name, typical = clean(wait.name, style), duration(wait.typical_ns, style)
        yield (
            f"Waiting by design, and no cause: {count} of {all_} executions of {function} wait for the "
            f"{name} more than {LONGER_TIMES} times as long as a typical one ({typical}), "
            f"at most {duration(wait.max_ns, style)}."
        )
    running = Counter(problem.reason for problem in report.problems if problem.reason.endswith(RUNNING))
    for reason, executions in sorted(running.items()):
        name = clean(reason.removesuffix(RUNNING).removeprefix(EXECUTION_ROUTE), style)
        are = "is" if executions == 1 else "are"
        yield f"{plural(executions, 'execution')} of {name} {are} still running, and not judged."


def wait_values(report: Report) -> dict[str, object]:
    """Return the waits by design for JSON; nothing if there are none."""
    listed = [wait._asdict() for wait in waits(report.breakdowns)]
    return {"waits": listed} if listed else {}


def duration(ns: int, style: Style) -> str:
    """`850 ms`, `12 s`, `3 h`: a time of one unit, of which there are two at least."""
    seconds = ns / 10**9
    for length, unit in UNITS:
        if seconds >= 2 * length:
            return f"{number(round(seconds / length))}{style.space}{unit}"
    return ms(ns, style)
