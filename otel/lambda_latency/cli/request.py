"""The options of a report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lambda_latency.latency import UNKNOWN, USUAL, Terms

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lambda_latency.latency import Gate, Traffic, Unknown
    from lambda_latency.trace import Problem, Source


@dataclass(frozen=True, slots=True)
class Request:
    """The options of a report.

    `slow_ns` is a duration in nanoseconds; `since_ns` and `until_ns` are epoch nanoseconds. `known` are problems found
    before the sources are read. `console` is the address of the X-Ray console, to which a trace id is appended; None if
    the traces are not in X-Ray. `proof` has the words of the command that prints all that a brief is taken from.
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
    per_request: bool = False
    brief: bool = False
    problems: bool = False
    everything: bool = False
    what_if: bool = False
    by: str | None = None
    traffic: Traffic | Unknown = UNKNOWN
    notes: Sequence[str] = field(default=())
    known: Sequence[Problem] = field(default=())
    command: str = "lambda-latency report"
    proof: Sequence[str] = ("report",)
    console: str | None = None
    processes: int | None = None
    terms: Terms = USUAL
    follow_links: bool = False
    redact: bool = False
