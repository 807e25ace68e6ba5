"""The options of a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_latency.latency import DEFAULT_OPTIONS, UNKNOWN, AnalysisOptions, Traffic, Unknown
from lambda_latency.trace import Problem, Source

if TYPE_CHECKING:
    from lambda_latency.latency import Gate  # loaded with a condition alone


@dataclass(frozen=True, slots=True)
class Request:
    """The options of a report.

    `slow_ns` is a duration in nanoseconds; `since_ns` and `until_ns` are epoch nanoseconds. `earlier_problems` occurred
    before the sources are read. `console` is the address of the X-Ray console, to which a trace id is appended; None if
    the traces are not in X-Ray. `ignored` are rules of the doctor that `problems` leaves out. `proof` has the words of
    the command that prints all numbers of a brief.
    """

    sources: Sequence[str | Path | Source]
    slow_ns: int | None = None
    since_ns: int | None = None
    until_ns: int | None = None
    route: str | None = None
    trace_id: str | None = None
    json: str | None = None
    html: str | None = None
    markdown: str | None = None
    flame: str | None = None
    against: str | None = None
    fail_if: Sequence[Gate] = ()
    brief: bool = False
    problems: bool = False
    ignored: Sequence[str] = ()
    everything: bool = False
    by: str | None = None
    traffic: Traffic | Unknown = UNKNOWN
    notes: Sequence[str] = field(default=())
    earlier_problems: Sequence[Problem] = field(default=())
    command: str = "lambda-latency report"
    proof: Sequence[str] = ("report",)
    console: str | None = None
    processes: int | None = None
    analysis_options: AnalysisOptions = DEFAULT_OPTIONS
    follow_links: bool = False
    redact: bool = False
    redaction: bool = True
