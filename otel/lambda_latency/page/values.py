"""The data of a page: the report's JSON, its requests as columns, its sentences in pieces."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from lambda_latency.latency import Part, Unknown, by_hour, savings
from lambda_latency.page.change import change_values
from lambda_latency.page.columns import columns
from lambda_latency.page.facts import Facts, sample
from lambda_latency.page.findings import class_members, findings, said
from lambda_latency.page.flame import Flame
from lambda_latency.page.kept import HUGE, ROOM, worth_keeping
from lambda_latency.page.spans import spans_line
from lambda_latency.text import (
    BOUND,
    PAGE_WORDS,
    Style,
    beside,
    document,
    other_cautions,
    render_markdown,
    sampling,
    saving_pieces,
    shown_and_folded,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from lambda_latency.latency import Judged, Report, Slow
    from lambda_latency.trace import Trace

STYLE = Style()
AT_ONCE = 1_000  # traces in memory


def page_values(
    report: Report,
    find: Callable[[Collection[str]], Mapping[str, Trace]],
    *,
    command: str,
    version: str,
    notes: Sequence[str] = (),
    console: str | None = None,
    judged: Sequence[Judged] = (),
) -> tuple[dict[str, object], list[str]]:
    """The values of a page, and one line of spans per kept request.

    `find` returns traces by id; `console` is the URL prefix of X-Ray's traces, if they are in X-Ray.
    """
    told = document(report, command=command, version=version, judged=judged)
    parts = {
        Part(one["bucket"], one["name"], one["owner"]).plain(): at
        for at, one in enumerate(cast("list[dict[str, Any]]", told["buckets"]))
    }

    def number_of(part: Part) -> int:
        return parts.setdefault(part, len(parts))

    # Classes hold indices of accounts as they were read; columns are in the order of start.
    ordered = replace(report, accounts=report.accounts.in_order())
    lines, kept = _lines(worth_keeping(report), report, find, number_of)
    del told["map"]  # the page draws the calls from the cells of its requests
    told["columns"] = of_requests = columns(ordered, number_of, kept)
    places = {ordered.accounts.trace_id(at): at for at in range(len(ordered.accounts))}
    told |= _walked(ordered, find, number_of, of_requests)
    told["findings"] = findings(report, number_of, places.__getitem__, judged)
    told["notes"] = [*_notes(report), *notes]
    told["members"] = [[number_of(part), at] for part, at in class_members(report, places.__getitem__)]
    told["slow"] = [[places[one.account.trace_id], number_of(one.part)] for one in _slow(report)]
    told["border_ns"] = report.cohorts.border_ns
    told["rows"], told["folded"] = (
        [number_of(one.part) for one in some if one.part in parts] for some in shown_and_folded(report)
    )
    told["saves"] = [
        {"pieces": said(saving_pieces(one, STYLE), report, number_of), "part": number_of(one.part)}
        for one in savings(report.accounts)
        if one.part in parts
    ]
    told["bound"] = BOUND
    told["words"] = PAGE_WORDS
    told["markdown"] = render_markdown(report, judged)
    told["change"] = change_values(report, number_of)
    told["seen"] = sampling(report, STYLE)
    told["by_hour"] = _hours(report)
    told["console"] = console
    told["kept"] = len(lines)
    told["parts"] = [{"bucket": part.bucket, "label": part.label, "owner": part.owner} for part in parts]
    return told, lines


def _walked(
    report: Report,
    find: Callable[[Collection[str]], Mapping[str, Trace]],
    number_of: Callable[[Part], int],
    of_requests: Mapping[str, Any],
) -> dict[str, object]:
    """The flame graph and the facts, which need the spans of many requests; these are read once."""
    drawn, facts = Flame(report, number_of), Facts()
    read = sample(report) if len(report.accounts) > 1 else []
    for first in range(0, len(read), AT_ONCE):
        wanted = [report.accounts.trace_id(at) for at in read[first : first + AT_ONCE]]
        traces = find(wanted)
        for trace_id in wanted:
            facts.add(traces.get(trace_id))
            if trace_id in traces:
                drawn.add(traces[trace_id])
    return {"flame": drawn.frames() if read else [], **facts.values(of_requests, read)}


def _lines(
    wanted: Sequence[str],
    report: Report,
    find: Callable[[Collection[str]], Mapping[str, Trace]],
    number_of: Callable[[Part], int],
) -> tuple[list[str], dict[str, int]]:
    traces = find(wanted) if wanted else {}
    lines: list[str] = []
    kept: dict[str, int] = {}
    size = 0
    huge = False
    for trace_id in wanted:
        if trace_id not in traces:
            continue
        line = spans_line(traces[trace_id], number_of, report.owners)
        if len(line) > HUGE:
            # One huge request has a budget of its own, so that it does not use that of the others.
            if huge:
                continue
            huge = True
        elif size + len(line) > ROOM:
            continue
        else:
            size += len(line)
        kept[trace_id] = len(lines)
        lines.append(line)
    return lines, kept


def _slow(report: Report) -> Sequence[Slow]:
    """The slow requests; the only one of a file is not slow, for there is none to compare it with."""
    return report.cohorts.slow if len(report.accounts) > 1 else ()


def _notes(report: Report) -> list[str]:
    """What no finding says, and facts about the input."""
    return [*beside(report, STYLE), *other_cautions(report, STYLE)]


def _hours(report: Report) -> list[dict[str, object]]:
    if isinstance(report.traffic, Unknown):
        return []
    shares = by_hour(report.traffic, report.accounts)
    return [{"start_ms": int(one.of) // 1_000_000, "seen": one.seen, "total": one.total} for one in shares]
