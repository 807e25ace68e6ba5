"""The classes of slow requests after the first, and the slow requests that no class explains, as sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lambda_latency.latency import (
    ENOUGH_SLOW,
    NOBODY,
    CauseGroup,
    Component,
    Diagnosis,
    Report,
    Since,
    Unknown,
    Whole,
    are_executions,
    instant_of,
    names_of,
    noun_of,
)
from lambda_latency.text.correlation import route_list, value_text
from lambda_latency.text.executions import attempts_of_group, execution_sentences
from lambda_latency.text.findings import edge_steps, finding_pieces, of_which
from lambda_latency.text.style import Piece, Style
from lambda_latency.text.words import clean, listed, manager, ms, number, percent, plural

OWNED = {
    "ours": "The cause is internal.",
    "aws": "The cause is internal (AWS).",
    "theirs": "The cause is external.",
    "platform": "The cause is the platform.",
    "laptop": "The cause is this machine.",
    "unknown": "The owner of the cause is unknown.",
}
OTHER_KIND = "Most other requests do not make this call: these are another kind of requests, such as a cache's misses."
NEEDED = "Find out whether these requests need the call to {name}, or whether its answers could be kept."
PLAIN_OWN = ("own code", "cold start", "network", "telemetry")  # whose names tell that the cause is internal
STANDINGS = {
    "new": ", new since the baseline",
    "grown": ", more often than in the baseline",
    "known": ", also in the baseline",
    "unproven": ", not seen in the baseline, which may be chance",
}
MOST_FEW = 3
LONGEST_ROUTES = 48
MOST_PERCENT = 90  # of the requests of a class that have a value
HOUR_NS = 3_600 * 10**9  # of requests that a rate a day needs
DAY_NS = 24 * HOUR_NS


def group_sentence(group: CauseGroup, report: Report, style: Style) -> list[Piece]:
    """`45 of 1,800 requests of GET /a (3 %) wait for retries of DynamoDB: 190 ms more than a typical one, ...`."""
    own_code = diagnosis = None
    if _has_example(group, report):
        own_code, diagnosis = report.own_code.get(group.edge), report.diagnoses.get(group.edge)
    return [
        *_waiting(group, report, style),
        Piece(excesses(group, style), "bold"),
        Piece(_than_typical(group, report)),
        *of_which(own_code, group.edges[0][1], style),
        *_in_calls(group, diagnosis, style),
        *_which(group, report, style),
        Piece(", "),
        Piece(f"{round(100 * group.share)}{style.space}%", "bold"),
        Piece(" of the excess"),
        *_in_baseline(group, report),
        *([Piece(f" {OTHER_KIND}")] if group.of_other_kind else []),
        *finding_pieces(diagnosis, style),
        *_owner_of_group(group, diagnosis, style),
    ]


def _than_typical(group: CauseGroup, report: Report) -> str:
    """`more than in a typical one (3 attempts)`."""
    if are_executions(group.routes):
        return f" more than in a typical one{attempts_of_group(group, report)}"
    return " more than a typical one" + (" of their route" if len(group.routes) > 1 else "")


def group_steps(group: CauseGroup, report: Report) -> list[str]:
    """Return the next steps about a cause group."""
    if group.of_other_kind:
        return [NEEDED.format(name=group.edge.service)]
    return edge_steps(group.edge, report, calls=group.makes_more_calls)


def _has_example(group: CauseGroup, report: Report) -> bool:
    """Whether the example of its edge is one of its requests: it is of the first group with that edge."""
    return next(earlier for earlier in report.groups.groups if earlier.edge == group.edge) == group


def _waiting(group: CauseGroup, report: Report, style: Style) -> list[Piece]:
    """`23 of 218 requests of POST /bid (11 %) wait for A and B: `: of the requests of the routes, with any limit.

    Of executions: `4 of 24 executions of ProcessOrder (17 %): step charge takes `.
    """
    count, requests = len(group.members), requests_of_routes(group, report)
    routes = route_list(names_of(group.routes), LONGEST_ROUTES, style)
    limit_ns = report.groups.slowness.limit_ns
    over = f", over {ms(limit_ns, style)}" if limit_ns is not None else ""
    share, verb = percent(count, requests, style), "waits" if count == 1 else "wait"
    subject = f"{number(count)} of {plural(requests, noun_of(group.routes))} of {routes} ({share}{over})"
    if are_executions(group.routes):
        verb = "takes" if len(group.edges) == 1 else "take"
        return [Piece(f"{subject}: "), *waits_for(group, style), Piece(f" {verb} ")]
    return [Piece(f"{subject} {verb} for "), *waits_for(group, style), Piece(": ")]


def waits_for(group: CauseGroup, style: Style) -> list[Piece]:
    """`A and B (called by C)`, after "wait for"."""
    pieces: list[Piece] = []
    for edge, _ in group.edges:
        component = edge.component.phrase
        pieces += [Piece(" and ")] if pieces else []
        pieces += [Piece(clean(component, style), "bold"), Piece(clean(edge.phrase.removeprefix(component), style))]
    return pieces


def requests_of_routes(group: CauseGroup, report: Report) -> int:
    """Return the number of requests of the routes of a cause group, without those that timed out."""
    by_route = report.breakdowns.ended_by_route()
    return sum(by_route[route] for route in group.routes)


def excesses(group: CauseGroup, style: Style) -> str:
    """`190 ms`, of a set `79 + 76 ms`."""
    if len(group.edges) == 1:
        return ms(group.excess_ns, style)
    times = [ms(ns, style) for _, ns in group.edges]
    units = {time.rpartition(style.space)[2] for time in times}
    if len(units) > 1:
        return " + ".join(times)
    unit = f"{style.space}{units.pop()}"
    return " + ".join(time.removesuffix(unit) for time in times) + unit


def _in_calls(group: CauseGroup, diagnosis: Diagnosis | None, style: Style) -> Iterator[Piece]:
    is_apart = diagnosis is not None and diagnosis.slow_call is not None  # parallel calls are told one by one
    if group.excess_call_ns < group.edges[0][1] * 9 // 10 and len(group.edges) == 1 and not is_apart:
        yield Piece(f" ({ms(group.excess_call_ns, style)} a call)")
    if group.makes_more_calls:
        typical, slow = map(number, group.calls)
        yield Piece(", in ")
        yield Piece(f"{slow} calls instead of {typical}", "bold")


def _which(group: CauseGroup, report: Report, style: Style) -> list[Piece]:
    """Say which requests these are, and since when they are slow, if it is known."""
    index = report.groups.groups.index(group)
    pieces = [Piece(", nearly all in "), Piece("cold starts", "bold")] if group.starts_cold else []
    for finding in report.correlations.of_group(index)[:1]:
        slow, requests = finding.slow
        if 100 * slow >= MOST_PERCENT * requests:
            values = " and ".join(value_text(value, style) for value in finding.values)
            pieces += [Piece(", all with " if slow == requests else ", nearly all with "), Piece(values, "bold")]
    when = since_when(group, report.correlations.since_of(index))
    return [*pieces, Piece(when)] if when else pieces


def since_when(group: CauseGroup, since: Since | None) -> str:
    if since is not None and since.kind == "step":
        return f", since {instant_of(since.start_ns)}"
    if since is not None and since.kind == "drift":
        return ", longer and longer"
    begin, end = group.window or ((since.start_ns, since.end_ns) if since is not None else (0, None))
    return f", nearly all from {instant_of(begin)} to {instant_of(end)}" if end is not None else ""


def _in_baseline(group: CauseGroup, report: Report) -> Iterator[Piece]:
    """Say whether the baseline has such requests, and how many come a day."""
    if report.against is not None and report.baseline is not None:
        yield Piece(STANDINGS[report.against.decision.standing(group.edge, report.edges_in_baseline)])
    daily = per_day(group, report)
    yield Piece(f", about {number(daily)} a day." if daily is not None else ".")


def _owner_of_group(group: CauseGroup, diagnosis: Diagnosis | None, style: Style) -> list[Piece]:
    """Say who owns the cause; nothing of a set with several owners, or of a connection, which has two ends."""
    # If requests make many calls instead of few, the caller is the cause, whoever owns the callee.
    if group.makes_more_calls or (diagnosis is not None and diagnosis.cold_start is not None):
        return [Piece(" "), Piece(OWNED["ours"])]
    owners = {edge.component.owner for edge, _ in group.edges}
    is_connection = diagnosis is not None and diagnosis.connects
    return [] if is_connection or len(owners) > 1 else owned(group.edge.component, style)


def owned(component: Component, style: Style) -> list[Piece]:
    """Say who owns the cause where its name does not tell; of a callee of unknown owner, what its name indicates.

    The sentence begins with a space.
    """
    managed_by = manager(component)
    if (component.owner == "ours" and component.category in PLAIN_OWN) or managed_by == "managed":
        return []
    is_category = component.category in ("laptop", "unknown")
    whose = component.category if is_category else component.owner
    pieces = [Piece(" "), Piece(OWNED["aws" if managed_by else whose])]
    if component.owner == "unknown" and component.category != "unknown":
        evidence = NOBODY.ownership(component).evidence
        pieces.append(Piece(f" {clean(component.name, style)} is {evidence}, and records no spans here."))
    return pieces


def per_day(group: CauseGroup, report: Report) -> int | None:
    """Return the number of requests of the class a day, by the number of all requests; None if it is unknown."""
    traffic, starts = report.traffic, report.breakdowns.starts_ns
    if isinstance(traffic, Unknown) or max(starts, default=0) - min(starts, default=0) < HOUR_NS:
        return None
    counted = max(report.totals.requests - traffic.without_stage, 1)
    return round(len(group.members) * max(traffic.total / counted, 1) * DAY_NS / (max(starts) - min(starts)))


def unclassified(report: Report, style: Style) -> list[str]:
    """Describe slow requests outside the classes, and routes that are slow as a whole or were not judged."""
    return [*unexplained(report, style), *of_routes(report, style)]


def unexplained(report: Report, style: Style) -> list[str]:
    """Describe slow requests that no class explains: too few, further classes, outlying ones, the machine."""
    classes = report.groups
    lines = [_too_few(classes.small, style)] if classes.small and report.verdict.kind != "thin" else []
    count, requests = classes.uncounted
    if count:
        lines.append(f"Others: {plural(count, 'class', 'classes')}, {plural(requests, 'request')}.")
    lines += _outlying(report, style)
    if classes.alike:
        cause = "the machine (or the memory of the function), not a part"
        lines.append(f"{plural(len(classes.alike), 'request')} slow in nearly all parts alike: {cause}.")
    return lines


def of_routes(report: Report, style: Style) -> list[str]:
    """Describe the routes that are slow as a whole, and those with too few requests to judge."""
    slowness = report.groups.slowness
    lines = [whole_sentence(whole, report, style) for whole in slowness.whole]
    if slowness.left_out and slowness.comparable:
        routes = clean(listed(slowness.left_out, MOST_FEW), style)
        lines.append(f"Not judged, because too few requests came: {routes}.")
    return [*lines, *execution_sentences(report, style)]


def _outlying(report: Report, style: Style) -> list[str]:
    """`12 requests of GET /orders above 704 ms belong to no finding.`"""
    breakdowns, outlying = report.breakdowns, report.groups.slowness.outlying
    if len(outlying) < ENOUGH_SLOW:
        return []
    kinds = list(breakdowns.kinds)
    routes = sorted({kinds[breakdowns.kind_of[index]].route for index in outlying})
    above = ms(min(breakdowns.walls_ns[index] for index in outlying) - 1, style)
    requests = f"{plural(len(outlying), 'request')} of {clean(listed(routes, MOST_FEW), style)}"
    return [f"{requests} above {above} belong to no finding: times vary too widely there."]


def _too_few(classes: Sequence[CauseGroup], style: Style) -> str:
    texts = [
        f"{plural(len(small.members), 'request')} for {clean(small.edge.component.phrase, style)} "
        f"({ms(small.excess_ns, style)})"
        for small in classes[:MOST_FEW]
    ]
    more = sum(len(small.members) for small in classes[MOST_FEW:])
    texts += [f"{number(more)} for other parts"] if more else []
    return f"Too few to tell: {', '.join(texts)}."


def whole_sentence(whole: Whole, report: Report, style: Style) -> str:
    """`POST /orders is slow as a whole (limit 500 ms): a typical request takes 900 ms, 861 ms of it (96 %) ...`."""
    limit_ns, typical = report.groups.slowness.limit_ns, ms(whole.typical_ns, style)
    over = f" (limit {ms(limit_ns, style)})" if limit_ns is not None else ""
    text = f"{clean(whole.route, style)} is slow as a whole{over}: a typical request takes {typical}"
    if whole.edge is None or not whole.edge_ns:
        return f"{text}."
    share = percent(whole.edge_ns, whole.typical_ns, style)
    return f"{text}, {ms(whole.edge_ns, style)} of it ({share}) {clean(whole.edge.label, style)}."
