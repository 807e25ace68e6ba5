"""Questions about slow or changed requests: which others they are compared with, and which are read for it."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from typing import TYPE_CHECKING, NamedTuple

from lambda_latency.latency.analysis.cause_groups import CauseGroup, CauseGroups
from lambda_latency.latency.analysis.thresholds import ENOUGH_SLOW, SLOW_PERCENT
from lambda_latency.latency.breakdowns.breakdown import Operation
from lambda_latency.latency.breakdowns.columns import Breakdowns
from lambda_latency.latency.breakdowns.component import Edge
from lambda_latency.latency.breakdowns.totals import at_rank
from lambda_latency.latency.correlation.attribute_sets import bits

if TYPE_CHECKING:
    from lambda_latency.latency.baseline.against import Against
    from lambda_latency.latency.baseline.call_graphs import OperationChange

MOST_CHANGES = 3  # changes that have a question
# Requests of a change, and their share of all: of more, all requests changed
LEAST, MOST_SHARE = 8, 0.9


class ChangedRequests(NamedTuple):
    """Requests that changed, and their controls: requests of the same routes that did not, by index.

    They wait longer for `edge` than nearly all of the baseline (None: they take longer as a whole); or they
    call a `callee`, or do so no longer (`lacks`).
    """

    routes: tuple[str, ...]
    members: tuple[int, ...]
    controls: tuple[int, ...]
    edge: Edge | None = None
    callee: str = ""
    lacks: bool = False

    @property
    def is_comparable(self) -> bool:
        """Whether enough requests changed, and not nearly all."""
        return LEAST <= len(self.members) <= MOST_SHARE * (len(self.members) + len(self.controls))


def changed_requests(breakdowns: Breakdowns, baseline: Breakdowns, against: Against) -> list[ChangedRequests]:
    """Return the requests of each change, the largest first; none if nearly all requests changed, or too few."""
    routes = against.routes
    if against.answer == "shape":
        changes = [
            _reshaped_requests(breakdowns, routes, change) for change in against.call_graphs.operations[:MOST_CHANGES]
        ]
    elif against.answer == "slower":
        edges = _slower_edges(against)[:MOST_CHANGES]
        changes = [_slower_requests(breakdowns, baseline, routes, edge) for edge in edges]
    else:
        return []
    return [change for change in changes if change.is_comparable]


def _slower_edges(against: Against) -> list[Edge | None]:
    """The edges that requests wait longer for, the surest first; only None (the whole request) if there are none."""
    sure = [cause.edges[0] for cause in against.causes if cause.asserted and cause.origin != "shape"]
    slower = [change.edge for change in against.changed if change.edge is not None]
    called_more = [change.edge for change in against.call_graphs.calls if change.kind in ("more", "new")]
    return [*dict.fromkeys([*sure, *slower, *called_more])] or [None]


def _slower_requests(
    breakdowns: Breakdowns, baseline: Breakdowns, routes: tuple[str, ...], edge: Edge | None
) -> ChangedRequests:
    """The requests whose time exceeds the baseline's percentile `SLOW_PERCENT` of their route."""
    baseline_ns: defaultdict[str, list[int]] = defaultdict(list)
    for _, route, ns in _times(baseline, routes, edge):
        baseline_ns[route].append(ns)
    limits = {route: at_rank(sorted(times), SLOW_PERCENT) for route, times in baseline_ns.items()}
    members, controls = defaultdict[str, list[int]](list), defaultdict[str, list[int]](list)
    for index, route, ns in _times(breakdowns, routes, edge):
        (members if ns > limits.get(route, 0) else controls)[route].append(index)
    # Of a route that did not change as many are beyond the percentile
    share = 100 / SLOW_PERCENT - 1
    changed = [route for route, slow in members.items() if len(slow) > 2 * share * (len(slow) + len(controls[route]))]
    return ChangedRequests(
        routes=tuple(sorted(changed)),
        members=tuple(chain.from_iterable(members[route] for route in changed)),
        controls=tuple(chain.from_iterable(controls[route] for route in changed)),
        edge=edge,
    )


def _times(breakdowns: Breakdowns, routes: tuple[str, ...], edge: Edge | None) -> Iterator[tuple[int, str, int]]:
    """Yield the index, the route and the time of each request of the routes that did not time out."""
    kinds = breakdowns.kinds
    route_of = {number: kind.route for kind, number in kinds.items() if kind.route in routes and not kind.timed_out}
    times: Mapping[int, int] | Sequence[int] = breakdowns.walls_ns
    if edge is not None:
        times = breakdowns.waits_ns({breakdowns.edges.get(edge, -1)})
    for index, number in enumerate(breakdowns.kind_of):
        if number in route_of:
            yield index, route_of[number], times[index]


def _reshaped_requests(breakdowns: Breakdowns, routes: tuple[str, ...], change: OperationChange) -> ChangedRequests:
    """The requests with the operation that call the callee whose share changed most, or that do not."""
    callee, old_share, new_share = change.largest
    calls_callee = [_calls_callee(outline, change) for outline in breakdowns.outlines]
    route_of = [kind.route if not kind.timed_out else "" for kind in breakdowns.kinds]
    calling, lacking, changed_routes = list[int](), list[int](), set[str]()
    for index, (kind, outline) in enumerate(zip(breakdowns.kind_of, breakdowns.outline_of, strict=True)):
        calls = calls_callee[outline]
        if calls is not None and route_of[kind] in routes:
            changed_routes.add(route_of[kind])
            (calling if calls else lacking).append(index)
    lacks = new_share < old_share
    members, controls = (lacking, calling) if lacks else (calling, lacking)
    return ChangedRequests(tuple(sorted(changed_routes)), tuple(members), tuple(controls), callee=callee, lacks=lacks)


def _calls_callee(outline: Iterable[Operation], change: OperationChange) -> bool | None:
    """Whether the operation of a change calls its callee in an outline; None if the outline lacks the operation."""
    name = (change.service, change.operation)
    operations = [operation for operation in outline if (operation.service, operation.name) == name]
    return any(change.largest[0] in operation.callees for operation in operations) if operations else None


FEW = 1_200  # requests; up to this number all are read
# Requests that are read of a cause group, evenly spaced in time
MOST_OF_GROUP = 150
MOST_SLOW = 250  # of all slow requests
MOST_CONTROLS = 450  # of all requests of their routes
MOST_INSIDE = 120  # of the requests in the window of a cause group
# Slow requests of a route that have a question without a cause group
LEAST_SLOW, LEAST_PERCENT = 5, 0.5
# A cause group with this share of all slow requests answers for all of them
ONE_GROUP = 0.8
# Requests of a route that are neighbours in time are compared with each other
PIECE = 24


@dataclass(frozen=True, slots=True)
class Question:
    """Slow requests and their controls, as sets of the requests in a sample.

    `cause_group` is the number of a cause group, or None for the slow requests of `routes` together; `change` is the
    number of a change since a baseline, whose requests take the place of slow ones. `strata` are the requests of one
    route at one time: only these are compared with each other.
    """

    cause_group: int | None
    routes: tuple[str, ...]
    slow: int
    controls: int
    strata: tuple[int, ...]
    change: int | None = None


class _Routes:
    """The requests of each route with slow ones, in the order of their start; `ordered` are all slow requests."""

    def __init__(self, breakdowns: Breakdowns, groups: CauseGroups) -> None:
        kinds, alike = list(breakdowns.kinds), set(groups.alike)
        self._route_of_kind = [kind.route for kind in kinds]
        self._breakdowns = breakdowns
        slow = [index for index in groups.slow if index not in alike]
        self.ordered = sorted(slow, key=breakdowns.starts_ns.__getitem__)
        self.slow: defaultdict[str, list[int]] = defaultdict(list)
        for index in self.ordered:
            self.slow[self.route_of(index)].append(index)
        ended = {number for number, kind in enumerate(kinds) if kind.route in self.slow and not kind.timed_out}
        self.all: defaultdict[str, array[int]] = defaultdict(lambda: array("I"))
        for index in breakdowns.order():
            kind_number = breakdowns.kind_of[index]
            if kind_number in ended:
                self.all[self._route_of_kind[kind_number]].append(index)

    def route_of(self, index: int) -> str:
        return self._route_of_kind[self._breakdowns.kind_of[index]]

    def with_enough_slow(self) -> dict[str, list[int]]:
        """The slow requests of the routes that have enough of them for a question."""
        return {
            name: slow
            for name, slow in self.slow.items()
            if len(slow) >= LEAST_SLOW and 100 * len(slow) >= LEAST_PERCENT * len(self.all[name])
        }


class Sample:
    """Chooses the requests to read, and asks about them. Without requests that are worth a question, none is read.

    `read` are the requests by index, in the order of their start. `_ungrouped` are slow requests of no cause group,
    `_typical` requests of all kinds from the routes of slow ones. `_of_groups` and `_of_changes` have two groups each,
    members and controls.
    """

    def __init__(self, breakdowns: Breakdowns, groups: CauseGroups, changes: Sequence[ChangedRequests] = ()) -> None:
        self._classes, self._changes, self._starts = groups, changes, breakdowns.starts_ns
        self._breakdowns = breakdowns
        self._routes = _Routes(breakdowns, groups)
        self._slow_by_route = self._routes.with_enough_slow()
        self._reads_all = sum(map(len, self._routes.all.values())) <= FEW
        slow = self._routes.ordered if groups.groups or self._slow_by_route else []
        grouped = set(chain.from_iterable(group.members for group in groups.groups))
        self._slow = self._some(slow, MOST_SLOW)
        self._ungrouped = self._some([index for index in slow if index not in grouped], MOST_OF_GROUP)
        self._typical = self._typical_requests() if slow else []
        self._of_groups = [self._group_requests(group) for group in groups.groups]
        self._of_changes = [self._change_requests(change) for change in changes]
        compared = chain.from_iterable(chain.from_iterable([*self._of_groups, *self._of_changes]))
        chosen = {*self._slow, *self._ungrouped, *self._typical, *compared}
        self.read = sorted(chosen, key=lambda index: (self._starts[index], index))
        self._place_of = {index: place for place, index in enumerate(self.read)}

    def questions(self) -> list[Question]:
        """Return the questions: about cause groups, about routes, and about the requests of each change."""
        pairs = zip(self._changes, self._of_changes, strict=True)
        of_changes = [self._question(change.routes, *compared, set()) for change, compared in pairs]
        numbered = [replace(question, change=number) for number, question in enumerate(of_changes)]
        return [*self._about_groups(), *self._about_routes(), *numbered]

    def _question(
        self, names: Iterable[str], slow: Iterable[int], controls: Iterable[int], excluded: set[int]
    ) -> Question:
        """Compare slow requests with controls of the routes with these names that are not `excluded`."""
        place_of, route_of = self._place_of, self._routes.route_of
        names = set(names)
        compared = [index for index in controls if index not in excluded and route_of(index) in names]
        slow_set = bits(place_of[index] for index in slow)
        control_set = bits(place_of[index] for index in compared) & ~slow_set
        return Question(None, tuple(sorted(names)), slow_set, control_set, self._strata(slow_set | control_set))

    def _about_groups(self) -> Iterator[Question]:
        """Ask about each cause group, and about slow requests of none."""
        for number, (group, (members, inside)) in enumerate(zip(self._classes.groups, self._of_groups, strict=True)):
            controls = inside if group.window is not None else self._typical
            yield replace(self._question(group.routes, members, controls, set(group.members)), cause_group=number)
        if self._classes.groups and len(self._ungrouped) >= LEAST_SLOW:
            routes = map(self._routes.route_of, self._ungrouped)
            yield self._question(routes, self._ungrouped, self._typical, set(self._classes.slow))

    def _about_routes(self) -> Iterator[Question]:
        """Ask about the slow requests of the routes with enough, unless one cause group has nearly all slow ones."""
        by_route, route_of, all_slow = self._slow_by_route, self._routes.route_of, set(self._classes.slow)
        if not by_route or self._is_one_group():
            return
        slow = [index for index in self._slow if route_of(index) in by_route]
        yield self._question(by_route, slow, self._typical, all_slow)
        for name, members in sorted(by_route.items()):
            if len(by_route) > 1 and len(members) >= ENOUGH_SLOW:
                of_route = [index for index in slow if route_of(index) == name]
                yield self._question([name], of_route, self._typical, all_slow)

    def _is_one_group(self) -> bool:
        largest = max((len(group.members) for group in self._classes.groups), default=0)
        return largest >= ONE_GROUP * len(self._routes.ordered)

    def _group_requests(self, group: CauseGroup) -> tuple[list[int], list[int]]:
        """The requests of a cause group that are read, and others of its routes in its window of time."""
        starts = self._starts
        members = sorted(group.members, key=starts.__getitem__)
        inside: list[int] = []
        if group.window is not None:
            begin_ns, end_ns = group.window
            member_set = set(group.members)
            of_routes = chain.from_iterable(self._routes.all[name] for name in group.routes)
            controls = [index for index in of_routes if index not in member_set]
            inside = sorted([i for i in controls if begin_ns <= starts[i] <= end_ns], key=starts.__getitem__)
        return self._some(members, MOST_OF_GROUP), self._some(inside, MOST_INSIDE)

    def _change_requests(self, change: ChangedRequests) -> tuple[list[int], list[int]]:
        """The requests of a change that are read, and their controls."""
        members = sorted(change.members, key=self._starts.__getitem__)
        controls = sorted(change.controls, key=self._starts.__getitem__)
        if len(members) + len(controls) <= FEW:
            return self._breakdowns.with_spans(members), self._breakdowns.with_spans(controls)
        return self._breakdowns.evenly(members, MOST_SLOW), self._breakdowns.evenly(controls, MOST_CONTROLS)

    def _typical_requests(self) -> list[int]:
        """Requests of all kinds, from each route in proportion to its slow ones."""
        typical: list[int] = []
        for name, members in self._routes.all.items():
            share = MOST_CONTROLS * len(self._routes.slow[name]) // len(self._routes.ordered)
            typical += self._some(members, max(share, PIECE))
        return typical

    def _some(self, indices: Sequence[int], limit: int) -> list[int]:
        return self._breakdowns.evenly(indices, len(indices) if self._reads_all else limit)

    def _strata(self, members: int) -> tuple[int, ...]:
        """The requests of each route in pieces of time."""
        by_route: defaultdict[str, list[int]] = defaultdict(list)
        for place, index in enumerate(self.read):
            if members >> place & 1:
                by_route[self._routes.route_of(index)].append(place)
        return tuple(piece for places in by_route.values() for piece in _pieces(places))


def _pieces(places: Sequence[int]) -> list[int]:
    count = max(len(places) // PIECE, 1)
    cuts = [number * len(places) // count for number in range(count + 1)]
    return [bits(places[begin:end]) for begin, end in pairwise(cuts)]
