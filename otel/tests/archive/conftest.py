"""Traces of three days and several routes, in files."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pytest

from lambda_latency.trace import Span, Trace, dump_line
from tests.latency.generated import load as every_kind

DAY_NS = 24 * 3600 * 1_000_000_000


def days(count: int) -> list[Trace]:
    """A day's requests, so many days in a row: the same but for their ids and times."""
    copies = []
    for day in range(count):
        for trace in every_kind():
            trace_id = f"{day:02x}{trace.trace_id[2:]}"
            copies.append(Trace([moved(span, trace_id, day * DAY_NS) for span in trace.spans]))
    return copies


def moved(span: Span, trace_id: str, by_ns: int) -> Span:
    """A span of another trace, that much later."""
    end = span.end_ns + by_ns if span.end_ns is not None else None
    events = tuple(dataclasses.replace(event, time_ns=event.time_ns + by_ns) for event in span.events)
    return dataclasses.replace(span, trace_id=trace_id, start_ns=span.start_ns + by_ns, end_ns=end, events=events)


def write(path: Path, traces: Sequence[Trace]) -> str:
    """A trace a line; returns the path."""
    path.write_text("".join(dump_line(trace.spans) for trace in traces))
    return str(path)


@pytest.fixture
def traces() -> list[Trace]:
    """Of three days."""
    return days(3)
