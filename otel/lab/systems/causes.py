"""Causes of slow requests that are planted in a system: where, how, when, and which cell of a report names them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lab.judging.answer import Cell
from lab.systems.running import Load
from lab.systems.steps import Route, System, calls_to, cells_of, typical_ms

__all__ = ["Cause", "all_visible", "draw_causes"]

# What may happen in a cell, by its bucket. Of a queue the cell is the network to its service.
HOWS = {
    "own code": ("slower",),
    "database": ("slower", "more calls"),
    "external": ("slower",),
    "aws": ("retries",),
    "network": ("slower", "queue"),
    "cold start": ("cold start",),
}
WHENS = ("random", "stretch", "tenant", "period")
SHARE = (0.06, 0.15)  # of the requests, or of the time
PERIOD = 50.0  # so many times in a run, for the share of the time
TIMES, FELT_MS = (1.5, 3.0), 60.0  # what a cause adds, beside the typical request of a route
FULL = 1.1  # work that a queue's one worker gets, beside what it can do
ENOUGH, LIKELY, LEAST_SHARE = (
    20,
    30,
    0.1,
)  # requests that must feel it, that are likely to, and its share of what all causes add


@dataclass(frozen=True, slots=True)
class Cause:
    """`ms` more in a cell, for some requests of a route ("": of all that wait for the cell).

    `how`: `slower`, `more calls`, `retries`, `cold start`, or a `queue` of which each request holds the worker `ms`.
    `when`: `random` requests, those of a `stretch` of time, of a `tenant` or with some `labels`, or a `period` that
    returns. The interval
    of time `first` to `last` is a share of the run; `share` that of requests.
    """

    how: str
    cell: Cell
    ms: float
    when: str = "random"
    share: float = 1.0
    first: float = 0.0
    last: float = 1.0
    route: str = ""
    felt_ms: float = 0.0

    def hits(self, at: float, tenant: int, draw: random.Random) -> bool:
        """Whether a request is hit, which comes after this share of the run. Tenant 0 is the one that is hit."""
        if self.when == "stretch":
            return self.first <= at < self.last
        if self.when == "tenant":
            return tenant == 0
        if self.when == "period":
            return at * PERIOD % 1 < self.share
        return draw.random() < self.share

    def named(self, cell: Cell) -> bool:
        """Whether a cell of a report is this cause. A queue has many callers, a cell of an old report no caller."""
        callers = (None, self.cell.caller)
        return self.cell[1:] == cell[1:] and (self.how == "queue" or cell.caller in callers)


def draw_causes(
    system: System, load: Load, count: int, draw: random.Random, *, with_labels: bool = False
) -> list[Cause]:
    """So many causes in different cells of the system, each of which enough requests are likely to feel.

    The first one hits requests `with_labels`.
    """
    found: list[Cause] = []
    while len(found) < count:
        route = draw.choice(system.routes)
        cold = Cell(system.entry, "cold start", system.entry)
        cells = sorted({*cells_of(route), cold})
        bucket = draw.choice(sorted({cell.bucket for cell in cells}))
        cell = draw.choice([cell for cell in cells if cell.bucket == bucket])
        waiting = [one for one in system.routes if cell in {*cells_of(one), cold}]
        routes = draw.choice(([route], waiting))
        how, share = draw.choice(HOWS[bucket]), draw.uniform(*SHARE)
        hit = share * load.requests * sum(one.weight for one in routes) / sum(one.weight for one in system.routes)
        if how == "retries":
            cell = cell._replace(bucket="retries", name=cell.name.replace("GetItem ", ""))
        if hit >= LIKELY and all(cell[1:] != one.cell[1:] for one in found):
            if with_labels and not found:
                if how in ("slower", "retries", "more calls"):
                    found.append(replace(_cause(how, cell, waiting, share, draw), when="labels", route=""))
            elif how == "queue":
                found.append(_queue(system, load, cell, draw))
            else:
                found.append(_cause(how, cell, routes, share, draw))
    return found


def all_visible(causes: Sequence[Cause], added: Sequence[Sequence[float]]) -> bool:
    """Whether enough requests feel each cause. `added` are the milliseconds that each added to requests."""
    most = sum(map(sum, added))
    return all(
        sum(one >= cause.felt_ms for one in ms) >= ENOUGH and sum(ms) >= LEAST_SHARE * most
        for cause, ms in zip(causes, added, strict=True)
    )


def _cause(how: str, cell: Cell, routes: Sequence[Route], share: float, draw: random.Random) -> Cause:
    ms = FELT_MS + max(typical_ms(one.operation.steps) for one in routes) * draw.uniform(*TIMES)
    first = draw.uniform(0.05, 0.8)
    route = routes[0].name if len(routes) == 1 else ""
    return Cause(how, cell, ms, draw.choice(WHENS), share, first, first + share, route, ms / 2)


def _queue(system: System, load: Load, cell: Cell, draw: random.Random) -> Cause:
    """A queue that becomes longer as long as its stretch lasts: requests come faster than its worker takes them."""
    weight = sum(one.weight for one in system.routes)
    calls = sum(one.weight * calls_to(one, cell.name) for one in system.routes) / weight
    typical = max(typical_ms(one.operation.steps) for one in system.routes if calls_to(one, cell.name))
    first, share = draw.uniform(0.05, 0.7), draw.uniform(0.1, 0.2)
    hold = FULL * load.gap_ms / calls
    return Cause("queue", cell, hold, "stretch", share, first, first + share, "", FELT_MS + typical)
