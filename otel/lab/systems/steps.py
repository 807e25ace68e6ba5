"""A system as values: routes, the operations of services behind them, and the steps that an operation takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from lab.judging.answer import Cell


@dataclass(frozen=True, slots=True)
class Work:
    """The service's own code."""

    ms: float


@dataclass(frozen=True, slots=True)
class Query:
    """A statement to a database of the service."""

    database: str
    ms: float


@dataclass(frozen=True, slots=True)
class Host:
    """A call to a host that records no spans."""

    name: str
    ms: float


@dataclass(frozen=True, slots=True)
class Table:
    """A call to a table of DynamoDB, which may be throttled."""

    name: str
    ms: float


@dataclass(frozen=True, slots=True)
class Call:
    """A call to an operation of another service. `ms` is the time of the network, half of it each way."""

    operation: Operation
    ms: float


@dataclass(frozen=True, slots=True)
class Together:
    """Calls that begin at one time: the last to end decides."""

    branches: tuple[Query | Host | Table | Call, ...]


Step: TypeAlias = "Work | Query | Host | Table | Call | Together"


@dataclass(frozen=True, slots=True)
class Operation:
    """What a service does for a caller."""

    service: str
    name: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """Requests of one kind; `weight` is how often they come, beside those of other routes."""

    name: str
    operation: Operation
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class System:
    """Routes through one entry service. `clocks_ms` is how far the clock of a service is wrong."""

    routes: tuple[Route, ...]
    clocks_ms: dict[str, float] = field(default_factory=dict)

    @property
    def entry(self) -> str:
        """The service that receives all requests first."""
        return self.routes[0].operation.service


def typical_ms(steps: tuple[Step, ...]) -> float:
    """How long some steps take without noise."""
    return sum(map(_typical_ms, steps))


def _typical_ms(step: Step) -> float:
    if isinstance(step, Together):
        return max(map(_typical_ms, step.branches))
    return step.ms + (typical_ms(step.operation.steps) if isinstance(step, Call) else 0.0)


def walked(operation: Operation, *, parallel: bool = False) -> Iterator[tuple[str, Step, bool]]:
    """All steps of an operation and of those that it calls, each with its service and whether others run beside it."""
    for step in operation.steps:
        beside = parallel or isinstance(step, Together)
        for branch in step.branches if isinstance(step, Together) else [step]:
            yield operation.service, branch, beside
            if isinstance(branch, Call):
                yield from walked(branch.operation, parallel=beside)


def cells_of(route: Route) -> set[Cell]:
    """The cells that requests of a route may wait for."""
    return {cell_of(service, step) for service, step, _ in walked(route.operation)}


def calls_to(route: Route, service: str) -> int:
    """How often a request of the route calls a service."""
    return sum(isinstance(step, Call) and step.operation.service == service for _, step, _ in walked(route.operation))


def cell_of(service: str, step: Step) -> Cell:
    """The cell of a step of a service."""
    if isinstance(step, Work):
        return Cell(service, "own code", service)
    if isinstance(step, Query):
        return Cell(service, "database", f"postgresql {step.database}")
    if isinstance(step, Host):
        return Cell(service, "external", step.name)
    if isinstance(step, Table):
        return Cell(service, "aws", f"DynamoDB GetItem {step.name}")
    assert isinstance(step, Call)
    return Cell(service, "network", step.operation.service)
