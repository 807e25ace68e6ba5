"""Facts that the verdict does not show: outliers, failures, skipped input, lone requests, clocks, lost parents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.latency import ABSENT_PARENT, CLIENT_TIMEOUTS, FLOW, LEFT_OUT, OPEN, RUNS_ON, SKEWED, trace_name
from lambda_latency.text.style import Line, Piece, Style, paint
from lambda_latency.text.words import clean, ms, number, percent, plural, wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_latency.latency import Account, Failures, Report, Slow
    from lambda_latency.trace import Problem

OUTLIER_TIMES = 10  # a request that takes this many times the median is always reported
FAILING_PERCENT = 5  # failures are reported from this share on
MOST_ALONE = 3
UPGRADED = 101  # Switching Protocols
MOST_CONSUMERS = 3
FAILS = "Find out why calls to {name} fail: an example has the status or the error."
CENTURY_NS = (946_684_800 * 10**9, 4_102_444_800 * 10**9)  # from 2000 to 2100


def cautions(report: Report, style: Style) -> list[str]:
    """One sentence per fact; empty without any."""
    found = [
        _skipped(report),
        _outlier(report, style),
        _text(_failing(report, style)),
        _alone(report, style),
        _unit(report),
        _upgraded(report),
        _flawed(report, SKEWED, "the clocks of services differ and were corrected (--no-skew leaves them)"),
        _flawed(
            report, ABSENT_PARENT, "the span that called the others was not recorded: the time between them is unknown"
        ),
        _flawed(report, LEFT_OUT, "spans are outside of the request, because their parent was not recorded"),
        _flawed(report, OPEN, "the request has no end: it is measured up to the last instant that its spans show"),
        _flawed(report, CLIENT_TIMEOUTS, "a client ended a call that took too long (a timeout of the client's own)"),
        _flow(report, style),
        _flawed(report, RUNS_ON, "work went on after the request for longer than it took: that time is not counted"),
    ]
    return [one for one in found if one]


def other_cautions(report: Report, style: Style) -> list[str]:
    """The cautions that no card tells."""
    failed = _text(failed_first(report, style))
    return [one for one in cautions(report, style) if one != failed]


def failed_first(report: Report, style: Style) -> list[Piece]:
    """The sentence about failed requests, if it precedes the verdict: most failed, or nothing else stands out."""
    if report.totals.requests > 1 and (
        report.verdict.kind == "even" or 2 * report.totals.errors >= report.totals.requests
    ):
        return _failing(report, style)
    return []


def failed_sentence(failed: Failures, report: Report, style: Style) -> list[Piece]:
    """How many requests failed, with which status, and the callee of a call that failed in them."""
    requests = report.totals.requests
    text = f"All {number(requests)} requests failed"
    if failed.count < requests:
        text = f"{number(failed.count)} of {plural(requests, 'request')} failed"
        text += f" ({percent(failed.count, requests, style)})"
    status = f" with status {failed.status_code}" if failed.status_code is not None else ""
    of_most = "" if failed.of_most == failed.count else f"{number(failed.of_most)} of them "
    pieces = [Piece(text, "bold"), Piece(f": {of_most}{clean(failed.route, style)}{status}.")]
    if failed.part is None:
        return pieces
    which = "each" if failed.of_part == failed.count else number(failed.of_part)
    callee = [Piece(" to "), Piece(clean(failed.part.name, style), "bold")] if failed.part.name else []
    return [*pieces, Piece(f" In {which} of them a call"), *callee, Piece(" failed.")]


def alone_sentence(one: Slow, style: Style) -> str:
    """A slow request without a typical one of its route: the part that it waited for."""
    account = one.account
    text = f"{clean(account.route, style)} took {ms(account.wall_ns, style)}"
    name = trace_name(account.trace_id, account.start_ns)
    return f"{text}, {ms(one.more_ns, style)} of it {clean(one.part.label, style)} (--trace {name})"


def _flow(report: Report, style: Style) -> str:
    """Consumers that worked on after the request; of the only request with their times."""
    judges = "(--follow-links judges the whole flow)"
    if report.totals.requests == 1:
        [one] = report.accounts
        trace = report.traces.get(one.trace_id)
        rows = trace.tree.aside if trace is not None and one.flaws & FLOW else ()
        late = sorted([row for row in rows if row.end_ns > one.start_ns + one.wall_ns], key=lambda row: -row.end_ns)
        if late:
            told = [f"{clean(row.name, style)} {ms(row.end_ns - row.start_ns, style)}" for row in late[:MOST_CONSUMERS]]
            told += [f"{number(len(late) - MOST_CONSUMERS)} more"] if len(late) > MOST_CONSUMERS else []
            until = ms(late[0].end_ns - one.start_ns, style)
            return f"Consumers of its messages worked until {until} after its start: {', '.join(told)} {judges}."
    return _flawed(report, FLOW, f"consumers processed messages after the request {judges}")


def _text(pieces: Sequence[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def _skipped(report: Report) -> str:
    skipped = sum(problem.effect == "skipped" for problem in report.problems)
    if not skipped or not report.totals.requests:
        return ""
    return f"Part of the input was skipped: {plural(skipped, 'thing')} (--problems)."


def _outlier(report: Report, style: Style) -> str:
    """The slowest request that ended, if it is far from the median and the verdict does not explain it."""
    if report.verdict.kind in ("none", "one", "alone"):
        return ""
    every = report.accounts
    walls, ended = every.walls_ns, every.ended()
    if not ended:
        return ""
    longest = max(walls[place] for place in ended)
    one = every[min((place for place in ended if walls[place] == longest), key=every.trace_id)]
    middle = sorted(walls)[(len(every) - 1) // 2]
    if one.wall_ns < OUTLIER_TIMES * max(middle, 1_000_000) or _is_explained(one, report):
        return ""
    part = f", {ms(one.parts[0][1], style)} of it {clean(one.parts[0][0].label, style)}" if one.parts else ""
    name = trace_name(one.trace_id, one.start_ns)
    return (
        f"The slowest took {ms(one.wall_ns, style)}{part}: {clean(one.route, style)} (--trace {name}); "
        f"the median is {ms(middle, style)}."
    )


def _is_explained(one: Account, report: Report) -> bool:
    """Whether a clear verdict names the part that this request waited for."""
    if report.verdict.kind != "clear":
        return False
    return any(
        slow.account.trace_id == one.trace_id and slow.part == report.verdict.part for slow in report.cohorts.slow
    )


def _failing(report: Report, style: Style) -> list[Piece]:
    failed, requests = report.failures, report.totals.requests
    if failed is None or 100 * failed.count < FAILING_PERCENT * requests:
        return []
    if requests == 1:
        return [Piece("The request failed.")]
    return failed_sentence(failed, report, style)


def _alone(report: Report, style: Style) -> str:
    alone = report.cohorts.alone
    if not alone or report.verdict.kind == "alone":
        alone = alone[1:]
    if not alone or report.verdict.kind == "one":
        return ""
    told = "; ".join(alone_sentence(one, style) for one in alone[:MOST_ALONE])
    more = f"; {number(len(alone) - MOST_ALONE)} more" if len(alone) > MOST_ALONE else ""
    return f"Not compared, because each is the only request of its route: {told}{more}."


def _unit(report: Report) -> str:
    """Times that lie in 1970, but would be of this century in a smaller unit than that of their format."""
    starts_ns = report.accounts.starts_ns
    for factor in (10**3, 10**6, 10**9) if min(starts_ns, default=CENTURY_NS[0]) < CENTURY_NS[0] else ():
        found = sum(CENTURY_NS[0] <= start_ns * factor < CENTURY_NS[1] for start_ns in starts_ns)
        if found:
            return (
                f"The times of {plural(found, 'request')} are in 1970: if their unit is wrong, "
                f"durations are {number(factor)} times too short."
            )
    return ""


def _upgraded(report: Report) -> str:
    kinds = {at for kind, at in report.accounts.kinds.items() if kind.status_code == UPGRADED}
    return _in_requests(
        report, kinds, "the connection was upgraded, as for WebSockets (status 101): the time is that of the connection"
    )


def _flawed(report: Report, flaw: int, what: str) -> str:
    return _in_requests(report, {at for kind, at in report.accounts.kinds.items() if kind.flaws & flaw}, what)


def _in_requests(report: Report, kinds: set[int], what: str) -> str:
    """The sentence with the number of requests of these kinds; empty without any."""
    found = sum(at in kinds for at in report.accounts.kind_of) if kinds else 0
    if not found:
        return ""
    if report.totals.requests == 1:
        return f"{what[0].upper()}{what[1:]}."
    return f"In {number(found)} of {plural(report.totals.requests, 'request')} {what}."


def render_problems(problems: Sequence[Problem], style: Style) -> str:
    """The problems as text: one line per source and reason, with the first place and the number of cases."""
    if not problems:
        return paint([[], [Piece("Nothing was skipped, and no span is inconsistent.", "bold")]], style)
    rows: dict[tuple[str, str, str], list[Problem]] = {}
    for one in problems:
        rows.setdefault((one.effect, one.source, one.reason), []).append(one)
    skipped = sum(one.effect == "skipped" for one in problems)
    head = f"{plural(skipped, 'thing')} skipped, {number(len(problems) - skipped)} inconsistent, but counted"
    lines: list[Line] = [[], [Piece(head, "bold")]]
    for (effect, _, _), members in sorted(rows.items(), key=lambda row: row[0][0] != "skipped"):
        often = f" ({number(len(members))} times, the first of them here)" if len(members) > 1 else ""
        lines += wrap(clean(f"{effect}: {members[0]}{often}", style), style.width)
    return paint(lines, style)
