"""Runs a system: draws the times of its requests, with noise and planted causes, and records their spans."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.systems.labels import NO_LABELS, Labels
from lab.systems.recording import CLIENT, INTERNAL, RUNTIME, SERVER, Recording
from lab.systems.steps import Call, Host, Operation, Query, Table, Together, cell_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from lab.judging.answer import Cell
    from lab.systems.causes import Cause
    from lab.systems.steps import Route, Step, System

__all__ = ["NOISES", "Load", "run"]

T0 = 1_795_560_000_000_000_000
NS = 1_000_000  # a millisecond
NOISES = ("independent", "drift", "bursts")
EXTRA = 0.2  # sigma of a cause's time
WAIT = 0.9  # share of a retry that is the wait before the next attempt
ATTEMPTS = 3
TENANTS = 12


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


def run(
    system: System,
    load: Load,
    causes: Sequence[Cause],
    seed: int,
    path: Path,
    labelled: Callable[[float, int, random.Random], Labels] = lambda at, number, draw: NO_LABELS,  # noqa: ARG005
) -> list[list[float]]:
    """Write the traces of a run; returns, for each cause, the milliseconds that it added to each request it hit.

    `labelled` returns the labels of a request from its share of the run and its number.
    """
    one = _Run(system, load, causes, random.Random(seed), labelled)  # noqa: S311 - repeatable
    for number in range(load.requests):
        one.request(number)
    one.recording.write(path)
    return one.added


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
        for first, last, times in self.bursts:
            self.factor *= times if first <= number < last else 1
        route = draw.choices(self.system.routes, [one.weight for one in self.system.routes])[0]
        self.trace_id = f"{draw.getrandbits(128):032x}"
        tenant = draw.randrange(TENANTS)
        self.labels = self.labelled(number / load.requests, number, draw)
        self.factor *= self.labels.times
        self.hit = [
            (at, cause)
            for at, cause in enumerate(self.causes)
            if cause.route in ("", route.name) and self._hits(cause, number / load.requests, tenant - at)
        ]
        begin = (number + draw.random()) * load.gap_ms
        self._serve(route, begin, tenant)

    def _hits(self, cause: Cause, at: float, tenant: int) -> bool:
        return self.labels.hit if cause.when == "labels" else cause.hits(at, tenant, self.draw)

    def _serve(self, route: Route, begin: float, tenant: int) -> None:
        operation = route.operation
        method, _, path = route.name.partition(" ")
        attributes: dict[str, object] = {"http.request.method": method, "http.route": path}
        attributes["tenant.id"] = f"tenant-{tenant}"
        span_id, at = self._id(), begin
        for index, cause in self._of("cold start"):
            took = self._extra(index, cause)
            self._add(operation.service, "init", INTERNAL, span_id, (begin, begin + took), scope=RUNTIME)
            at += took
        end = self._steps(operation, span_id, at)
        attributes |= dict.fromkeys(self.labels.measured, end - begin)
        self._add(operation.service, route.name, SERVER, "", (begin, end), attributes, span_id=span_id)

    def _steps(self, operation: Operation, span_id: str, at: float) -> float:
        for step in operation.steps:
            if isinstance(step, Together):
                at = max(self._step(operation.service, branch, span_id, at) for branch in step.branches)
            else:
                at = self._step(operation.service, step, span_id, at)
        return at

    def _step(self, service: str, step: Step, parent_id: str, at: float) -> float:
        assert not isinstance(step, Together)
        cell = cell_of(service, step)
        took = step.ms * self.factor * self.draw.lognormvariate(0, self.load.sigma)
        if isinstance(step, Call):
            return self._call(service, step, cell, parent_id, at, took)
        if isinstance(step, Query):
            return self._query(service, step, cell, parent_id, at, took)
        if isinstance(step, Table):
            return self._table(service, step, cell, parent_id, at, took)
        took += self._slower(cell)
        if isinstance(step, Host):
            attributes = {"http.request.method": "POST", "server.address": step.name}
            self._add(service, "POST", CLIENT, parent_id, (at, at + took), attributes)
        return at + took

    def _call(self, service: str, step: Call, cell: Cell, parent_id: str, at: float, took: float) -> float:
        took += self._slower(cell)
        client_id, server_id, callee = self._id(), self._id(), step.operation.service
        entered = at + took / 2
        for index, cause in self._of("queue"):
            if cause.cell.name == callee:
                begun = max(entered, self.free_ms[callee])
                self.free_ms[callee] = begun + cause.ms
                self.added[index].append(begun - entered)
                entered = begun
        left = self._steps(step.operation, server_id, entered)
        end = left + took / 2
        self._add(callee, step.operation.name, SERVER, client_id, (entered, left), span_id=server_id)
        self._add(service, "POST", CLIENT, parent_id, (at, end), span_id=client_id)
        return end

    def _query(self, service: str, step: Query, cell: Cell, parent_id: str, at: float, took: float) -> float:
        took += self._slower(cell)
        lengths = [took]
        for index, cause in self._of("more calls", cell):
            more = [step.ms * self.draw.lognormvariate(0, self.load.sigma) for _ in range(round(cause.ms / step.ms))]
            self.added[index].append(sum(more))
            lengths += more
        attributes = {"db.system": "postgresql", "db.name": step.database, "server.address": "db"}
        for length in lengths:
            self._add(service, "SELECT", CLIENT, parent_id, (at, at + length), attributes)
            at += length
        return at

    def _table(self, service: str, step: Table, cell: Cell, parent_id: str, at: float, took: float) -> float:
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
            begun = at + took / 2
            events += [self._attempt(begun + number * more, more * WAIT, number + 1) for number in range(ATTEMPTS)]
            attributes["retry_attempts"] = ATTEMPTS
            took += more * ATTEMPTS
        self._add(service, "DynamoDB.GetItem", CLIENT, parent_id, (at, at + took), attributes, events=events)
        return at + took

    def _attempt(self, at: float, wait: float, number: int) -> dict[str, object]:
        told = [
            {"key": "attempt", "value": {"intValue": str(number)}},
            {"key": "retry.delay_ms", "value": {"doubleValue": wait}},
        ]
        return {"name": "attempt", "timeUnixNano": str(_ns(at)), "attributes": told}

    def _slower(self, cell: Cell) -> float:
        return sum(self._extra(index, cause) for index, cause in self._of("slower", cell))

    def _of(self, how: str, cell: Cell | None = None) -> list[tuple[int, Cause]]:
        """The causes of this kind that hit the request here; each does so at one place of a request."""
        found = [
            (index, cause) for index, cause in self.hit if cause.how == how and (cell is None or cause.cell == cell)
        ]
        if cell is not None:
            self.hit = [one for one in self.hit if one not in found]
        return found

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
        at: tuple[float, float],
        attributes: Mapping[str, object] | None = None,
        *,
        events: Sequence[Mapping[str, object]] = (),
        scope: str = "app",
        span_id: str = "",
    ) -> None:
        clock = self.system.clocks_ms.get(service, 0.0)
        ids = (self.trace_id, span_id or self._id(), parent_id)
        ns = (_ns(at[0] + clock), _ns(at[1] + clock))
        labels = self.labels
        every = {**(attributes or {}), **labels.spans.get((service, kind), {})}
        resource = labels.resources.get(service, {})
        self.recording.add(service, name, kind, ids, ns, every, events=events, scope=scope, resource=resource)


def _ns(ms: float) -> int:
    return T0 + round(ms * NS)


def _bursts(draw: random.Random, requests: int) -> list[tuple[float, float, float]]:
    """Intervals of requests, and how many times as long all takes in each."""
    firsts = [draw.random() * requests for _ in range(draw.randint(1, 4))]
    return [(first, first + requests * draw.uniform(0.02, 0.12), draw.uniform(1.5, 4)) for first in firsts]
