"""The comparison with a baseline as text: a sentence, a table of the parts that changed, and what calls others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_latency.latency import COMPARABLE_REQUESTS, CauseGroup, Edge, Report, instant_of
from lambda_latency.text.cause_groups import OWNED, owned, per_day, waits_for
from lambda_latency.text.findings import finding_pieces, of_which
from lambda_latency.text.style import Line, Piece, Style, plain
from lambda_latency.text.table import LONGEST_NAME, owner_pieces, widths_of
from lambda_latency.text.words import clean, fit, left, listed, ms, number, owner, percent, plural, right, signed

if TYPE_CHECKING:
    from lambda_latency.latency import (
        Against,
        CallChange,
        CallGraphChanges,
        Cause,
        ChangeEstimate,
        EdgeChange,
        ErrorOutcome,
        NewGroup,
        OperationChange,
        Rate,
        RouteChange,
        Slowdown,
    )

HEAD = ("Against the baseline", "owner", "then", "now", "difference", "between", "")
LONGER = "longer in the slowest requests"
MORE = ("more", "new")  # kinds of changed calls that take longer
MOST_ALSO, MOST_CALLEES = 3, 3
MOST_PARTS = 12
NUMBERS, OTHERS = ("baseline", "current", "difference"), ("owner", "between", "how")  # columns
SHORTEST_NAME = 20
PLAIN = Style()


@dataclass(frozen=True, slots=True)
class DiffRow:
    """A line of the table, each cell as it is printed."""

    name: str
    owner: str
    baseline: str
    current: str
    difference: str
    between: str = ""
    how: str = ""


def against_lines(diff: Against, style: Style, *, everything: bool = False) -> list[Line]:
    """Return the table; `everything` lists the parts without a difference too. Without rows, nothing."""
    rows = against_rows(diff, style, everything=everything)
    if not rows:
        return []
    lines = _table(rows, style)
    unlisted = len(diff.edges) + 1 - len(rows)
    return [*lines, [Piece(f"{plural(unlisted, 'more part')}: no difference", "dim")]] if unlisted else lines


def against_sentence(diff: Against, style: Style) -> list[Piece]:
    """Say what became slower or faster, with its difference and bounds, or that the requests do not show it."""
    old, new = (number(count) for count in diff.requests)
    if diff.answer == "few" or diff.whole is None:
        text = f"Too few requests to compare with the baseline ({old} then, {new} now): it takes "
        return [Piece(f"{text}{COMPARABLE_REQUESTS} of one route on both sides.")]
    counts = f"{old} requests then, {new} now"
    sentences = {"same": _same, "unsure": _unsure, "disturbed": _disturbed, "shape": _call_graph}
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
    old, new = (_percent(share, style) for share in outcome.shares)
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
    """Say that the whole request changed, but no cell."""
    whole = diff.whole
    assert whole is not None
    amount = LONGER if _is_only_longer(whole) else _by(whole.difference or whole.mean, style)
    return [
        Piece(f"{direction}a typical request takes " if whole.by_typical else f"{direction}requests take "),
        Piece(amount, "bold"),
        Piece(", and no single part explains it."),
    ]


def _unreported(diff: Against) -> list[EdgeChange]:
    """Return the changed cells after the first, except those that the sentence about a slow caller covers."""
    first_change, *further = diff.changed
    cause = _slow_caller(diff, first_change)
    return further if cause is None else [change for change in further if change.edge not in cause.edges]


def _slow_caller(diff: Against, change: EdgeChange) -> Cause | None:
    """Return the first cause if it is a caller whose calls slowed alike, and the changed cell is one of these."""
    cause = diff.causes[0] if diff.causes else None
    return cause if cause is not None and cause.origin == "caller" and change.edge in cause.edges else None


def _between(window: tuple[int, int]) -> str:
    begin, end = map(instant_of, window)
    return f" from {begin} to {end}"


def against_rows(diff: Against, style: Style, *, everything: bool = False) -> list[DiffRow]:
    """Return the rows of the parts that changed, and of the whole request; none without a change."""
    whole = diff.whole
    if whole is None or not (diff.changed or whole.difference or everything):
        return []
    changes = diff.edges if everything else diff.changed
    return [_row(change, style) for change in (*changes, whole)]


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
    """Say what a change of a mean hides: whether the tail changed, and how many requests wait for the cell."""
    if change.by_typical:
        return
    if change.tested.how == "tail" and change.waited[0]:
        yield Piece(" The tail changed, not the typical request.")
    if change.is_waited_for_otherwise:
        counts = zip(change.waited, change.requests, strict=True)
        old, new = (f"{number(waiting)} of {number(requests)}" for waiting, requests in counts)
        yield Piece(f" {new} requests wait for it, {old} did.")


def _slow(edge: Edge, fresh: NewGroup, style: Style) -> list[Piece]:
    """`13 of 343 requests of GET /a wait 936 ms longer than a typical one for b: own code; none of 353 did then.`"""
    slow, requests = (number(counts[1]) for counts in (fresh.slow, fresh.requests))
    routes = clean(fresh.routes[0], style) if len(fresh.routes) == 1 else f"{number(len(fresh.routes))} routes"
    did = f"{number(fresh.slow[0])} of {number(fresh.requests[0])} did then" if fresh.slow[0] else "none did then"
    calls = ""
    if fresh.calls is not None:
        calls = f", in {number(fresh.calls[1])} calls instead of {number(max(fresh.calls[0], 1))}"
    return [
        Piece(f"{slow} of {requests} requests of {routes} wait "),
        Piece(f"{ms(fresh.excess_ns, style)} longer", "bold"),
        Piece(f" than a typical one for {clean(edge.label, style)}{calls}; {did}."),
        *([Piece(" "), Piece(OWNED["ours"])] if fresh.calls is not None else owned(edge.component, style)),
    ]


def reported_sentence(group: CauseGroup, report: Report, style: Style) -> list[Piece]:
    """Say what the change's sentence does not say of its group of slow requests; empty for other groups."""
    new_group = report.against.decision.group if report.against is not None and report.baseline is not None else None
    edges = {edge.merged for edge in new_group.edges} if new_group is not None else ()
    if new_group is None or group.edge.merged not in edges or len(group.members) != new_group.slow[1]:
        return []
    window, daily = "", per_day(group, report)
    if group.window is not None:
        window = f", nearly all{_between(group.window)}"
    return [
        Piece(f"The {plural(len(group.members), 'request')} that wait for "),
        *waits_for(group.edge, style),
        Piece(" have "),
        Piece(f"{round(100 * group.share)}{style.space}%", "bold"),
        Piece(" of the excess"),
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
        return f"{clean(change.edge.label, style)} {longer}"
    amount = LONGER if _is_only_longer(change) else f"{_more(change.difference, style)} {_how(change)}"
    return f"{clean(change.edge.label, style)} {amount}"


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


def _row(change: EdgeChange, style: Style) -> DiffRow:
    shown = change.difference or change.typical or change.mean
    return DiffRow(
        name=clean(change.edge.label, style) if change.edge is not None else "the whole request",
        owner=owner(change.component) if change.component is not None else "",
        baseline=ms(shown.before_ns, style),
        current=ms(shown.now_ns, style),
        difference=signed(shown.difference_ns, style),
        between=f"{signed(shown.low_ns, style)} to {signed(shown.high_ns, style)}",
        how=_how_measured(change, shown),
    )


def _how_measured(change: EdgeChange, shown: ChangeEstimate) -> str:
    kind = "typically" if change.component is None else "each time"
    if shown is change.mean:
        kind = "on average"
    return kind if change.difference is not None else f"{kind}, may be noise"


def _table(rows: list[DiffRow], style: Style) -> list[Line]:
    table = [DiffRow(*HEAD), *rows]
    widths = widths_of(table, ("name", *NUMBERS, *OTHERS))
    room = style.width - _width(NUMBERS, widths)
    # In a narrow terminal the last columns are left out first.
    shown: tuple[str, ...] = OTHERS
    while shown and SHORTEST_NAME + _width(shown, widths) > room:
        shown = shown[:-1]
    widths["name"] = min(widths["name"], LONGEST_NAME, room - _width(shown, widths))
    return [_table_line(row, index, widths, shown, style) for index, row in enumerate(table)]


def _width(fields: Iterable[str], widths: Mapping[str, int]) -> int:
    """Return the cells of these columns, each with the space before it."""
    return sum(2 + widths[field] for field in fields)


def _table_line(row: DiffRow, index: int, widths: Mapping[str, int], shown: Sequence[str], style: Style) -> Line:
    ink = "" if index else "bold"
    line = [Piece(left(fit(row.name, widths["name"], style), widths["name"]), "bold" if index < 2 else "")]
    if "owner" in shown:
        line += owner_pieces(row.owner, widths["owner"], ink)
    for field in (*NUMBERS, *shown[1:]):
        edge = getattr(row, field)
        aligned = left(edge, widths[field]) if field == "how" else right(edge, widths[field])
        line.append(Piece(f"  {aligned}", ink))
    return line


def change_rows(diff: Against, style: Style) -> list[DiffRow]:
    """Return the head, then parts and the whole request (the largest change first), percentiles, and rates.

    Percentiles have no bounds: their cells are empty.
    """
    components = against_rows(diff, style, everything=True)
    components = [*components[:-1][:MOST_PARTS], *components[-1:]]
    walls = [
        DiffRow(f"p{rank} of all requests", "", ms(old, style), ms(new, style), signed(new - old, style))
        for rank, old, new in diff.percentiles
    ]
    return [DiffRow(*HEAD), *components, *walls, *(_rate_row(rate, style) for rate in diff.rates)]


def _rate_row(rate: Rate, style: Style) -> DiffRow:
    old, new = (
        f"{number(count)} of {number(requests)} ({percent(count, requests, style)})"
        for count, requests in (rate.old, rate.new)
    )
    bounds = (rate.low, rate.high, rate.difference)
    low, high, difference = (f"{100 * share:+.1f}{style.space}%" for share in bounds)
    noise = "" if rate.stands else "may be noise"
    return DiffRow(rate.name, "", old, new, difference, f"{low} to {high}", noise)


def _call_graph(diff: Against, counts: str, style: Style) -> list[Piece]:
    """`Other calls than the baseline (...): PlaceOrder of checkout no longer calls ShipOrder (96 % then, 0 % now).`"""
    shapes = diff.call_graphs
    pieces = [Piece(f"Other calls than the baseline ({counts}): ")]
    if not shapes.operations:
        first_call, *other_calls = shapes.calls
        pieces += [Piece(calls_sentence(first_call, style), "bold"), Piece(f".{_called_less(diff, style)}")]
        return [*pieces, Piece(" The cause is internal."), *_also_changed([], other_calls, style)]
    first_operation, *other_operations = shapes.operations
    pieces += _operation(first_operation, style)
    early = " An early return or an exception would do this." if first_operation.gone else ""
    pieces.append(Piece(f".{_called_less(diff, style) or early}"))
    return [*pieces, Piece(" The cause is internal."), *_also_changed(other_operations, shapes.calls, style)]


def _called_less(diff: Against, style: Style) -> str:
    """Say why the first cause is a callee, if it is one; else nothing."""
    if diff.causes[0].service not in diff.call_graphs.callees_of_answers:
        return ""
    return f" {clean(diff.causes[0].service, style)} is called less often: what it answers may have changed."


def calls_sentence(call: CallChange, style: Style) -> str:
    """`a request of GET /cart makes 60 calls instead of 1: cart -> postgresql orders`."""
    label, route = clean(call.edge.label, style), clean(call.route, style)
    old, new = call.medians
    if call.kind == "gone":
        return f"a request of {route} no longer calls {label} ({_mean(call.mean[0])} then)"
    if call.kind == "new":
        return f"a request of {route} now calls {label} ({_mean(call.mean[1])} a request)"
    return f"a request of {route} makes {plural(new, 'call')} instead of {number(old)}: {label}"


def call_graph_values(shapes: CallGraphChanges) -> dict[str, object]:
    """Return the changes as JSON values; shares are those of the requests with the operation."""
    return {
        "operations": [
            {
                "service": operation.service,
                "operation": operation.operation,
                "deviations": round(operation.deviations, 3),
                "requests": {"then": operation.requests[0], "now": operation.requests[1]},
                "gone": [_callee(*callee) for callee in operation.gone],
                "new": [_callee(*callee) for callee in operation.new],
            }
            for operation in shapes.operations
        ],
        "calls": [
            {
                "kind": call.kind,
                "route": call.route,
                "caller": call.edge.caller,
                "bucket": call.edge.component.category,
                "name": call.edge.component.name,
                "then": {"mean": round(call.mean[0], 3), "median": call.medians[0]},
                "now": {"mean": round(call.mean[1], 3), "median": call.medians[1]},
                "sentence": calls_sentence(call, PLAIN),
            }
            for call in shapes.calls
        ],
    }


def _callee(name: str, baseline_share: float, current_share: float) -> dict[str, object]:
    return {"callee": name, "then": round(baseline_share, 6), "now": round(current_share, 6)}


def _operation(change: OperationChange, style: Style) -> list[Piece]:
    of = f" of {clean(change.service, style)}" if change.service else ""
    name = f"{clean(change.operation, style)}{of}"
    if change.gone:
        also = [Piece(f", but {_callees(change.new, style)}")] if change.new else []
        return [Piece(f"{name} no longer calls {_callees(change.gone, style)}", "bold"), *also]
    if change.new:
        return [Piece(f"{name} now calls {_callees(change.new, style)}", "bold")]
    _, old, new = change.largest
    if _percent(old, style) != _percent(new, style):
        how = "less" if new < old else "more"
        return [Piece(f"{name} {how} often calls {_callees([change.largest], style)}", "bold")]
    return [Piece(f"{name} calls other sets of callees", "bold"), Piece(f" (in {number(change.requests[1])} requests)")]


def _callees(callees: Sequence[tuple[str, float, float]], style: Style) -> str:
    """`ShipOrder (96 % of its requests then, 0 % now), EmptyCart (...), and 2 more`."""
    texts = [
        f"{clean(name, style)} ({_percent(old, style)} then, {_percent(new, style)} now)" for name, old, new in callees
    ]
    return listed(texts, MOST_CALLEES)


def _also_changed(operations: Sequence[OperationChange], calls: Sequence[CallChange], style: Style) -> list[Piece]:
    changes = [plain(_operation(operation, style)) for operation in operations]
    changes += [calls_sentence(call, style) for call in calls]
    return [Piece(f" Also: {listed(changes, MOST_ALSO, '; ')}.")] if changes else []


def _percent(share: float, style: Style) -> str:
    return f"{100 * share:.0f}{style.space}%"


def _mean(calls: float) -> str:
    return f"{calls:.1f}".removesuffix(".0")
