"""The data of a page: the report's JSON, its requests as columns, its sentences in pieces."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from lambda_latency.latency import Part, Unknown, by_hour, savings
from lambda_latency.page.change import change_values
from lambda_latency.page.columns import columns
from lambda_latency.page.facts import Facts, fact_text, sample
from lambda_latency.page.flame import Flame
from lambda_latency.page.kept import HUGE, ROOM, worth_keeping
from lambda_latency.page.spans import spans_line
from lambda_latency.text import (
    BOUND,
    OWNED,
    PAGE_WORDS,
    Piece,
    Style,
    against_sentence,
    beside,
    class_sentence,
    clean,
    depending,
    depending_routes,
    document,
    evidence,
    next_steps,
    render_markdown,
    sampling,
    saving_pieces,
    sentence,
    shown_and_folded,
    timeout_groups,
    timeout_sentence,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from lambda_latency.latency import Judged, Report
    from lambda_latency.trace import Trace

__all__ = ["page_values"]

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
    examples = [report.accounts.trace_id(one.example) for one in report.classes.found]
    ordered = replace(report, accounts=report.accounts.in_order())
    lines, kept = _lines([*examples, *worth_keeping(ordered)], report, find, number_of)
    del told["map"]  # the page draws waits from the flame graph instead
    told["columns"] = of_requests = columns(ordered, parts, kept)
    told |= _walked(ordered, find, number_of, of_requests)
    told["slow"] = _slow(ordered, parts)
    told["border_ns"] = report.cohorts.border_ns
    told["sentence"] = _pieces(sentence(report, STYLE), report, parts)
    told["evidence"] = _pieces(evidence(report, STYLE), report, parts)
    told["also"] = [
        {"pieces": _pieces([Piece("Also: "), *class_sentence(one, report, STYLE)], report, parts), "trace_id": example}
        for one, example in zip(report.classes.found[1:], examples[1:], strict=True)
    ]
    told["depending"] = _depending(report)
    told["unexplained"] = beside(report, STYLE)
    told["rows"], told["folded"] = (
        [parts[one.part] for one in some if one.part in parts] for some in shown_and_folded(report)
    )
    told["saves"] = [
        {"pieces": _pieces(saving_pieces(one, STYLE), report, parts), "part": parts[one.part]}
        for one in savings(report.accounts)
        if one.part in parts
    ]
    told["bound"] = BOUND
    told["words"] = PAGE_WORDS
    told["markdown"] = render_markdown(report, judged)
    told["timed_out"] = [
        {"pieces": _pieces(timeout_sentence(group, report, STYLE), report, parts), "trace_id": group[0].trace_id}
        for group in timeout_groups(report)
    ]
    told["changed"] = (
        _pieces(against_sentence(report.against, STYLE), report, parts) if report.against is not None else None
    )
    told["change"] = change_values(report, number_of)
    told["next"] = next_steps(report)
    told["seen"] = sampling(report, STYLE)
    told["by_hour"] = _hours(report)
    told["notes"] = list(notes)
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
    ranked: Sequence[str],
    report: Report,
    find: Callable[[Collection[str]], Mapping[str, Trace]],
    number_of: Callable[[Part], int],
) -> tuple[list[str], dict[str, int]]:
    wanted = list(dict.fromkeys(ranked))
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


def _slow(report: Report, parts: Mapping[Part, int]) -> list[list[int]]:
    """The index of each slow request, and the part that it waited for beyond a typical one."""
    every = report.accounts
    if len(every) < 2:
        return []
    at = {every.trace_id(place): place for place in range(len(every))}
    return [[at[one.account.trace_id], parts[one.part], one.more_ns] for one in report.cohorts.slow]


def _pieces(pieces: Sequence[Piece], report: Report, parts: Mapping[Part, int]) -> list[dict[str, object]]:
    """A sentence in pieces: parts, numbers, owners."""
    named = [one.part for one in report.verdict.candidates]
    named += [one.cell.part for one in report.classes.found]
    named += [report.verdict.part] if report.verdict.part is not None else []
    words = {
        clean(word, STYLE): parts[part]
        for part in named
        if part in parts
        for word in (part.label, part.phrase, part.phrase.replace("their own", "its own"))
    }
    found: list[dict[str, object]] = []
    for piece in pieces:
        one: dict[str, object] = {"text": piece.text}
        if piece.text.strip() in OWNED.values():
            one["owner"] = True
        elif piece.ink == "bold":
            one["strong"] = True
            if piece.text in words:
                one["part"] = words[piece.text]
        found.append(one)
    return found


def _depending(report: Report) -> list[list[dict[str, object]]]:
    """The sentences about what slow requests depend on, and since when; a value has the text of its fact."""
    sentences = [told for at in range(len(report.classes.found)) for told in depending(report, at, STYLE)]
    return [
        [{"text": one.text, "strong": one.ink == "bold", "fact": fact_text(one.text)} for one in pieces]
        for pieces in (*sentences, *depending_routes(report, STYLE))
    ]


def _hours(report: Report) -> list[dict[str, object]]:
    if isinstance(report.traffic, Unknown):
        return []
    shares = by_hour(report.traffic, report.accounts)
    return [{"start_ms": int(one.of) // 1_000_000, "seen": one.seen, "total": one.total} for one in shares]
