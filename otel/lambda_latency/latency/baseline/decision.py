"""The decision of a comparison with a baseline: every sentence, document and gate is made from this one value."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from lambda_latency.latency.baseline.edge_tests import How
from lambda_latency.latency.baseline.new_groups import NewGroup
from lambda_latency.latency.breakdowns.component import Edge
from lambda_latency.latency.executions import names_of, noun_of

Answer: TypeAlias = Literal["disturbed", "slower", "shape", "faster", "unsure", "same", "few"]
Measure: TypeAlias = Literal["route", "mean", "group", "waiting"]
Standing: TypeAlias = Literal["new", "grown", "known", "unproven"]


class Slowdown(NamedTuple):
    """By how many percent requests became slower (negative: faster), and by which measure; 0 without a difference.

    `measure`: the median or p95 (`how`) of a `route`; the `mean` of all requests; the mean of the routes of a `group`
    of slow requests that is new or has grown; or the mean of the requests that are `waiting` for `edge`.
    """

    percent: float = 0.0
    measure: Measure | None = None
    routes: tuple[str, ...] = ()
    how: How | None = None
    edge: Edge | None = None

    @property
    def route(self) -> str:
        """The route that shows the difference; empty if it is not one."""
        return self.routes[0] if len(self.routes) == 1 else ""

    @property
    def subject(self) -> str:
        """The requests that are slower, in words."""
        if self.measure == "waiting" and self.edge is not None:
            return f"Requests that wait for {self.edge.phrase}"
        if self.measure in ("route", "group"):
            (name,) = names_of(self.routes) if self.route else (f"{len(self.routes):,} routes",)
            return f"{noun_of(self.routes).title()}s of {name}"
        return "Requests"

    @property
    def statistic(self) -> str:
        """What of them is slower, in words."""
        if self.how is None:
            return "on average"
        tail = "at p95" if self.measure == "route" else "in the tail"
        return "typically" if self.how == "typical" else tail


NO_SLOWDOWN = Slowdown()


@dataclass(frozen=True, slots=True)
class Decision:
    """What a comparison says of the requests, and by which measure: the one that rose most.

    `edge` is the component that is blamed and who waits for it, or if it is not `is_cause`, the one that rose most.
    `group` has the slow requests that show the change, if they do. In a `window` (epoch nanoseconds) requests are
    slower only there, and the difference is not `is_sure`. The p95 of the route `doubled` is at least twice the
    baseline's, and no component explains it. `slower` are the edges that became slower, whoever calls, and `grown`
    those of which the baseline has fewer slow requests.
    """

    answer: Answer = "few"
    slowdown: Slowdown = NO_SLOWDOWN
    edge: Edge | None = None
    is_cause: bool = False
    group: NewGroup | None = None
    window: tuple[int, int] | None = None
    doubled: str = ""
    slower: frozenset[Edge] = frozenset()
    grown: frozenset[Edge] = frozenset()

    @property
    def is_sure(self) -> bool:
        """Whether a difference is tested: no more requests are needed."""
        return self.answer in ("slower", "shape", "faster") and self.window is None

    @property
    def is_undecided(self) -> bool:
        """Whether another run must tell: nothing is asserted of such requests."""
        return self.answer in ("unsure", "disturbed")

    def standing(self, edge: Edge, in_baseline: Collection[Edge]) -> Standing:
        """Return whether a cause group of an edge is new or has grown; the baseline has those `in_baseline` too.

        Without a sure difference a group that the baseline does not have is `unproven`: it may be chance.
        """
        if edge.merged in self.grown:
            return "grown"
        if edge.merged in in_baseline:
            return "known"
        return "new" if edge.merged in self.slower else "unproven"


UNCOMPARED = Decision()
