"""The findings of a report in a few words each: what it is about, its time, its requests, when, and all its excess."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from lambda_latency.latency import CauseGroup, Report, at_rank, noun_of
from lambda_latency.text.against import against_sentence
from lambda_latency.text.cause_groups import LONGEST_ROUTES, excesses, requests_of_routes, since_when
from lambda_latency.text.cautions import failed_first, outcome
from lambda_latency.text.correlation import route_list, value_text
from lambda_latency.text.executions import routes_of
from lambda_latency.text.prose import Card, sentence, slow_of_requests, timeout_groups
from lambda_latency.text.style import Piece, Style, plain
from lambda_latency.text.words import clean, ms, number, plural, signed

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
HEADS = {"verdict": "All requests", "depends": "Several kinds of slow requests"}


class FindingRow(NamedTuple):
    """A finding in a few words; a text is empty where there is nothing to say.

    `time` is that of a request beyond a typical one, or another figure, and `unit` says which. `excess_ns` is the time
    of all its requests beyond typical ones.
    """

    name: str
    time: str = ""
    unit: str = ""
    requests: str = ""
    callers: str = ""
    when: str = ""
    depends: str = ""
    excess_ns: int = 0


class Unexplained(NamedTuple):
    """The slow requests that no finding explains, by index, and their time beyond typical requests."""

    members: tuple[int, ...]
    excess_ns: int


def headline(report: Report, style: Style) -> list[Piece]:
    """Return one line about all requests: how many are slow, and for how many reasons, or the answer of a comparison.

    `79 of 1,200 requests are slow, for two reasons.`
    """
    if report.against is not None:
        head, colon, _ = plain(against_sentence(report.against, style)).partition(": ")
        return [Piece(f"{head}." if colon else head)]
    failed = failed_first(report, style)
    if failed and report.failures is not None:
        return [Piece(f"{failed[0].text}.")]
    if report.verdict.kind == "thin":
        return [Piece(f"Thin evidence: {slow_of_requests(report, style)}.")]
    return _reasons(report) if report.verdict.kind == "clear" else sentence(report, style)


def _reasons(report: Report) -> list[Piece]:
    slow, groups = len(report.groups.slow), len(report.groups.groups)
    verb = "are" if slow > 1 else "is"
    reasons = f"{NUMBERS[groups] if groups < len(NUMBERS) else number(groups)} reason{'s' if groups > 1 else ''}"
    requests = plural(report.totals.requests, noun_of(routes_of(report.breakdowns)))
    return [Piece(f"{number(slow)} of {requests} {verb} slow, for {reasons}.")]


class FindingRows:
    """Makes the rows of a report's findings."""

    def __init__(self, report: Report, style: Style) -> None:
        self._report, self._style = report, style

    def row(self, card: Card) -> FindingRow:
        """Return the row of a card."""
        rows: dict[str, Callable[[Card], FindingRow]] = {
            "class": self._of_group,
            "timeout": self._of_timeout,
            "failed": self._of_failed,
            "change": self._of_change,
            "verdict": self._of_verdict,
        }
        make = rows.get(card.kind)
        return make(card) if make is not None else FindingRow(HEADS[card.kind])

    def unexplained(self) -> Unexplained:
        """Return the slow and the outlying requests that belong to no cause group; none if the verdict is on them."""
        groups = self._report.groups
        outlying = groups.slowness.outlying
        excess_ns = self._beyond_typical_ns(outlying)
        if self._report.verdict.kind != "clear":
            return Unexplained(outlying, excess_ns)
        explained = {member for group in groups.groups for member in group.members}
        excess_ns += groups.excess_ns - sum(map(self._excess_of_group_ns, groups.groups))
        return Unexplained(tuple(sorted({*groups.slow, *outlying} - explained)), excess_ns)

    def _of_group(self, card: Card) -> FindingRow:
        report, style, index = self._report, self._style, card.number or 0
        group = report.groups.groups[index]
        count, requests = number(len(group.members)), number(requests_of_routes(group, report))
        caller = group.edge.caller if not group.edge.is_own else ""
        association = report.correlations.of_group(index)[:1]
        return FindingRow(
            name=clean(" and ".join([edge.component.label for edge, _ in group.edges]), style),
            time=f"+{excesses(group, style)}",
            unit="each",
            requests=f"{count} of {requests} {route_list(group.routes, LONGEST_ROUTES, style)}",
            callers=clean(caller, style),
            when=since_when(group, report.correlations.since_of(index)).removeprefix(", "),
            depends=" and ".join([value_text(value, style) for a in association for value in a.values]),
            excess_ns=self._excess_of_group_ns(group),
        )

    def _of_timeout(self, card: Card) -> FindingRow:
        report, style = self._report, self._style
        group = timeout_groups(report)[card.number or 0]
        example = group[0]
        index_of = {report.breakdowns.trace_id(index): index for index in report.breakdowns.timed_out()}
        return FindingRow(
            name=clean(example.running, style) or "an unknown call",
            time=ms(example.limit_ns, style) if example.limit_ns else "",
            unit="limit" if example.limit_ns else "",
            requests=f"{number(len(group))} of {plural(report.totals.requests, 'request')} timed out",
            excess_ns=self._beyond_typical_ns([index_of[timeout.trace_id] for timeout in group]),
        )

    def _of_failed(self, card: Card) -> FindingRow:
        failures = self._report.failures
        assert failures is not None
        slow = set(self._report.groups.slow)
        failed = self._report.breakdowns.of_kind(lambda kind: kind.error and not kind.timed_out)
        return FindingRow(
            name=clean(card.component.label, self._style) if card.component is not None else "Errors",
            time=number(failures.count),
            unit="failed",
            requests=outcome(failures, self._style),
            excess_ns=self._beyond_typical_ns([index for index in failed if index not in slow]),
        )

    def _of_change(self, card: Card) -> FindingRow:
        """Return the row of the comparison: the component and the difference that its sentence names.

        `card.number` is that of the group of slow requests that shows the change.
        """
        diff, style = self._report.against, self._style
        assert diff is not None
        decision, row = diff.decision, self._of_compared(card)
        if decision.group is not None:
            (slow_before, slow), (_, requests) = decision.group.slow, decision.group.requests
            routes = route_list(decision.group.routes, LONGEST_ROUTES, style)
            return row._replace(
                time=f"+{ms(decision.group.excess_ns, style)}",
                unit="each",
                requests=f"{number(slow)} of {number(requests)} {routes}, {number(slow_before)} then",
            )
        shown = diff.changed[0].difference if diff.changed else None
        if shown is None or not decision.is_sure:
            return row
        unit = "each time" if diff.changed[0].by_typical else "on average"
        return row._replace(time=signed(shown.difference_ns, style), unit=unit)

    def _of_compared(self, card: Card) -> FindingRow:
        """Return the row of a comparison without its difference: that of the group, or the component and requests."""
        diff, style = self._report.against, self._style
        assert diff is not None
        if card.number is not None:
            return self._of_group(card)
        old, new = map(number, diff.requests)
        requests = f"{new} requests, {old} then"
        edge = diff.decision.edge
        if edge is None or not diff.decision.is_sure:
            return FindingRow("All requests", requests=requests)
        caller = "" if edge.is_own else clean(edge.caller, style)
        return FindingRow(clean(edge.component.label, style), requests=requests, callers=caller)

    def _of_verdict(self, _card: Card) -> FindingRow:
        report = self._report
        if report.verdict.kind != "thin":
            return FindingRow(HEADS["verdict"], requests=plural(report.totals.requests, "request"))
        return FindingRow(
            "Too few to tell",
            requests=slow_of_requests(report, self._style),
            excess_ns=report.groups.excess_ns,
        )

    def _excess_of_group_ns(self, group: CauseGroup) -> int:
        return round(group.share * self._report.groups.excess_ns)

    def _beyond_typical_ns(self, members: Sequence[int]) -> int:
        """Return the time of some requests beyond the median of their routes; no request has less than none."""
        walls_ns, typical_ns = self._report.breakdowns.walls_ns, self._typical_ns if members else {}
        return sum([max(walls_ns[index] - typical_ns.get(self._route(index), 0), 0) for index in members])

    def _route(self, index: int) -> str:
        breakdowns = self._report.breakdowns
        return self._kinds[breakdowns.kind_of[index]]

    @cached_property
    def _kinds(self) -> list[str]:
        """The routes of the kinds of requests."""
        return [kind.route for kind in self._report.breakdowns.kinds]

    @cached_property
    def _typical_ns(self) -> Mapping[str, int]:
        """The median wall clock by route, of the requests that did not time out."""
        walls_ns: dict[str, list[int]] = {}
        for index in self._report.breakdowns.ended():
            walls_ns.setdefault(self._route(index), []).append(self._report.breakdowns.walls_ns[index])
        return {route: at_rank(sorted(walls), 50) for route, walls in walls_ns.items()}
