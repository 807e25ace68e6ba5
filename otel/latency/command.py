"""The command `report`: sources in, a report out as text and JSON, and an exit status that says how it went."""

from __future__ import annotations

import gc
import json
import re
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from otel.latency.account import account
from otel.latency.document import document
from otel.latency.errors import ReportError
from otel.latency.loading import load
from otel.latency.report import Report, report_of
from otel.latency.text import Style, render_report, render_waterfall
from otel.latency.text.problems import render_problems
from otel.latency.text.prose import flat, sentence
from otel.latency.traffic import UNKNOWN
from otel.trace import Problem, find_sources, find_traces, trace_id_of
from otel.trace.index import LineIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from otel.latency.account import Account
    from otel.latency.traffic import Traffic, Unknown
    from otel.trace import Source, Trace

__all__ = ["Request", "instant", "run_report"]

FINE, NOTHING_READABLE, SOMETHING_SKIPPED = 0, 1, 4
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for. Times are in nanoseconds; `known` are problems that came up before anything was read.

    `console` is the address of these traces in X-Ray, where they are in X-Ray: a trace id completes it.
    """

    sources: Sequence[str | Path | Source]
    slow_ns: int | None = None
    since_ns: int | None = None
    until_ns: int | None = None
    route: str | None = None
    trace_id: str | None = None
    json: str | None = None
    html: str | None = None
    per_request: bool = False
    problems: bool = False
    everything: bool = False
    traffic: Traffic | Unknown = UNKNOWN
    notes: Sequence[str] = field(default=())
    known: Sequence[Problem] = field(default=())
    command: str = "lambda-latency report"
    console: str | None = None


def run_report(
    request: Request,
    style: Style,
    out: TextIO,
    *,
    spool: Callable[[], Path] | None = None,
    step: Callable[[int], None] = lambda _: None,
    ready: Callable[[], None] = lambda: None,
) -> int:
    """Read, judge, write; returns the exit status. `ready` is called between reading and the first line of output.

    Raises `ReportError` where what was asked for is not there.
    """
    collecting = gc.isenabled()
    gc.disable()  # nothing that a report is made of hangs on itself, and there is much of it
    try:
        return _run(request, style, out, spool, step, ready)
    finally:
        if collecting:
            gc.enable()


def _run(
    request: Request,
    style: Style,
    out: TextIO,
    spool: Callable[[], Path] | None,
    step: Callable[[int], None],
    ready: Callable[[], None],
) -> int:
    problems: list[Problem] = list(request.known)
    sources = find_sources(request.sources, problems, spool)
    if request.trace_id is not None:
        return _one_trace(request, sources, style, out, ready)
    index = LineIndex()
    accounts = _wanted(load(sources, problems, step, index), request)
    ready()

    def find(trace_ids: Collection[str]) -> dict[str, Trace]:
        return find_traces(sources, trace_ids, index)

    report = report_of(
        accounts,
        find,
        slow_ns=request.slow_ns,
        problems=problems,
        sources=[source.name for source in sources],
        traffic=request.traffic,
        notes=[*request.notes, *([f"Page: {request.html}."] if request.html else [])],
    )
    if request.json != "-":
        out.write(render_report(report, style, everything=request.everything))
        if request.problems:
            out.write(render_problems(report.problems, style))
    if request.json is not None:
        _write_json(report, request, find, out)
    if request.html is not None:
        _write_page(report, request, request.html, find)
    return status_of(report)


def status_of(report: Report) -> int:
    """0 fine; 1 nothing readable; 4 reported, but something was skipped."""
    if not report.accounts and not report.totals.requests:
        return NOTHING_READABLE
    return SOMETHING_SKIPPED if any(one.effect == "skipped" for one in report.problems) else FINE


def instant(text: str, now_ns: int) -> int:
    """A point in time: ISO 8601 (UTC where it says nothing else), or how long ago, such as `24h`."""
    ago = re.fullmatch(r"(\d+)([smhd])", text.strip())
    if ago is not None:
        return now_ns - int(ago[1]) * UNITS[ago[2]] * 1_000_000_000
    try:
        at = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        raise ValueError(f"must be a time like 2026-11-25T08:00:00Z or how long ago, like 24h, got {text!r}") from None
    at = at if at.tzinfo is not None else at.replace(tzinfo=timezone.utc)
    since = at - datetime(1970, 1, 1, tzinfo=timezone.utc)
    return ((since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds) * 1000


def _wanted(accounts: list[Account], request: Request) -> list[Account]:
    found = accounts
    if request.route is not None:
        found = [one for one in found if one.route == request.route]
        if accounts and not found:
            routes = sorted({one.route for one in accounts})
            more = f", and {len(routes) - 8} more" if len(routes) > 8 else ""
            raise ReportError(
                f"no request of the route {request.route!r}", f"routes seen: {', '.join(routes[:8])}{more}"
            )
    before = found
    if request.since_ns is not None:
        found = [one for one in found if one.start_ns >= request.since_ns]
    if request.until_ns is not None:
        found = [one for one in found if one.start_ns < request.until_ns]
    if before and not found:
        seen = [_iso(min(one.start_ns for one in before)), _iso(max(one.start_ns for one in before))]
        raise ReportError("no request in this time", f"requests seen: from {seen[0]} to {seen[1]}")
    return found


def _one_trace(
    request: Request, sources: Sequence[Source], style: Style, out: TextIO, ready: Callable[[], None]
) -> int:
    assert request.trace_id is not None
    wanted = trace_id_of(request.trace_id)
    trace = find_traces(sources, [wanted]).get(wanted)
    ready()
    if trace is None:
        raise ReportError(f"no trace {request.trace_id} in what was read", "ids are in the report's JSON (--json -)")
    out.write(render_waterfall(trace, style))
    if request.html is not None:
        names = [source.name for source in sources]
        report = report_of([account(trace)], lambda _: {wanted: trace}, problems=trace.problems, sources=names)
        _write_page(report, request, request.html, lambda _: {wanted: trace})
    return FINE


def _write_json(
    report: Report, request: Request, find: Callable[[Collection[str]], dict[str, Trace]], out: TextIO
) -> None:
    assert request.json is not None
    traces = find({one.trace_id for one in report.accounts}) if request.per_request else None
    values = document(report, command=request.command, version=version("lambda-latency"), per_request=traces)
    text = json.dumps(values, indent=1, ensure_ascii=True) + "\n"
    if request.json == "-":
        out.write(text)
        return
    _write(request.json, text)


def _write_page(
    report: Report, request: Request, path: str, find: Callable[[Collection[str]], Mapping[str, Trace]]
) -> None:
    from otel.latency.page import build_page, page_values  # who wants no page does not wait for it

    values, spans = page_values(
        report,
        find,
        command=request.command,
        version=version("lambda-latency"),
        notes=request.notes,
        console=request.console,
    )
    _write(path, build_page(values, spans, flat(sentence(report, Style()))))


def _write(path: str, text: str) -> None:
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ReportError(f"{path} cannot be written: {error.strerror}", "name another file") from error


def _iso(ns: int) -> str:
    return datetime.fromtimestamp(ns // 1_000_000_000, timezone.utc).isoformat().replace("+00:00", "Z")
