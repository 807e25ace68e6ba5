"""Facts that the verdict does not show: outliers, failures, skipped input, lone requests, clocks, lost parents."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lambda_latency.latency import Breakdown, Failures, Flaw, Kind, Report, SlowRequest, trace_name
from lambda_latency.text.style import Line, Piece, Style, paint, plain
from lambda_latency.text.words import clean, ms, number, percent, plural, wrap
from lambda_latency.trace import Problem

# A request that takes this many times the median is always reported
OUTLIER_TIMES = 10
FAILING_PERCENT = 5  # failures are reported from this share on
MOST_ALONE = 3
UPGRADED = 101  # Switching Protocols
UPGRADE = "the connection was upgraded, as for WebSockets (status 101): the time is that of the connection"
MOST_CONSUMERS = 3
FAILS = "Find out why calls to {name} fail: an example has the status or the error."
FLAWS = {
    Flaw.SKEWED: "the clocks of services differ and were corrected (clock-skew = keep leaves them)",
    Flaw.ABSENT_PARENT: "the span that called the others was not recorded: the time between them is unknown",
    Flaw.LEFT_OUT: "spans are outside of the request, because their parent was not recorded",
    Flaw.OPEN: "the request has no end: it is measured up to the last instant that its spans show",
    Flaw.CLIENT_TIMEOUTS: "a client ended a call that took too long (a timeout of the client's own)",
}
RUNS_ON = "work went on after the request for longer than it took: that time is not counted"
CENTURY_NS = (946_684_800 * 10**9, 4_102_444_800 * 10**9)  # from 2000 to 2100


def cautions(report: Report, style: Style) -> list[str]:
    """Return one sentence per fact; none without facts."""
    sentences = [
        _skipped(report),
        _outlier(report, style),
        plain(_failing(report, style)),
        _alone(report, style),
        _unit(report),
        _in_requests(report, lambda kind: kind.status_code == UPGRADED, UPGRADE),
        *(_flawed(report, flaw, text) for flaw, text in FLAWS.items()),
        _flow(report, style),
        _flawed(report, Flaw.RUNS_ON, RUNS_ON),
    ]
    return [sentence for sentence in sentences if sentence]


def other_cautions(report: Report, style: Style) -> list[str]:
    """Return the cautions that no card contains."""
    failed = plain(failed_first(report, style))
    return [sentence for sentence in cautions(report, style) if sentence != failed]


def failed_first(report: Report, style: Style) -> list[Piece]:
    """Return the sentence about failed requests if it precedes the verdict: most failed, or nothing else stands out."""
    if report.totals.requests > 1 and (
        report.verdict.kind == "even" or 2 * report.totals.errors >= report.totals.requests
    ):
        return _failing(report, style)
    return []


def failed_sentence(failed: Failures, report: Report, style: Style) -> list[Piece]:
    """Say how many requests failed, with which status, and the callee of a call that failed in them."""
    requests, of_route, end = report.totals.requests, "", f": {outcome(failed, style)}"
    if failed.of_most == failed.count:
        requests = report.breakdowns.ended_by_route()[failed.route]
        of_route, end = f" of {clean(failed.route, style)}", _status(failed)
    text = f"All {number(requests)} requests{of_route} failed"
    if failed.count < requests:
        text = f"{number(failed.count)} of {plural(requests, 'request')}{of_route} failed"
        text += f" ({percent(failed.count, requests, style)})"
    pieces = [Piece(text, "bold"), Piece(f"{end}.")]
    if failed.component is None:
        return pieces
    which = "each" if failed.of_component == failed.count else number(failed.of_component)
    callee = [Piece(" to "), Piece(clean(failed.component.name, style), "bold")] if failed.component.name else []
    return [*pieces, Piece(f" In {which} of them a call"), *callee, Piece(" failed.")]


def outcome(failed: Failures, style: Style) -> str:
    """`20 of them POST /orders with status 502`: the route and the status of most failed requests."""
    of_most = "" if failed.of_most == failed.count else f"{number(failed.of_most)} of them "
    return f"{of_most}{clean(failed.route, style)}{_status(failed)}"


def _status(failed: Failures) -> str:
    return f" with status {failed.status_code}" if failed.status_code is not None else ""


def _alone_sentence(slow: SlowRequest, style: Style) -> str:
    """Describe a slow request without a typical one of its route: the part that it waited for."""
    breakdown = slow.breakdown
    text = f"{clean(breakdown.route, style)} took {ms(breakdown.wall_ns, style)}"
    name = trace_name(breakdown.trace_id, breakdown.start_ns)
    return f"{text}, {ms(slow.excess_ns, style)} of it {clean(slow.component.label, style)} (--trace {name})"


def _flow(report: Report, style: Style) -> str:
    """Consumers that worked on after the request; of the only request with their times."""
    judges = "(--follow-links judges the whole flow)"
    if report.totals.requests == 1:
        [request] = report.breakdowns
        trace, end_ns = report.traces.get(request.trace_id), request.start_ns + request.wall_ns
        spans = trace.tree.detached if trace is not None and request.flaws & Flaw.FLOW else ()
        later = sorted([span for span in spans if span.end_ns > end_ns], key=lambda span: -span.end_ns)
        if later:
            shown = later[:MOST_CONSUMERS]
            consumers = [f"{clean(span.name, style)} {ms(span.end_ns - span.start_ns, style)}" for span in shown]
            consumers += [f"{number(len(later) - MOST_CONSUMERS)} more"] if len(later) > MOST_CONSUMERS else []
            until = ms(later[0].end_ns - request.start_ns, style)
            return f"Consumers of its messages worked until {until} after its start: {', '.join(consumers)} {judges}."
    return _flawed(report, Flaw.FLOW, f"consumers processed messages after the request {judges}")


def _skipped(report: Report) -> str:
    if not report.skipped or not report.totals.requests:
        return ""
    return f"Part of the input was skipped: {plural(report.skipped, 'thing')} (--problems)."


def _outlier(report: Report, style: Style) -> str:
    """Describe the slowest request that ended, if it is far from the median and the verdict does not explain it."""
    if report.verdict.kind in ("none", "one", "alone"):
        return ""
    breakdowns = report.breakdowns
    walls, ended = breakdowns.walls_ns, breakdowns.ended()
    if not ended:
        return ""
    longest_ns = max(walls[index] for index in ended)
    slowest = breakdowns[min((index for index in ended if walls[index] == longest_ns), key=breakdowns.trace_id)]
    median_ns = sorted(walls)[(len(breakdowns) - 1) // 2]
    if longest_ns < OUTLIER_TIMES * max(median_ns, 1_000_000) or _is_explained(slowest, report):
        return ""
    component = ""
    if slowest.components:
        largest, ns = slowest.components[0]
        component = f", {ms(ns, style)} of it {clean(largest.label, style)}"
    name = trace_name(slowest.trace_id, slowest.start_ns)
    return (
        f"The slowest took {ms(longest_ns, style)}{component}: {clean(slowest.route, style)} (--trace {name}); "
        f"the median is {ms(median_ns, style)}."
    )


def _is_explained(request: Breakdown, report: Report) -> bool:
    """Return whether a clear verdict names the part that this request waited for."""
    if report.verdict.kind != "clear":
        return False
    blamed = [slow for slow in report.comparison.slow if slow.component == report.verdict.component]
    return any(slow.breakdown.trace_id == request.trace_id for slow in blamed)


def _failing(report: Report, style: Style) -> list[Piece]:
    failed, requests = report.failures, report.totals.requests
    if failed is None or 100 * failed.count < FAILING_PERCENT * requests:
        return []
    if requests == 1:
        return [Piece("The request failed.")]
    return failed_sentence(failed, report, style)


def _alone(report: Report, style: Style) -> str:
    alone = report.comparison.alone
    if not alone or report.verdict.kind == "alone":
        alone = alone[1:]
    if not alone or report.verdict.kind == "one":
        return ""
    requests = "; ".join(_alone_sentence(slow, style) for slow in alone[:MOST_ALONE])
    more = f"; {number(len(alone) - MOST_ALONE)} more" if len(alone) > MOST_ALONE else ""
    return f"Not compared, because each is the only request of its route: {requests}{more}."


def _unit(report: Report) -> str:
    """Times that lie in 1970, but would be of this century in a smaller unit than that of their format."""
    starts_ns = report.breakdowns.starts_ns
    for factor in (10**3, 10**6, 10**9) if min(starts_ns, default=CENTURY_NS[0]) < CENTURY_NS[0] else ():
        count = sum(CENTURY_NS[0] <= start_ns * factor < CENTURY_NS[1] for start_ns in starts_ns)
        if count:
            return (
                f"The times of {plural(count, 'request')} are in 1970: if their unit is wrong, "
                f"durations are {number(factor)} times too short."
            )
    return ""


def _flawed(report: Report, flaw: int, text: str) -> str:
    return _in_requests(report, lambda kind: bool(kind.flaws & flaw), text)


def _in_requests(report: Report, matches: Callable[[Kind], bool], text: str) -> str:
    """Return the sentence with the number of matching requests; empty without any."""
    count = count_requests(report, matches)
    if not count:
        return ""
    if report.totals.requests == 1:
        return f"{text[0].upper()}{text[1:]}."
    return f"In {number(count)} of {plural(report.totals.requests, 'request')} {text}."


def count_requests(report: Report, matches: Callable[[Kind], bool]) -> int:
    """Return the number of requests of the kinds that match."""
    return len(report.breakdowns.of_kind(matches))


def render_problems(problems: Sequence[Problem], style: Style) -> str:
    """Return the problems as text: one line per source and reason, with the first place and the number of cases."""
    if not problems:
        return paint([[], [Piece("Nothing was skipped, and no span is inconsistent.", "bold")]], style)
    groups: dict[tuple[str, str, str], list[Problem]] = {}
    for problem in problems:
        groups.setdefault((problem.effect, problem.source, problem.reason), []).append(problem)
    skipped = sum(problem.effect == "skipped" for problem in problems)
    head = f"{plural(skipped, 'thing')} skipped, {number(len(problems) - skipped)} inconsistent, but counted"
    lines: list[Line] = [[], [Piece(head, "bold")]]
    for (effect, _, _), members in sorted(groups.items(), key=lambda group: group[0][0] != "skipped"):
        times = f" ({number(len(members))} times, the first of them here)" if len(members) > 1 else ""
        lines += wrap(clean(f"{effect}: {members[0]}{times}", style), style.width)
    return paint(lines, style)
