"""The account of one request: its wall clock, divided among parts to the nanosecond."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from lambda_latency.latency.calls import Calls
from lambda_latency.latency.charge import charges
from lambda_latency.latency.part import COLD_START, UNKNOWN, Part
from lambda_latency.latency.retries import retrying
from lambda_latency.trace import Section, Span, Trace, Waiting, critical_path
from lambda_latency.trace.platform import SERVICE, is_init
from lambda_latency.trace.request import is_error, route_of, status_code_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lambda_latency.latency.charge import Charge
    from lambda_latency.trace import CriticalPath

__all__ = ["Account", "account", "charged_sections", "largest_part"]


class Account(NamedTuple):
    """One request: `parts`, the largest first, add up to `wall_ns` exactly; `calls` counts those off the path too.

    `took` has the length of each call in nanoseconds, waited for or not, in the order of length.
    """

    trace_id: str
    route: str
    function: str
    status_code: int | None
    start_ns: int
    wall_ns: int
    parts: tuple[tuple[Part, int], ...]
    calls: tuple[tuple[Part, Calls], ...]
    took: tuple[tuple[Part, tuple[int, ...]], ...]
    cold_start: bool
    error: bool
    timed_out: bool


def account(trace: Trace) -> Account:
    """The account of a trace; it depends on that trace alone, so accounts can be made in any process and added up."""
    path = critical_path(trace)
    charged = charges(trace, path.waiting)
    parts: dict[Part, int] = {}
    for section, part in charged_sections(trace, path, charged):
        parts[part] = parts.get(part, 0) + section.ns
    told = retrying(trace, path.waiting, charged)
    calls: dict[Part, Calls] = {}
    took: dict[Part, list[int]] = {}
    for span_id, charge in charged.items():
        if charge.call is None:
            continue
        call = charge.call
        if span_id in told:  # a call of one part, that was tried again in another
            again = told[span_id].part
            calls[again] = calls.get(again, Calls()) + Calls(retries=call.retries)
            took.setdefault(again, [])
            call = replace(call, retries=0)
        calls[charge.part] = calls.get(charge.part, Calls()) + call
        took.setdefault(charge.part, []).append(_length(trace.get(span_id), path.waiting.end_ns))
    outermost, handler = path.waiting.outermost, trace.handler
    function = trace.function
    return Account(
        trace_id=trace.trace_id,
        route=route_of(outermost, handler, function),
        function=function,
        status_code=status_code_of(outermost, handler),
        start_ns=path.waiting.start_ns,
        wall_ns=path.wall_ns,
        parts=tuple(sorted(parts.items(), key=lambda one: (-one[1], one[0]))),
        calls=tuple(sorted(calls.items())),
        took=tuple((part, tuple(sorted(lengths))) for part, lengths in sorted(took.items())),
        cold_start=trace.cold_start,
        error=is_error(outermost, handler),
        timed_out=trace.timed_out,
    )


def charged_sections(trace: Trace, path: CriticalPath, charged: Mapping[str, Charge]) -> Iterator[tuple[Section, Part]]:
    """Each section of a critical path with the part that it is charged to; one with retries in it is divided."""
    starting = _starting(trace, path.waiting)
    told = retrying(trace, path.waiting, charged)
    for section in path.sections:
        span = section.span
        part = charged[span.span_id].part
        if section.end_ns <= starting.get(span.span_id, 0):
            yield section, COLD_START
        elif span.span_id in told:
            for start_ns, end_ns, one in told[span.span_id].divide(section.start_ns, section.end_ns, part):
                yield Section(span, start_ns, end_ns), one
        else:
            yield section, part


def _starting(trace: Trace, tree: Waiting) -> dict[str, int]:
    """For Lambda's service the instant until which it was making an environment: when that one's init began."""
    found: dict[str, int] = {}
    for span in trace.spans:
        above = tree.parent(span)
        if above is not None and above.origin == SERVICE and is_init(span, trace.parent(span)):
            found.setdefault(above.span_id, span.start_ns)
    return found


def _length(span: Span | None, end_ns: int) -> int:
    if span is None:
        return 0
    return max(0, (end_ns if span.end_ns is None else span.end_ns) - span.start_ns)


def largest_part(trace: Trace) -> tuple[str, int]:
    """The part that a request waited for longest, as people call it, and for how many nanoseconds."""
    parts = account(trace).parts
    part, ns = parts[0] if parts else (UNKNOWN, 0)
    return part.label, ns
