"""The requests that a change against a baseline is about, for the question which attribute values set them apart."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from lambda_latency.latency.accounts.totals import at_rank
from lambda_latency.latency.judge.thresholds import SLOW_PERCENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_latency.latency.accounts.columns import Accounts
    from lambda_latency.latency.accounts.part import Cell
    from lambda_latency.latency.baseline.against import Against
    from lambda_latency.latency.baseline.shapes import ShapeChange

MOST = 3  # changes that are asked about
LEAST, MOST_SHARE = 8, 0.9  # requests of a change, and their share of all: of more, all requests changed


class ChangedRequests(NamedTuple):
    """Requests that changed, and others of the same routes, by index.

    They wait longer for `cell` than nearly all of the baseline (None: they take longer as a whole); or they call a
    `callee`, or do so no longer (`lacks`).
    """

    routes: tuple[str, ...]
    members: tuple[int, ...]
    others: tuple[int, ...]
    cell: Cell | None = None
    callee: str = ""
    lacks: bool = False


def changed_requests(every: Accounts, before: Accounts, one: Against) -> list[ChangedRequests]:
    """The requests of each change, the largest first; none if nearly all requests changed, or too few."""
    if one.answer == "shape":
        found = [_of_shape(every, one.routes, change) for change in one.shapes.operations[:MOST]]
    elif one.answer == "slower":
        calls = [change.cell for change in one.shapes.calls if change.kind in ("more", "new")]
        cells = [change.cell for change in one.changed if change.cell is not None]
        sure = [cause.cells[0] for cause in one.causes if cause.asserted and cause.origin != "shape"]
        wanted: list[Cell | None] = [*dict.fromkeys([*sure, *cells, *calls])]
        found = [_of_cell(every, before, one.routes, cell) for cell in (wanted or [None])[:MOST]]
    else:
        return []
    return [each for each in found if LEAST <= len(each.members) <= MOST_SHARE * (len(each.members) + len(each.others))]


def _of_cell(every: Accounts, before: Accounts, routes: tuple[str, ...], cell: Cell | None) -> ChangedRequests:
    """The requests whose time exceeds the baseline's percentile `SLOW_PERCENT` of their route."""
    usual: defaultdict[str, list[int]] = defaultdict(list)
    for _, route, ns in _times(before, routes, cell):
        usual[route].append(ns)
    limits = {route: at_rank(sorted(values), SLOW_PERCENT) for route, values in usual.items()}
    members, others = defaultdict[str, list[int]](list), defaultdict[str, list[int]](list)
    for at, route, ns in _times(every, routes, cell):
        (members if ns > limits.get(route, 0) else others)[route].append(at)
    share = 100 / SLOW_PERCENT - 1  # of a route that did not change as many are beyond the percentile
    kept = [route for route, its in members.items() if len(its) > 2 * share * (len(its) + len(others[route]))]
    return ChangedRequests(
        routes=tuple(sorted(kept)),
        members=tuple([at for route in kept for at in members[route]]),
        others=tuple([at for route in kept for at in others[route]]),
        cell=cell,
    )


def _times(every: Accounts, routes: tuple[str, ...], cell: Cell | None) -> Iterator[tuple[int, str, int]]:
    """The index, the route and the time of each request of the routes that did not time out."""
    wanted = {number: kind.route for kind, number in every.kinds.items() if kind.route in routes and not kind.timed_out}
    times: defaultdict[int, int] = defaultdict(int)
    if cell is not None:
        number = every.cells.get(cell, -1)
        ends, took = every.cells_end, every.cell_ns
        for entry in [entry for entry, its in enumerate(every.cell_of) if its == number]:
            times[bisect_right(ends, entry) - 1] += took[entry]
    walls = every.walls_ns
    for at, kind in enumerate(every.kind_of):
        route = wanted.get(kind)
        if route is not None:
            yield at, route, walls[at] if cell is None else times.get(at, 0)


def _of_shape(every: Accounts, routes: tuple[str, ...], one: ShapeChange) -> ChangedRequests:
    """The requests with the operation that call the callee whose share changed most, or that do not."""
    callee, then, now = one.most
    outlines = [
        [callee in each.callees for each in outline if (each.service, each.name) == (one.service, one.operation)]
        for outline in every.outlines
    ]
    route_of = [kind.route if not kind.timed_out else "" for kind in every.kinds]
    both: tuple[list[int], list[int]] = ([], [])
    seen: set[str] = set()
    for at, (kind, outline) in enumerate(zip(every.kind_of, every.outline_of, strict=True)):
        if outlines[outline] and route_of[kind] in routes:
            seen.add(route_of[kind])
            both[any(outlines[outline])].append(at)
    lacks = now < then
    members, others = both if lacks else both[::-1]
    return ChangedRequests(tuple(sorted(seen)), tuple(members), tuple(others), callee=callee, lacks=lacks)
