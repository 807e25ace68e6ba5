"""The data of a page: the report's JSON, requests as columns, sentences in pieces, flame graph, and retained spans."""

from __future__ import annotations

import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from lambda_latency.latency import (
    NOBODY,
    Bar,
    Component,
    Owners,
    Report,
    Stack,
    Unknown,
    by_hour,
    savings,
    sections_of,
    waterfall_of,
)
from lambda_latency.page.change import change_values, with_callers
from lambda_latency.page.facts import MOST_READ, Facts, NumberOf, columns, sample
from lambda_latency.page.findings import findings, group_members, linked
from lambda_latency.page.redacting import SpanRedaction
from lambda_latency.text import (
    BOUND,
    PAGE_WORDS,
    Style,
    document,
    failed_sentence,
    headline,
    ms,
    of_routes,
    other_cautions,
    owner,
    plain,
    render_markdown,
    sampling,
    saving_pieces,
)
from lambda_latency.trace import Span, SpanKind, Trace

if TYPE_CHECKING:
    from lambda_latency.latency import Judged

STYLE = Style()
AT_ONCE = 1_000  # traces in memory
UNNAMED = ("columns", "words", "members", "slow", "facts", "read")  # values without names, or redacted as they are made
OPTION = re.compile(r" \(--[^)]*\)")

Find: TypeAlias = Callable[[Collection[str]], Mapping[str, Trace]]  # the traces with some ids


def page_values(
    report: Report,
    find: Find,
    *,
    command: str,
    version: str,
    notes: Sequence[str] = (),
    console: str | None = None,
    judged: Sequence[Judged] = (),
    redaction: SpanRedaction | None = None,
    is_live: bool = False,
) -> tuple[dict[str, object], list[str]]:
    """Return the values of a page, and one line of spans per retained request; secrets are removed from both.

    `find` returns traces by id; `console` is the URL prefix of X-Ray's traces, if they are in X-Ray. `redaction` is
    the usual one if it is None. `is_live`: the page asks for the spans of a request when it opens it, so that only
    those of examples are read.
    """
    redaction = redaction or SpanRedaction()
    page = document(report, command=command, version=version, judged=judged)
    components = {
        Component(category["bucket"], category["name"], category["owner"]).plain(): index
        for index, category in enumerate(cast("list[dict[str, Any]]", page["buckets"]))
    }

    def number_of(component: Component) -> int:
        return components.setdefault(component, len(components))

    # Classes hold indices of breakdowns as they were read; columns are in the order of start.
    ordered = replace(report, breakdowns=report.breakdowns.in_order())
    trace_ids = live_examples(report) if is_live else worth_keeping(report)
    lines, line_of = _lines(report, trace_ids, find, number_of, redaction)
    # The page draws the calls from the edges of its requests
    del page["map"]
    page["columns"] = of_requests = columns(ordered, number_of, line_of)
    index_of = {ordered.breakdowns.trace_id(index): index for index in range(len(ordered.breakdowns))}
    read = [] if is_live or len(ordered.breakdowns) < 2 else sample(ordered)
    page |= _from_spans(ordered, read, find, number_of, of_requests, redaction)
    page["findings"] = findings(report, number_of, index_of.__getitem__, judged)
    page["headline"] = linked(headline(report, STYLE), report, number_of)
    page["excess"] = _excess(cast("list[dict[str, Any]]", page["findings"]))
    page["notes"] = [*of_routes(report, STYLE), *_cautions(report), *notes]
    page["members"] = [
        [number_of(component), members] for component, members in group_members(report, index_of.__getitem__)
    ]
    # The only request of a file is not slow, for there is none to compare it with.
    slow_requests = report.comparison.slow if len(report.breakdowns) > 1 else ()
    page["slow"] = [index_of[slow.breakdown.trace_id] for slow in slow_requests]
    page["border_ns"] = report.comparison.border_ns
    page["saves"] = _savings(report, components, number_of)
    page["bound"] = BOUND
    page["words"] = PAGE_WORDS
    page["markdown"] = render_markdown(report, judged)
    page["change"] = change_values(report, number_of)
    page["seen"] = sampling(report, STYLE)
    page["by_hour"] = _hours(report)
    page["console"] = console
    page["kept"] = len(lines)
    page["parts"] = [
        {"bucket": component.category, "label": component.label, "owner": owner(component)} for component in components
    ]
    of_requests["routes"] = list(map(redaction.text, cast("list[str]", of_requests["routes"])))
    return {name: value if name in UNNAMED else redacted(value, redaction) for name, value in page.items()}, lines


def redacted(value: object, redaction: SpanRedaction) -> object:
    """Return JSON values whose texts have no secrets, ids and keys of findings aside."""
    if isinstance(value, str):
        return redaction.label(value)
    if isinstance(value, Mapping):
        return {
            name: member if name in ("trace_id", "key") else redacted(member, redaction)
            for name, member in value.items()
        }
    return [redacted(member, redaction) for member in value] if isinstance(value, (list, tuple)) else value


def _excess(findings: Sequence[Mapping[str, Any]]) -> str:
    """The time of all findings beyond typical requests, in words; empty without any."""
    total_ns = sum(finding["row"].get("excess_ns", 0) for finding in findings)
    return ms(total_ns, STYLE) if total_ns else ""


def _cautions(report: Report) -> Iterator[str]:
    """Yield the cautions that no finding contains, without the options of a command: readers may lack the files."""
    failed = plain(failed_sentence(report.failures, report, STYLE)) if report.failures is not None else ""
    for caution in other_cautions(report, STYLE):
        if caution != failed:
            yield OPTION.sub("", caution)


def _savings(report: Report, components: Mapping[Component, int], number_of: NumberOf) -> list[dict[str, object]]:
    return [
        {"pieces": linked(saving_pieces(saving, STYLE), report, number_of), "part": number_of(saving.component)}
        for saving in savings(report.breakdowns)
        if saving.component in components
    ]


def _from_spans(
    report: Report,
    read: Sequence[int],
    find: Find,
    number_of: NumberOf,
    of_requests: Mapping[str, Any],
    redaction: SpanRedaction,
) -> dict[str, object]:
    """Return the flame graph and the facts, which need the spans of many requests; these are read once."""
    flame, facts = Flame(report, number_of), Facts(redaction)
    for begin in range(0, len(read), AT_ONCE):
        trace_ids = [report.breakdowns.trace_id(index) for index in read[begin : begin + AT_ONCE]]
        traces = find(trace_ids)
        for trace_id in trace_ids:
            facts.add(traces.get(trace_id))
            if trace_id in traces:
                flame.add(traces[trace_id])
    return {"flame": flame.frames() if read else [], **facts.values(of_requests, read)}


def _lines(
    report: Report, trace_ids: Sequence[str], find: Find, number_of: NumberOf, redaction: SpanRedaction
) -> tuple[list[str], dict[str, int]]:
    """Return the lines of spans that a page has room for, and the index of each by the trace id."""
    traces = find(trace_ids) if trace_ids else {}
    lines: list[str] = []
    line_of: dict[str, int] = {}
    size = 0
    huge = False
    for trace_id in trace_ids:
        if trace_id not in traces:
            continue
        line = spans_line(traces[trace_id], number_of, report.owners, redaction)
        if len(line) > HUGE:
            # One huge request has a budget of its own, so that it does not use that of the others.
            if huge:
                continue
            huge = True
        elif size + len(line) > ROOM:
            continue
        else:
            size += len(line)
        line_of[trace_id] = len(lines)
        lines.append(line)
    return lines, line_of


def _hours(report: Report) -> list[dict[str, object]]:
    if isinstance(report.traffic, Unknown):
        return []
    hours = by_hour(report.traffic, report.breakdowns)
    return [{"start_ms": int(hour.subject) // 1_000_000, "seen": hour.requests, "total": hour.total} for hour in hours]


# Frames below this fraction (1/2000) of all time are too narrow to be visible
LEAST_SHARE = 2_000


class Flame:
    """Collects the frames.

    For more than `MOST_READ` requests, whose spans would take seconds to read, a stack is route, function and part.
    """

    def __init__(self, report: Report, number_of: NumberOf) -> None:
        self._report, self._number_of = report, number_of
        self._slow = {slow.breakdown.trace_id for slow in report.comparison.slow}
        self._all_ns, self._slow_ns = Counter[Stack](), Counter[Stack]()
        self._parts: defaultdict[Stack, Counter[Component]] = defaultdict(Counter)
        self._by_span = len(report.breakdowns) <= MOST_READ

    def add(self, trace: Trace) -> None:
        """Adds a request whose spans were read."""
        if self._by_span:
            for stack, component, ns in sections_of(trace, self._report.owners):
                self._add(trace.trace_id, stack, component, ns)

    def frames(self) -> list[list[object]]:
        """Return the frames, parents before children: depth, name, nanoseconds in all and in slow requests, and the
        number of the part with the largest share."""
        breakdowns = self._report.breakdowns
        if not self._by_span:
            for breakdown in breakdowns.made(range(len(breakdowns)), with_calls=False):
                for component, ns in breakdown.components:
                    stack = (breakdown.route, breakdown.function or "unknown", component.label)
                    self._add(breakdown.trace_id, stack, component, ns)
        all_ns = self._all_ns
        least = self._report.totals.wall_ns // LEAST_SHARE
        ordered = sorted(all_ns, key=lambda frame: [(-all_ns[caller], caller[-1]) for caller in with_callers(frame)])
        return [
            [len(frame) - 1, frame[-1], all_ns[frame], self._slow_ns[frame], self._component_of(frame)]
            for frame in ordered
            if all_ns[frame] > least
        ]

    def _add(self, trace_id: str, stack: Stack, component: Component, ns: int) -> None:
        for frame in with_callers(stack):
            self._all_ns[frame] += ns
            if trace_id in self._slow:
                self._slow_ns[frame] += ns
            self._parts[frame][component] += ns

    def _component_of(self, frame: Stack) -> int:
        """Return the number of the part with the largest share of a frame."""
        components_ns = self._parts[frame]
        return self._number_of(min(components_ns, key=lambda component: (-components_ns[component], component)))


MOST = 1_000  # requests; up to this number all are retained
# Characters of all spans together, except those of one huge request; deflated about a tenth
ROOM = 4_000_000
HUGE = 1_000_000  # characters; at most one request of this size is retained
SPREAD, TIMEOUTS, ERRORS, COLD, TYPICAL, SLOWEST = 200, 60, 60, 20, 10, 100
MOST_LIVE = 24


def worth_keeping(report: Report) -> list[str]:
    """Return at most `MOST` trace ids by importance: an example of each finding, then requests of each class, fast to
    slow, with typical ones of their routes, errors, timeouts, cold starts, the slowest, and others, evenly."""
    by_importance = chain(_examples(report), map(report.breakdowns.trace_id, _in_order(report)))
    return list(dict.fromkeys(by_importance))[:MOST]


def live_examples(report: Report) -> list[str]:
    """Return at most `MOST_LIVE` trace ids: the examples, and a typical request of each route with slow requests."""
    breakdowns = report.breakdowns
    by_number = list(breakdowns.kinds)
    fastest = sorted(range(len(breakdowns)), key=breakdowns.walls_ns.__getitem__)
    typical, slow_routes = _typical(report, [by_number[number].route for number in breakdowns.kind_of], fastest)
    usual = [breakdowns.trace_id(requests[len(requests) // 2]) for requests in typical[:slow_routes]]
    return list(dict.fromkeys([*_examples(report), *usual]))[:MOST_LIVE]


def _examples(report: Report) -> Iterator[str]:
    """Yield the requests that cards and the list of reasons open."""
    verdict, breakdowns, slow = report.verdict, report.breakdowns, report.comparison.slow
    yield from (breakdowns.trace_id(group.example) for group in report.groups.groups)
    yield from (
        request.breakdown.trace_id for request in (verdict.proof, verdict.counterexample) if request is not None
    )
    for candidate in verdict.candidates:
        yield from [request.breakdown.trace_id for request in slow if request.component == candidate.component][:1]
    if report.failures is not None:
        yield report.failures.trace_id
    by_call: dict[str, str] = {}
    for timeout in report.timeouts:
        by_call.setdefault(timeout.running, timeout.trace_id)
    yield from by_call.values()


def _in_order(report: Report) -> Iterator[int]:
    """Yield the indices of requests, those of classes and of typical requests in turns; some repeat."""
    breakdowns, walls_ns = report.breakdowns, report.breakdowns.walls_ns
    by_number = list(breakdowns.kinds)
    kinds = [by_number[number] for number in breakdowns.kind_of]
    fastest = sorted(range(len(breakdowns)), key=lambda index: (walls_ns[index], breakdowns.trace_id(index)))
    classes = [_evenly(filter(members.__contains__, fastest), SPREAD) for members in _members(report)]
    typical, slow_routes = _typical(report, [kind.route for kind in kinds], fastest)
    yield from _in_turns([*classes, *typical[:slow_routes]])
    yield from _evenly(filter(lambda index: kinds[index].timed_out, fastest), TIMEOUTS)
    yield from _evenly(filter(lambda index: kinds[index].error, fastest), ERRORS)
    yield from _in_turns(typical)
    yield from _evenly(filter(lambda index: kinds[index].cold_start, fastest), COLD)
    yield from fastest[: -SLOWEST - 1 : -1]
    yield from _evenly(sorted(range(len(breakdowns)), key=lambda index: (breakdowns.starts_ns[index], index)), MOST)


def _typical(report: Report, routes: Sequence[str], fastest: Sequence[int]) -> tuple[list[Sequence[int]], int]:
    """Typical requests of each route, those of routes with slow requests first, and how many routes have slow ones."""
    slow = {index for members in _members(report) for index in members}
    slow_routes = {routes[index] for index in slow}
    members: dict[str, list[int]] = {}
    for index in fastest:
        if index not in slow:
            members.setdefault(routes[index], []).append(index)
    order = sorted(members, key=lambda route: (route not in slow_routes, -len(members[route]), route))
    return [_middle(members[route]) for route in order], len(slow_routes)


def _members(report: Report) -> Iterator[set[int]]:
    """Yield the requests of each class, those of all small ones together, and slow ones without a class."""
    classes = report.groups
    yield from (set(group.members) for group in classes.groups)
    yield {index for group in classes.small for index in group.members} | {*classes.mixed, *classes.alike}


def _evenly(requests: Iterable[int], count: int) -> list[int]:
    """Return at most `count` of them, evenly spread: the two ends first, then in ever smaller steps."""
    indices = list(requests)
    if len(indices) > count:
        indices = [indices[place * (len(indices) - 1) // (count - 1)] for place in range(count)]
    end = len(indices) - 1
    steps = [max(end >> halved, 1) for halved in range(end.bit_length() + 1)] if indices else []
    places = dict.fromkeys(place for step in steps for place in (*range(0, end + 1, step), end))
    return [indices[place] for place in places]


def _middle(indices: Sequence[int]) -> Sequence[int]:
    begin = max(0, (len(indices) - TYPICAL) // 2)
    return indices[begin : begin + TYPICAL]


def _in_turns(sequences: Iterable[Sequence[int]]) -> Iterator[int]:
    """Yield the first of each, the second of each, and so on."""
    return (index for turn in zip_longest(*sequences) for index in turn if index is not None)


LARGEST_INT = 2**53  # JavaScript rounds larger integers
DEEPEST = 8


def spans_line(
    trace: Trace, number_of: NumberOf, owners: Owners = NOBODY, redaction: SpanRedaction | None = None
) -> str:
    """JSON texts with a tab between them: first the rows in tree order with the parent's index, and the path as
    `[row, start, end, part]` (nanoseconds); then the details of each row, which a browser parses one by one."""
    redaction = redaction or SpanRedaction()
    drawn = waterfall_of(trace, owners)
    index_of = {id(bar): index for index, bar in enumerate(drawn.bars)}
    zero = drawn.start_ns
    request = {
        "spans": [_row(bar, zero, index_of, number_of, redaction) for bar in drawn.bars],
        "path": [
            [
                index_of[id(drawn.bar_of[segment.span.span_id])],
                segment.start_ns - zero,
                segment.end_ns - zero,
                number_of(segment.component),
            ]
            for segment in drawn.path
        ],
        "orphans": [redaction.text(span.name) for span in drawn.orphans],
        "others": [redaction.text(span.name) for span in drawn.other_roots],
        "aside": [redaction.text(span.name) for span in drawn.detached],
    }
    details = ([_details(redaction.span(span), zero) for span in (bar.span, *bar.inside)] for bar in drawn.bars)
    return "\t".join(json.dumps(component, separators=(",", ":")) for component in (request, *details))


def _row(
    bar: Bar, zero: int, index_of: Mapping[int, int], number_of: NumberOf, redaction: SpanRedaction
) -> dict[str, object]:
    span = bar.span
    row: dict[str, object] = {
        "name": redaction.text(bar.name),
        "parent": index_of[id(bar.parent)] if bar.parent is not None else -1,
        "part": number_of(bar.component),
        "start": bar.start_ns - zero,
        "end": bar.end_ns - zero,
        "mark": bar.mark,
        "open": span.end_ns is None or span.provisional,
    }
    return {name: value for name, value in row.items() if value != "" and value is not False}


def _details(span: Span, zero: int) -> dict[str, object]:
    details: dict[str, object] = {
        "span_id": span.span_id,
        "name": span.name,
        "kind": "" if span.kind is SpanKind.INTERNAL else span.kind.name,
        "scope": span.scope.name,
        "service": span.resource.get("service.name", ""),
        "status": span.status.name if span.status.value else "",
        "message": span.status_message,
        "attributes": _plain(dict(span.attributes)),
        "events": [
            {"name": event.name, "at": event.time_ns - zero, "attributes": _plain(dict(event.attributes))}
            for event in span.events
        ],
        "links": [{"trace_id": link.trace_id, "span_id": link.span_id} for link in span.links],
    }
    return {name: value for name, value in details.items() if value not in ("", {}, [])}


def _plain(value: object, depth: int = 0) -> object:
    """Return a value that JSON and JavaScript represent exactly."""
    if isinstance(value, (str, bool)) or value is None:
        return value
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if depth == DEEPEST:
        return "..."
    if isinstance(value, Mapping):
        return {str(name): _plain(member, depth + 1) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(member, depth + 1) for member in value]
    return str(value)


def _number(number: float) -> float | str:
    is_exact = abs(number) < LARGEST_INT if isinstance(number, int) else math.isfinite(number)
    return number if is_exact else str(number)
