"""The comparison with a baseline as a sentence: what became slower or faster, by how much, and for which cause."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lambda_latency.latency import (
    COMPARABLE_REQUESTS,
    CauseGroup,
    Edge,
    Report,
    are_executions,
    instant_of,
    names_of,
    noun_of,
)
from lambda_latency.text.call_graph import MOST_ALSO, call_graph_sentence, calls_sentence, share
from lambda_latency.text.cause_groups import OWNED, owned, per_day, waits_for
from lambda_latency.text.executions import attempts_of_group
from lambda_latency.text.findings import finding_pieces, of_which
from lambda_latency.text.style import Piece, Style
from lambda_latency.text.words import clean, ms, number, percent, plural, signed

if TYPE_CHECKING:
    from lambda_latency.latency import (
        Against,
        CallChange,
        Cause,
        ChangeEstimate,
        EdgeChange,
        ErrorOutcome,
        NewGroup,
        Rate,
        RouteChange,
        Slowdown,
    )

LONGER = "longer in the slowest requests"
MORE = ("more", "new")  # kinds of changed calls that take longer


def against_sentence(diff: Against, style: Style) -> list[Piece]:
    """Say what became slower or faster, with its difference and bounds, or that the requests do not show it."""
    old, new = (number(count) for count in diff.requests)
    if diff.answer == "few" or diff.whole is None:
        text = f"Too few requests to compare with the baseline ({old} then, {new} now): it takes "
        return [Piece(f"{text}{COMPARABLE_REQUESTS} of one route on both sides.")]
    counts = f"{old} requests then, {new} now"
    sentences = {"same": _same, "unsure": _unsure, "disturbed": _disturbed, "shape": call_graph_sentence}
    pieces = sentences.get(diff.answer, _changed)(diff, counts, style)
    return [*pieces, *_remarks(diff, style)]


def slowdown_text(slowdown: Slowdown, style: Style) -> str:
    """`Requests of GET /a take 25 % more typically`."""
    return f"{clean(slowdown.subject, style)} take {_percentage(slowdown.percent, style)} {slowdown.statistic}"


def _percentage(percent: float, style: Style) -> str:
    """`13.6 % more`."""
    size = f"{abs(percent):,.0f}" if abs(percent) >= 100 else f"{abs(percent):.3g}"
    return f"{size}{style.space}% {'more' if percent > 0 else 'less'}"


def _remarks(diff: Against, style: Style) -> Iterator[Piece]:
    """Say what follows every answer: the measure, rates that differ, timeouts, and routes that were not compared."""
    decision = diff.decision
    is_said = diff.answer == "same" or (_is_of_route(diff) and decision.slowdown.routes == (diff.by_route[0].route,))
    if decision.slowdown.percent > 0 and not is_said:
        yield Piece(f" {slowdown_text(decision.slowdown, style)}.")
    if decision.doubled:
        yield Piece(f" But {_doubled(diff, style)}, and no part is sure to be the cause: give more requests.")
    yield from (Piece(f" {_outcome(outcome, style)}") for outcome in _changed_outcomes(diff)[:1])
    yield from (Piece(f" {text}") for text in _differing_rates(diff, style))
    if diff.left_out:
        names = clean(", ".join(diff.left_out), style)
        yield Piece(f" Not compared, because one side has too few requests: {names}.")


def _differing_rates(diff: Against, style: Style) -> Iterator[str]:
    """Yield a sentence for each rate that differs; the number of timeouts, whatever their rate."""
    differing = [rate for rate in diff.rates if rate.stands]
    yield from (_rate(rate, style) for rate in differing)
    old, new = diff.timeouts
    if old != new and "timeouts" not in {rate.name for rate in differing}:
        yield f"Timeouts: {number(old)} then, {number(new)} now."


def _changed_outcomes(diff: Against) -> list[ErrorOutcome]:
    return [outcome for outcome in diff.call_graphs.outcomes if outcome.has_changed]


def _outcome(outcome: ErrorOutcome, style: Style) -> str:
    """`The baseline is broken: 57 % of the requests of GET /trips of travel ended in error then, 0 % do now.`"""
    of = f" of {clean(outcome.service, style)}" if outcome.service else ""
    old, new = (share(of_requests, style) for of_requests in outcome.shares)
    requests = f"of the requests of {clean(outcome.operation, style)}{of}"
    handler = clean(outcome.handler, style)
    if outcome.shares[0] > outcome.shares[1]:
        return f"The baseline is broken: {old} {requests} ended in {handler} then, {new} do now."
    return f"More errors: {new} {requests} end in {handler}, {old} did then."


def _same(diff: Against, counts: str, style: Style) -> list[Piece]:
    assert diff.whole is not None
    if diff.decision.slowdown.percent:
        text = slowdown_text(diff.decision.slowdown, style)
        return [
            Piece(f"Little difference from the baseline ({counts})", "bold"),
            Piece(f": {text[0].lower()}{text[1:]}."),
        ]
    if any(rate.stands for rate in diff.rates) or _changed_outcomes(diff):
        return [Piece(f"Times do not differ from the baseline ({counts}), but rates do", "bold"), Piece(".")]
    shown = diff.whole.typical or diff.whole.mean
    return [
        Piece(f"No difference from the baseline ({counts})", "bold"),
        Piece(f": a typical request takes {_by(shown, style)}, which may be noise."),
    ]


def _unsure(diff: Against, counts: str, style: Style) -> list[Piece]:
    observation = _doubled(diff, style)
    if not observation:
        assert diff.whole is not None
        assert diff.whole.tested.window is not None
        observation = f"requests were slower{_between(diff.whole.tested.window)}"
    pieces = [
        Piece(f"Unsure ({counts}): "),
        Piece(observation, "bold"),
        Piece(", and no part is sure to be the cause: give more requests."),
    ]
    candidates = [clean(cause.edges[0].label, style) for cause in diff.causes[:MOST_ALSO]]
    return [*pieces, Piece(f" Candidates: {', '.join(candidates)}.")] if candidates else pieces


def _doubled(diff: Against, style: Style) -> str:
    """`the p95 of GET /a rose from 50 ms to 120 ms`; empty if that of no route has doubled."""
    route = next((route for route in diff.by_route if route.is_doubled), None)
    if route is None:
        return ""
    old, new = (ms(ns, style) for ns in route.p95_ns)
    return f"the p95 of {clean(route.route, style)} rose from {old} to {new}"


def _disturbed(diff: Against, counts: str, _style: Style) -> list[Piece]:
    slower = sum(change.tested.kind == "slower" for change in diff.edges)
    return [
        Piece(f"Disturbed ({counts}): "),
        Piece("nearly all parts became slower alike", "bold"),
        Piece(f" ({number(slower)} of {number(len(diff.edges))} surely): the machine, not a part. Run it again."),
    ]


def _changed(diff: Against, counts: str, style: Style) -> list[Piece]:
    when = _between(diff.decision.window) if diff.decision.window is not None else ""
    direction = f"{'Slower' if diff.answer == 'slower' else 'Faster'} than the baseline{when} ({counts}): "
    changed, calls = diff.changed, _first_calls(diff)
    if _is_of_route(diff):
        return [Piece(direction), *_route(diff, diff.by_route[0], style)]
    if calls is not None:
        sentence = [Piece(calls_sentence(calls, style), "bold"), Piece(". The cause is internal.")]
        return [Piece(direction), *sentence, *_also(changed, style)]
    if not changed:
        return _unexplained(diff, direction, style)
    cause = [*_first(diff, changed[0], style), *_calls(diff, changed[0], style)]
    return [Piece(direction), *cause, *_also(_unreported(diff), style)]


def _is_of_route(diff: Against) -> bool:
    """Return whether only a route is slower: the sentence has its percentage."""
    return diff.answer == "slower" and not diff.changed and diff.by_route[0].is_slower


def _unexplained(diff: Against, direction: str, style: Style) -> list[Piece]:
    """Say that the whole request changed, but no edge."""
    whole = diff.whole
    assert whole is not None
    amount = LONGER if _is_only_longer(whole) else _by(whole.difference or whole.mean, style)
    return [
        Piece(f"{direction}a typical request takes " if whole.by_typical else f"{direction}requests take "),
        Piece(amount, "bold"),
        Piece(", and no single part explains it."),
    ]


def _unreported(diff: Against) -> list[EdgeChange]:
    """Return the changed edges after the first, except those that the sentence about a slow caller covers."""
    first_change, *further = diff.changed
    cause = _slow_caller(diff, first_change)
    return further if cause is None else [change for change in further if change.edge not in cause.edges]


def _slow_caller(diff: Against, change: EdgeChange) -> Cause | None:
    """Return the first cause if it is a caller whose calls slowed alike, and the changed edge is one of these."""
    cause = diff.causes[0] if diff.causes else None
    return cause if cause is not None and cause.origin == "caller" and change.edge in cause.edges else None


def _between(window: tuple[int, int]) -> str:
    begin, end = map(instant_of, window)
    return f" from {begin} to {end}"


def _rate(rate: Rate, style: Style) -> str:
    """`More errors: 2 of 120 then, 40 of 120 now (between +20 % and +43 %).`"""
    how = "More" if rate.difference > 0 else "Fewer"
    low, high = (f"{100 * bound:+.0f}{style.space}%" for bound in (rate.low, rate.high))
    old, new = (f"{number(count)} of {number(requests)}" for count, requests in (rate.old, rate.new))
    return f"{how} {rate.name}: {old} then, {new} now (between {low} and {high})."


def _first_calls(diff: Against) -> CallChange | None:
    """Return the calls that requests make more of, if they are the first cause."""
    if diff.answer != "slower" or not diff.causes or diff.causes[0].origin != "shape":
        return None
    caller = diff.causes[0].service
    return next((call for call in diff.call_graphs.calls if call.edge.caller == caller and call.kind in MORE), None)


def _route(diff: Against, route: RouteChange, style: Style) -> list[Piece]:
    """`GET /a takes 21 % more typically (36 ms then, 43 ms now), because of ...`."""
    old, new = (ms(ns, style) for ns in (route.p50_ns if route.how == "typical" else route.p95_ns))
    measure = "typically" if route.how == "typical" else "at p95"
    pieces = [
        Piece(f"{clean(route.route, style)} takes "),
        Piece(f"{_percentage(route.percent, style)} {measure} ({old} then, {new} now)", "bold"),
    ]
    calls = _first_calls(diff)
    if calls is not None:
        return [*pieces, Piece(f": {calls_sentence(calls, style)}. The cause is internal.")]
    if not diff.causes or not diff.causes[0].asserted:
        largest = f", most of it in {clean(route.edge.label, style)}" if route.edge is not None else ""
        return [*pieces, Piece(f"{largest}, and no part is sure to be the cause.")]
    edge, ns = diff.causes[0].edges[0], diff.causes[0].score_ns
    more = ms(round(ns), style)
    because = f", because of {clean(edge.label, style)} ({more} more a call)."
    return [*pieces, Piece(because), *owned(edge.component, style)]


def _first(diff: Against, change: EdgeChange, style: Style) -> list[Piece]:
    assert change.edge is not None
    if diff.decision.group is not None:
        return _slow(change.edge, diff.decision.group, style)
    label = clean(change.edge.label, style)
    pieces: list[Piece] = []
    cause = _slow_caller(diff, change) if diff.answer == "slower" else None
    if cause is not None:
        caller = clean(cause.service, style) or "the function"
        pieces.append(Piece(f"the calls of {caller} slowed alike, so it is the cause; "))
    pieces += [Piece(f"{label} takes "), Piece(_amount(diff, change, style), "bold"), Piece(".")]
    return [*pieces, *_behind_mean(change), *owned(change.edge.component, style)]


def _behind_mean(change: EdgeChange) -> Iterator[Piece]:
    """Say what a change of a mean hides: whether the tail changed, and how many requests wait for the edge."""
    if change.by_typical:
        return
    if change.tested.how == "tail" and change.waited[0]:
        yield Piece(" The tail changed, not the typical request.")
    if change.is_waited_for_otherwise:
        counts = zip(change.waited, change.requests, strict=True)
        old, new = (f"{number(waiting)} of {number(requests)}" for waiting, requests in counts)
        yield Piece(f" {new} requests wait for it, {old} did.")


def _slow(edge: Edge, fresh: NewGroup, style: Style) -> list[Piece]:
    """`13 of 343 requests of GET /a (4 %) wait 936 ms longer than a typical one for the code of b; none did then.`

    Of executions: `4 of 24 executions of ProcessOrder (17 %): the step charge takes 936 ms more than in a typical one`.
    """
    slow, requests = (number(counts[1]) for counts in (fresh.slow, fresh.requests))
    routes = names_of(fresh.routes)[0] if len(fresh.routes) == 1 else f"{number(len(fresh.routes))} routes"
    share_of_routes = percent(fresh.slow[1], fresh.requests[1], style)
    subject = f"{slow} of {requests} {noun_of(fresh.routes)}s of {clean(routes, style)} ({share_of_routes})"
    did = f"{number(fresh.slow[0])} of {number(fresh.requests[0])} did then" if fresh.slow[0] else "none did then"
    calls = ""
    if fresh.calls is not None:
        calls = f", in {number(fresh.calls[1])} calls instead of {number(max(fresh.calls[0], 1))}"
    time, phrase = ms(fresh.excess_ns, style), clean(edge.phrase, style)
    if are_executions(fresh.routes):
        longer = [f"{subject}: {phrase} takes ", f"{time} more", f" than in a typical one{calls}; {did}."]
    else:
        longer = [f"{subject} wait ", f"{time} longer", f" than a typical one for {phrase}{calls}; {did}."]
    return [
        *(Piece(longer[0]), Piece(longer[1], "bold"), Piece(longer[2])),
        *([Piece(" "), Piece(OWNED["ours"])] if fresh.calls is not None else owned(edge.component, style)),
    ]


def is_of_change(group: CauseGroup, report: Report) -> bool:
    """Return whether the change since the baseline is that of this group of slow requests."""
    if report.against is None or report.baseline is None or report.against.decision.group is None:
        return False
    new_group = report.against.decision.group
    edges = {edge.merged for edge in new_group.edges}
    return group.edge.merged in edges and len(group.members) == new_group.slow[1]


def reported_sentence(group: CauseGroup, report: Report, style: Style) -> list[Piece]:
    """Say what the change's sentence does not say of its group of slow requests; empty for other groups."""
    if not is_of_change(group, report):
        return []
    window, daily = "", per_day(group, report)
    if group.window is not None:
        window = f", nearly all{_between(group.window)}"
    requests = f"The {plural(len(group.members), noun_of(group.routes))} "
    if are_executions(group.routes):
        longer = f" takes longer{attempts_of_group(group, report)}"
        subject = [Piece(f"{requests}in which "), *waits_for(group, style), Piece(longer)]
    else:
        subject = [Piece(f"{requests}that wait for "), *waits_for(group, style)]
    return [
        *subject,
        Piece(" have "),
        Piece(f"{round(100 * group.share)}{style.space}%", "bold"),
        Piece(f" of the excess{', nearly all in cold starts' if group.starts_cold else ''}"),
        *of_which(report.own_code.get(group.edge), group.excess_ns, style),
        Piece(f"{window}, about {number(daily)} a day." if daily is not None else f"{window}."),
        *finding_pieces(report.diagnoses.get(group.edge), style),
    ]


def _calls(diff: Against, change: EdgeChange, style: Style) -> list[Piece]:
    """Describe the calls, if their number is what changed."""
    more = next((call for call in _calls_of(diff, change.edge) if call.kind in MORE), None)
    return [Piece(f" And {calls_sentence(more, style)}.")] if more is not None else []


def _calls_of(diff: Against, edge: Edge | None) -> list[CallChange]:
    """Return the changed calls of a cell; of own code without calls, those that its service makes or receives."""
    calls = diff.call_graphs.calls
    changed = [call for call in calls if call.edge == edge]
    if changed or edge is None or not edge.is_own:
        return changed
    return [call for call in calls if edge.caller in (call.edge.caller, call.edge.component.name)]


def _also(changes: Sequence[EdgeChange], style: Style) -> list[Piece]:
    shown = ", ".join(_short_change(change, style) for change in changes[:MOST_ALSO])
    more = f", and {len(changes) - MOST_ALSO} more" if len(changes) > MOST_ALSO else ""
    return [Piece(f" Also: {shown}{more}.")] if changes else []


def _short_change(change: EdgeChange, style: Style) -> str:
    assert change.edge is not None
    assert change.difference is not None
    group = change.tested.new_group
    if group is not None and not change.by_typical:
        longer = f"{ms(group.excess_ns, style)} longer in {plural(group.slow[1], 'request')}"
        return f"{clean(change.edge.phrase, style)} {longer}"
    amount = LONGER if _is_only_longer(change) else f"{_more(change.difference, style)} {_how(change)}"
    return f"{clean(change.edge.phrase, style)} {amount}"


def _is_only_longer(change: EdgeChange) -> bool:
    """Return whether a cell is slower only in its tail, and no mean shows it: the baseline had a few very long ones."""
    return change.tested.kind == "slower" and change.difference is not None and change.difference.difference_ns <= 0


def _amount(diff: Against, change: EdgeChange, style: Style) -> str:
    """`100 ms more each time (between ...)`, or that the tail is longer, with the p95 of the route that shows it."""
    assert change.difference is not None
    if not _is_only_longer(change):
        return _by(change.difference, style, _how(change), sure=True)
    route = diff.by_route[0] if diff.by_route else None
    if route is None or not route.is_slower or route.how == "typical":
        return LONGER
    old, new = (ms(ns, style) for ns in route.p95_ns)
    return f"{LONGER} (p95 of {clean(route.route, style)}: {old} then, {new} now)"


def _how(change: EdgeChange) -> str:
    return "each time" if change.by_typical else "on average"


def _more(estimate: ChangeEstimate, style: Style) -> str:
    return f"{ms(abs(estimate.difference_ns), style)} {'more' if estimate.difference_ns >= 0 else 'less'}"


def _by(estimate: ChangeEstimate, style: Style, how: str = "", *, sure: bool = False) -> str:
    """`100 ms more each time (between +92 ms and +108 ms)`; no bounds of a `sure` change that they do not show."""
    amount = f"{_more(estimate, style)}{f' {how}' if how else ''}"
    between = f"between {signed(estimate.low_ns, style)} and {signed(estimate.high_ns, style)}"
    return amount if sure and estimate.low_ns <= 0 <= estimate.high_ns else f"{amount} ({between})"
