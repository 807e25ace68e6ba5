"""One side of a comparison with a baseline: the time of each cell, request by request, in the order of their start.

Means of cells are weighted by route, and each block of requests tells what it adds to them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from lambda_latency.latency.baseline.bootstrap import BLOCKS, Blocks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from lambda_latency.latency.accounts.columns import Accounts
    from lambda_latency.latency.accounts.part import Cell


@dataclass(slots=True)
class Entries:
    """The requests that have a cell: their place among all requests, the time a call and in all (ns), the route."""

    places: list[int] = field(default_factory=list)
    call_ns: list[int] = field(default_factory=list)
    ns: list[int] = field(default_factory=list)
    routes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.places)

    @property
    def waiting(self) -> int:
        """The number of requests that waited for the cell."""
        return len(self.ns) - self.ns.count(0)

    @classmethod
    def of(cls, entries: Iterable[tuple[int, int, int, str]]) -> Entries:
        """Those of some places, times a call and in all, and routes."""
        found = cls()
        for place, call_ns, ns, route in entries:
            found.places.append(place)
            found.call_ns.append(call_ns)
            found.ns.append(ns)
            found.routes.append(route)
        return found

    def add(self, place: int, ns: int, calls: int, route: str) -> None:
        """Add a request."""
        self.places.append(place)
        self.call_ns.append(ns // max(calls, 1))
        self.ns.append(ns)
        self.routes.append(route)

    def of_route(self, route: str) -> Entries:
        """The requests of one route."""
        every = zip(self.places, self.call_ns, self.ns, self.routes, strict=True)
        return Entries.of(one for one in every if one[3] == route)

    def listed(self) -> Iterator[tuple[int, int, str]]:
        """The place, the time a call and the route of each request."""
        return zip(self.places, self.call_ns, self.routes, strict=True)

    def by_route(self) -> dict[str, list[int]]:
        """The times a call of each route, in the order of the requests."""
        found: dict[str, list[int]] = defaultdict(list)
        for route, ns in zip(self.routes, self.call_ns, strict=True):
            found[route].append(ns)
        return found


class Side:
    """The requests of some routes that did not time out, sorted by start; the cell None is the whole request.

    A request has a cell if its critical path has it, or if it called its callee: then it did not wait for it.
    """

    def __init__(self, accounts: Accounts, routes: Collection[str]) -> None:
        wanted = {number for kind, number in accounts.kinds.items() if kind.route in routes and not kind.timed_out}
        ordered = accounts.in_order()
        self.accounts = ordered.take([at for at, kind in enumerate(ordered.kind_of) if kind in wanted])
        self.cells: dict[Cell | None, Entries] = {None: Entries()}
        self._add_all()

    def __len__(self) -> int:
        return len(self.accounts)

    def block(self, place: int) -> int:
        """The block of consecutive requests that a request is in."""
        return place * BLOCKS // len(self.accounts)

    def operations(self) -> dict[str, float]:
        """How many operations each service runs in a request that it takes part in: the mean."""
        outlines = [Counter(one.service for one in outline) for outline in self.accounts.outlines]
        requests, found = Counter[str](), Counter[str]()
        for number, count in Counter(self.accounts.outline_of).items():
            for service, operations in outlines[number].items():
                requests[service] += count
                found[service] += count * operations
        return {service: count / requests[service] for service, count in found.items()}

    def requests(self) -> Iterator[tuple[str, int, dict[Cell, int], dict[Cell, int]]]:
        """The route, the wall clock, the times of the cells (ns) and the numbers of their calls of each request."""
        every = self.accounts
        routes = [kind.route for kind in every.kinds]
        cells, calls = list(every.cells), [(cell, one.calls) for cell, one in every.calls]
        columns = zip(every.kind_of, every.walls_ns, every.cells_of_each(), every.calls_of_each(), strict=True)
        for kind, wall_ns, (first, last), (begin, end) in columns:
            times = {
                cells[number]: ns
                for number, ns in zip(every.cell_of[first:last], every.cell_ns[first:last], strict=True)
            }
            counts: dict[Cell, int] = {}
            for number in every.call_of[begin:end]:
                cell, count = calls[number]
                counts[cell] = counts.get(cell, 0) + count
            yield routes[kind], wall_ns, times, counts

    def _add_all(self) -> None:
        whole = self.cells[None]
        for place, (route, wall_ns, times, counts) in enumerate(self.requests()):
            whole.add(place, wall_ns, 1, route)
            entered: dict[str, int] = {}  # how often each service was called
            for cell, count in counts.items():
                if cell.part.bucket == "network":
                    entered[cell.part.name] = entered.get(cell.part.name, 0) + count
                if count and cell not in times and not cell.is_own:
                    times[cell] = 0
            for cell, ns in times.items():
                entries = self.cells.get(cell)
                if entries is None:
                    entries = self.cells[cell] = Entries()
                entries.add(place, ns, entered.get(cell.caller, 1) if cell.is_own else counts.get(cell, 1), route)


def blocks_of(side: Side, cells: Sequence[Cell | None], weights: Mapping[str, Fraction]) -> dict[Cell | None, Blocks]:
    """The means of cells, weighted by route. The weights add up to 1."""
    requests = dict.fromkeys(weights, 0)
    counts = [dict.fromkeys(weights, 0) for _ in range(BLOCKS)]
    for place, route in enumerate(side.cells[None].routes):
        requests[route] += 1
        counts[side.block(place)][route] += 1
    each = {route: weight / requests[route] for route, weight in weights.items()}
    shares = {route: float(share) for route, share in each.items()}
    found: dict[Cell | None, Blocks] = {}
    for cell in cells:
        entries = side.cells.get(cell, Entries())
        sums, beyond = dict.fromkeys(weights, 0), [0.0] * BLOCKS
        for place, ns, route in zip(entries.places, entries.ns, entries.routes, strict=True):
            sums[route] += ns
            beyond[side.block(place)] += shares[route] * ns
        usual = {route: shares[route] * sums[route] / requests[route] for route in weights}
        for block, seen in enumerate(counts):
            beyond[block] -= sum(usual[route] * count for route, count in seen.items())
        found[cell] = Blocks(sum((each[route] * sums[route] for route in weights), Fraction()), beyond)
    return found
