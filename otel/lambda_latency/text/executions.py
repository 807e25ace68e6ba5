"""What a report says about durable executions besides what it says about requests: attempts, waits, running ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from statistics import median_low
from typing import NamedTuple

from lambda_latency.latency import Breakdown, Breakdowns, Component, Report, names_of
from lambda_latency.text.style import Style
from lambda_latency.text.words import clean, ms, number, plural
from lambda_latency.trace import EXECUTION_ROUTE, RUNNING

LONGER_TIMES = 2  # as long as a typical wait of the same name: the longer ones are counted
MOST_WAITS = 3
# Units of long times, in seconds
UNITS = ((86_400, "days"), (3_600, "h"), (60, "min"), (1, "s"))


class DesignedWait(NamedTuple):
    """A wait by design of the executions of a route: the times of all, in nanoseconds, ascending."""

    route: str
    component: Component
    waited_ns: Sequence[int]

    @property
    def typical_ns(self) -> int:
        return median_low(self.waited_ns)

    @property
    def longer(self) -> int:
        """The number of executions that wait more than `LONGER_TIMES` as long as a typical one."""
        return sum(ns > LONGER_TIMES * self.typical_ns for ns in self.waited_ns)


def routes_of(breakdowns: Breakdowns) -> list[str]:
    """Return the routes of requests, each once."""
    kinds = list(breakdowns.kinds)
    return sorted({kinds[kind].route for kind in {*breakdowns.kind_of}})


def attempts_text(component: Component, executions: Iterable[Breakdown]) -> str:
    """`3 attempts`: the median of a step in these executions; nothing if that is one attempt."""
    if component.category != "step":
        return ""
    made = [calls for execution in executions for called, calls in execution.calls if called == component]
    count = median_low([calls.calls + calls.retries for calls in made] or [1])
    return f"{count} attempts" if count > 1 else ""


def waits(breakdowns: Breakdowns) -> list[DesignedWait]:
    """Return the waits by design, those of most executions first."""
    components = {
        number: edge.component for (edge, _), number in breakdowns.calls.items() if edge.component.category == "wait"
    }
    kinds = list(breakdowns.kinds)
    waited: dict[tuple[str, Component], list[int]] = {}
    for index in range(len(breakdowns)) if components else ():
        route = kinds[breakdowns.kind_of[index]].route
        for place in range(breakdowns.calls_end[index], breakdowns.calls_end[index + 1]):
            component = components.get(breakdowns.call_of[place])
            if component is not None:
                waited.setdefault((route, component), []).append(breakdowns.call_ns[place])
    listed = [DesignedWait(route, component, sorted(times)) for (route, component), times in waited.items()]
    return sorted(listed, key=lambda wait: (-len(wait.waited_ns), wait.route, wait.component))


def execution_sentences(report: Report, style: Style) -> Iterator[str]:
    """Name the waits that take longer than a typical one, and count the executions that have not ended."""
    longer = [wait for wait in waits(report.breakdowns) if wait.longer]
    for wait in sorted(longer, key=lambda wait: -wait.waited_ns[-1])[:MOST_WAITS]:
        count, all_ = number(wait.longer), number(len(wait.waited_ns))
        (function,) = names_of([wait.route])
        name, typical = clean(wait.component.name, style), duration(wait.typical_ns, style)
        yield (
            f"Waiting by design, and no cause: {count} of {all_} executions of {function} wait for the "
            f"{name} more than {LONGER_TIMES} times as long as a typical one ({typical}), "
            f"at most {duration(wait.waited_ns[-1], style)}."
        )
    running = Counter(problem.reason for problem in report.problems if problem.reason.endswith(RUNNING))
    for reason, executions in sorted(running.items()):
        name = clean(reason.removesuffix(RUNNING).removeprefix(EXECUTION_ROUTE), style)
        are = "is" if executions == 1 else "are"
        yield f"{plural(executions, 'execution')} of {name} {are} still running, and not judged."


def wait_values(report: Report) -> dict[str, object]:
    """Return the waits by design for JSON; nothing if there are none."""
    listed = [
        {
            "route": wait.route,
            "name": wait.component.name,
            "executions": len(wait.waited_ns),
            "typical_ns": wait.typical_ns,
            "max_ns": wait.waited_ns[-1],
            "longer": wait.longer,
        }
        for wait in waits(report.breakdowns)
    ]
    return {"waits": listed} if listed else {}


def duration(ns: int, style: Style) -> str:
    """`850 ms`, `12 s`, `3 h`: a time of one unit, of which there are two at least."""
    seconds = ns / 10**9
    for length, unit in UNITS:
        if seconds >= 2 * length:
            return f"{number(round(seconds / length))}{style.space}{unit}"
    return ms(ns, style)
