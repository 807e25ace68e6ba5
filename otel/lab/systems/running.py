"""Runs a system: draws the times of its requests, with noise and planted causes, and records their spans.

A cause says where, how and when requests become slow, and which cell of a report names it.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lab.judging.answer import Cell
from lab.systems.recording import CLIENT, INTERNAL, RUNTIME, SERVER, Recording
from lab.systems.steps import (
    Call,
    Host,
    Operation,
    Query,
    Route,
    Step,
    System,
    Table,
    Together,
    calls_to,
    cell_of,
    cells_of,
    typical_ms,
)

T0 = 1_795_560_000_000_000_000
NS = 1_000_000  # a millisecond
NOISES = ("independent", "drift", "bursts")
EXTRA = 0.2  # sigma of a cause's time
WAIT = 0.9  # share of a retry that is the wait before the next attempt
ATTEMPTS = 3
TENANTS = 12
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
ENOUGH, LIKELY = 20, 30  # requests that must feel it, and that are likely to
LEAST_SHARE = 0.1  # of what all causes add


@dataclass(frozen=True, slots=True)
class Load:
    """How many requests come, how far apart, and how their times vary.

    `sigma` is that of the lognormal noise of each step. `noise`: `independent`, `drift` (a load that all steps share
    wanders) or `bursts` (in some intervals all steps take 1.5 to 4 times as long).
    """

    requests: int = 900
    gap_ms: float = 200.0
    sigma: float = 0.3
    noise: str = "drift"


@dataclass(frozen=True, slots=True)
class Labels:
    """Attributes by service and kind of span, and of the resource by service.

    `hit`: whether causes with `when` "labels" hit the request. All its steps take `times` as long. `measured` are
    attributes of its first span that have its duration in milliseconds.
    """

    spans: Mapping[tuple[str, int], Mapping[str, object]] = field(default_factory=dict)
    resources: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    hit: bool = False
    times: float = 1.0
    measured: tuple[str, ...] = ()


NO_LABELS = Labels()


def run(
    system: System,
    load: Load,
    causes: Sequence[Cause],
    seed: int,
    path: Path,
    labelled: Callable[[float, int, random.Random], Labels] = lambda share, number, draw: NO_LABELS,  # noqa: ARG005
) -> list[list[float]]:
    """Write the traces of a run; returns, for each cause, the milliseconds that it added to each request it hit.

    `labelled` returns the labels of a request from its share of the run and its number.
    """
    running = _Run(system, load, causes, random.Random(seed), labelled)  # noqa: S311 - repeatable
    for number in range(load.requests):
        running.request(number)
    running.recording.write(path)
    return running.added


class _Run:
    def __init__(
        self,
        system: System,
        load: Load,
        causes: Sequence[Cause],
        draw: random.Random,
        labelled: Callable[[float, int, random.Random], Labels],
    ) -> None:
        self.system, self.load, self.causes, self.draw, self.labelled = system, load, causes, draw, labelled
        self.labels = NO_LABELS
        self.recording = Recording()
        self.added: list[list[float]] = [[] for _ in causes]
        self.wander, self.factor = 0.0, 1.0
        self.bursts = _bursts(draw, load.requests) if load.noise == "bursts" else []
        self.free_ms: defaultdict[str, float] = defaultdict(float)  # by service with one worker: when it is free
        self.hit: list[tuple[int, Cause]] = []
        self.trace_id = ""

    def request(self, number: int) -> None:
        draw, load = self.draw, self.load
        if load.noise == "drift":
            self.wander = 0.95 * self.wander + draw.gauss(0, 0.05)
        self.factor = math.exp(self.wander)
        for burst_begin, end, times in self.bursts:
            self.factor *= times if burst_begin <= number < end else 1
        route = draw.choices(self.system.routes, [route.weight for route in self.system.routes])[0]
        self.trace_id = f"{draw.getrandbits(128):032x}"
        tenant = draw.randrange(TENANTS)
        self.labels = self.labelled(number / load.requests, number, draw)
        self.factor *= self.labels.times
        self.hit = [
            (index, cause)
            for index, cause in enumerate(self.causes)
            if cause.route in ("", route.name) and self._hits(cause, number / load.requests, tenant - index)
        ]
        begin = (number + draw.random()) * load.gap_ms
        self._serve(route, begin, tenant)

    def _hits(self, cause: Cause, share: float, tenant: int) -> bool:
        return self.labels.hit if cause.when == "labels" else cause.hits(share, tenant, self.draw)

    def _serve(self, route: Route, begin: float, tenant: int) -> None:
        operation = route.operation
        method, _, path = route.name.partition(" ")
        attributes: dict[str, object] = {"http.request.method": method, "http.route": path}
        attributes["tenant.id"] = f"tenant-{tenant}"
        span_id, now_ms = self._id(), begin
        for index, cause in self._of("cold start"):
            took = self._extra(index, cause)
            self._add(operation.service, "init", INTERNAL, span_id, (begin, begin + took), scope=RUNTIME)
            now_ms += took
        end = self._steps(operation, span_id, now_ms)
        attributes |= dict.fromkeys(self.labels.measured, end - begin)
        self._add(operation.service, route.name, SERVER, "", (begin, end), attributes, span_id=span_id)

    def _steps(self, operation: Operation, span_id: str, now_ms: float) -> float:
        for step in operation.steps:
            if isinstance(step, Together):
                now_ms = max(self._step(operation.service, branch, span_id, now_ms) for branch in step.branches)
            else:
                now_ms = self._step(operation.service, step, span_id, now_ms)
        return now_ms

    def _step(self, service: str, step: Step, parent_id: str, begin: float) -> float:
        assert not isinstance(step, Together)
        cell = cell_of(service, step)
        took = step.ms * self.factor * self.draw.lognormvariate(0, self.load.sigma)
        if isinstance(step, Call):
            return self._call(service, step, cell, parent_id, begin, took)
        if isinstance(step, Query):
            return self._query(service, step, cell, parent_id, begin, took)
        if isinstance(step, Table):
            return self._table(service, step, cell, parent_id, begin, took)
        took += self._slower(cell)
        if isinstance(step, Host):
            attributes = {"http.request.method": "POST", "server.address": step.name}
            self._add(service, "POST", CLIENT, parent_id, (begin, begin + took), attributes)
        return begin + took

    def _call(self, service: str, step: Call, cell: Cell, parent_id: str, begin: float, took: float) -> float:
        took += self._slower(cell)
        client_id, server_id, callee = self._id(), self._id(), step.operation.service
        entered = begin + took / 2
        for index, cause in self._of("queue"):
            if cause.cell.name == callee:
                taken_ms = max(entered, self.free_ms[callee])
                self.free_ms[callee] = taken_ms + cause.ms
                self.added[index].append(taken_ms - entered)
                entered = taken_ms
        left_ms = self._steps(step.operation, server_id, entered)
        end = left_ms + took / 2
        self._add(callee, step.operation.name, SERVER, client_id, (entered, left_ms), span_id=server_id)
        self._add(service, "POST", CLIENT, parent_id, (begin, end), span_id=client_id)
        return end

    def _query(self, service: str, step: Query, cell: Cell, parent_id: str, begin: float, took: float) -> float:
        took += self._slower(cell)
        lengths = [took]
        for index, cause in self._of("more calls", cell):
            more = [step.ms * self.draw.lognormvariate(0, self.load.sigma) for _ in range(round(cause.ms / step.ms))]
            self.added[index].append(sum(more))
            lengths += more
        attributes = {"db.system": "postgresql", "db.name": step.database, "server.address": "db"}
        for length in lengths:
            self._add(service, "SELECT", CLIENT, parent_id, (begin, begin + length), attributes)
            begin += length
        return begin

    def _table(self, service: str, step: Table, cell: Cell, parent_id: str, begin: float, took: float) -> float:
        took += self._slower(cell)
        attributes: dict[str, object] = {
            "rpc.system": "aws-api",
            "rpc.service": "DynamoDB",
            "rpc.method": "GetItem",
            "aws.table_name": step.name,
        }
        events: list[dict[str, object]] = []
        retried = cell._replace(bucket="retries", name=f"DynamoDB {step.name}")
        for index, cause in self._of("retries", retried):
            more = self._extra(index, cause) / ATTEMPTS
            middle = begin + took / 2
            events += [self._attempt(middle + number * more, more * WAIT, number + 1) for number in range(ATTEMPTS)]
            attributes["retry_attempts"] = ATTEMPTS
            took += more * ATTEMPTS
        self._add(service, "DynamoDB.GetItem", CLIENT, parent_id, (begin, begin + took), attributes, events=events)
        return begin + took

    def _attempt(self, begin: float, wait: float, number: int) -> dict[str, object]:
        attributes = [
            {"key": "attempt", "value": {"intValue": str(number)}},
            {"key": "retry.delay_ms", "value": {"doubleValue": wait}},
        ]
        return {"name": "attempt", "timeUnixNano": str(_ns(begin)), "attributes": attributes}

    def _slower(self, cell: Cell) -> float:
        return sum(self._extra(index, cause) for index, cause in self._of("slower", cell))

    def _of(self, how: str, cell: Cell | None = None) -> list[tuple[int, Cause]]:
        """The causes of this kind that hit the request here; each does so at one place of a request."""
        matching = [
            (index, cause) for index, cause in self.hit if cause.how == how and (cell is None or cause.cell == cell)
        ]
        if cell is not None:
            self.hit = [pair for pair in self.hit if pair not in matching]
        return matching

    def _extra(self, index: int, cause: Cause) -> float:
        ms = cause.ms * self.draw.lognormvariate(0, EXTRA)
        self.added[index].append(ms)
        return ms

    def _id(self) -> str:
        return f"{self.draw.getrandbits(64) or 1:016x}"

    def _add(
        self,
        service: str,
        name: str,
        kind: int,
        parent_id: str,
        interval_ms: tuple[float, float],
        attributes: Mapping[str, object] | None = None,
        *,
        events: Sequence[Mapping[str, object]] = (),
        scope: str = "app",
        span_id: str = "",
    ) -> None:
        clock = self.system.clocks_ms.get(service, 0.0)
        ids = (self.trace_id, span_id or self._id(), parent_id)
        ns = (_ns(interval_ms[0] + clock), _ns(interval_ms[1] + clock))
        labels = self.labels
        all_attributes = {**(attributes or {}), **labels.spans.get((service, kind), {})}
        resource = labels.resources.get(service, {})
        self.recording.add(service, name, kind, ids, ns, all_attributes, events=events, scope=scope, resource=resource)


def _ns(ms: float) -> int:
    return T0 + round(ms * NS)


def _bursts(draw: random.Random, requests: int) -> list[tuple[float, float, float]]:
    """Intervals of requests, and how many times as long all takes in each."""
    firsts = [draw.random() * requests for _ in range(draw.randint(1, 4))]
    return [(begin, begin + requests * draw.uniform(0.02, 0.12), draw.uniform(1.5, 4)) for begin in firsts]


@dataclass(frozen=True, slots=True)
class Cause:
    """`ms` more in a cell, for some requests of a route ("": of all that wait for the cell).

    `how`: `slower`, `more calls`, `retries`, `cold start`, or a `queue` of which each request holds the worker `ms`.
    `when`: `random` requests, those of a `stretch` of time, of a `tenant` or with some `labels`, or a `period` that
    returns. The interval of time `begin` to `end` is a share of the run; `share` that of requests.
    """

    how: str
    cell: Cell
    ms: float
    when: str = "random"
    share: float = 1.0
    begin: float = 0.0
    end: float = 1.0
    route: str = ""
    felt_ms: float = 0.0

    def hits(self, share: float, tenant: int, draw: random.Random) -> bool:
        """Whether a request is hit, which comes after this share of the run. Tenant 0 is the one that is hit."""
        if self.when == "stretch":
            return self.begin <= share < self.end
        if self.when == "tenant":
            return tenant == 0
        if self.when == "period":
            return share * PERIOD % 1 < self.share
        return draw.random() < self.share

    def named(self, cell: Cell) -> bool:
        """Whether a cell of a report is this cause. A queue has many callers; a cell of several callers names none."""
        callers = (None, self.cell.caller)
        return self.cell[1:] == cell[1:] and (self.how == "queue" or cell.caller in callers)


def draw_causes(
    system: System, load: Load, count: int, draw: random.Random, *, with_labels: bool = False
) -> list[Cause]:
    """So many causes in different cells of the system, each of which enough requests are likely to feel.

    The first one hits requests `with_labels`.
    """
    causes: list[Cause] = []
    while len(causes) < count:
        cause = _drawn(system, load, draw, causes, with_labels=with_labels and not causes)
        if cause is not None:
            causes.append(cause)
    return causes


def _drawn(
    system: System, load: Load, draw: random.Random, earlier: Sequence[Cause], *, with_labels: bool
) -> Cause | None:
    """Draw a cause; None if too few requests would feel it, or an earlier one is in its cell."""
    route, cell, waiting = _place(system, draw)
    routes = draw.choice(([route], waiting))
    how, share = draw.choice(HOWS[cell.bucket]), draw.uniform(*SHARE)
    hit = share * load.requests * _weight(routes) / _weight(system.routes)
    if how == "retries":
        cell = cell._replace(bucket="retries", name=cell.name.replace("GetItem ", ""))
    if hit < LIKELY or any(cell[1:] == cause.cell[1:] for cause in earlier):
        return None
    if with_labels:
        if how not in ("slower", "retries", "more calls"):
            return None
        return replace(_cause(how, cell, waiting, share, draw), when="labels", route="")
    if how == "queue":
        return _queue(system, load, cell, draw)
    return _cause(how, cell, routes, share, draw)


def _place(system: System, draw: random.Random) -> tuple[Route, Cell, list[Route]]:
    """Draw a route and one of its cells; returns also the routes that wait for the cell."""
    route = draw.choice(system.routes)
    cold = Cell(system.entry, "cold start", system.entry)
    cells = sorted({*cells_of(route), cold})
    bucket = draw.choice(sorted({cell.bucket for cell in cells}))
    cell = draw.choice([cell for cell in cells if cell.bucket == bucket])
    return route, cell, [route for route in system.routes if cell in {*cells_of(route), cold}]


def _weight(routes: Sequence[Route]) -> float:
    return sum(route.weight for route in routes)


def all_visible(causes: Sequence[Cause], added: Sequence[Sequence[float]]) -> bool:
    """Whether enough requests feel each cause. `added` are the milliseconds that each added to requests."""
    total = sum(map(sum, added))
    return all(
        sum(added_ms >= cause.felt_ms for added_ms in ms) >= ENOUGH and sum(ms) >= LEAST_SHARE * total
        for cause, ms in zip(causes, added, strict=True)
    )


def _cause(how: str, cell: Cell, routes: Sequence[Route], share: float, draw: random.Random) -> Cause:
    ms = FELT_MS + max(typical_ms(route.operation.steps) for route in routes) * draw.uniform(*TIMES)
    begin = draw.uniform(0.05, 0.8)
    route = routes[0].name if len(routes) == 1 else ""
    return Cause(how, cell, ms, draw.choice(WHENS), share, begin, begin + share, route, ms / 2)


def _queue(system: System, load: Load, cell: Cell, draw: random.Random) -> Cause:
    """A queue that becomes longer as long as its window lasts: requests come faster than its worker takes them."""
    calls = sum(route.weight * calls_to(route, cell.name) for route in system.routes) / _weight(system.routes)
    typical = max(typical_ms(route.operation.steps) for route in system.routes if calls_to(route, cell.name))
    begin, share = draw.uniform(0.05, 0.7), draw.uniform(0.1, 0.2)
    hold = FULL * load.gap_ms / calls
    return Cause("queue", cell, hold, "stretch", share, begin, begin + share, "", FELT_MS + typical)
