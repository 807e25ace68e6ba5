"""Comparison with a baseline: one answer, the causes of it, and the cells that became slower or faster."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, TypeAlias

from lambda_latency.latency.accounts.columns import Accounts
from lambda_latency.latency.accounts.part import Cell, Part
from lambda_latency.latency.accounts.totals import at_rank
from lambda_latency.latency.baseline.bootstrap import Estimate, Stratum, Times, of_means, of_medians
from lambda_latency.latency.baseline.causes import Cause, causes
from lambda_latency.latency.baseline.changing import Changed, alike_within, changed, slowed_alike
from lambda_latency.latency.baseline.exceeding import critical
from lambda_latency.latency.baseline.rates import Rate, rates
from lambda_latency.latency.baseline.routes import RouteChange, route_changes
from lambda_latency.latency.baseline.shapes import CallChange, Shapes, shapes
from lambda_latency.latency.baseline.sides import Entries, Side, blocks_of
from lambda_latency.latency.baseline.slow import Fresh, fresh
from lambda_latency.latency.judge.thresholds import (
    ALIKE_LEAST,
    ALIKE_SHARE,
    COMPARABLE_REQUESTS,
    LIKELY,
    ROUTE_DEVIATIONS,
    ROUTE_PERCENT,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from lambda_latency.latency.accounts.account import Account
    from lambda_latency.latency.baseline.bootstrap import Blocks

PERCENTILES = (50, 95, 99)
NO_SHAPES = Shapes()
Answer: TypeAlias = Literal["disturbed", "slower", "shape", "faster", "unsure", "same", "few"]


@dataclass(frozen=True, slots=True)
class Change:
    """A cell (None: the whole request) before and now, as measured and as tested.

    `typical` compares medians of the requests that waited for the cell; it is None if too few did. `mean` compares
    means of all requests, including those that did not wait for the cell: the means of all cells add up. `waited` is
    the number of requests that waited for the cell, `requests` that of all compared requests, each as (before, now).
    """

    cell: Cell | None
    typical: Estimate | None
    mean: Estimate
    waited: tuple[int, int]
    requests: tuple[int, int]
    tested: Changed

    @property
    def part(self) -> Part | None:
        """The part of the cell."""
        return self.cell.part if self.cell is not None else None

    @property
    def by_typical(self) -> bool:
        """Whether the typical request changed, not only the tail."""
        return self.tested.kind != "same" and self.tested.how == "typical" and self._points(self.typical)

    @property
    def real(self) -> Estimate | None:
        """The measured difference that shows the change; None if there is no change."""
        if self.tested.kind == "same":
            return None
        return self.typical if self.by_typical else self.mean

    @property
    def per_request_ns(self) -> int:
        """The change per request in nanoseconds; 0 if there is none."""
        return self.mean.difference_ns if self.real is not None else 0

    def _points(self, one: Estimate | None) -> bool:
        """Whether the bounds of a measured difference lie in the direction of the change."""
        return one is not None and (one.low_ns > 0 if self.tested.kind == "slower" else one.high_ns < 0)


@dataclass(frozen=True, slots=True)
class Against:
    """A comparison with a baseline. `cells` are all cells of the compared routes, the largest change first.

    `answer` is the only one: text, JSON and gate give it. `shapes` has what calls
    others than before. `stretch` (epoch nanoseconds) is set if requests are slower
    in an interval only. `causes` are ranked; for the answers `same` and `unsure` they are candidates.

    `routes` are the compared routes: those with enough requests on both sides; `by_route` has the change of each.
    `left_out` are the others. `whole` is None if no route is compared. `requests` counts the requests that did not time
    out, `timeouts` those that did, each as (before, now). `rates` and `percentiles` cover all requests; `percentiles`
    are `(percent, before_ns, now_ns)` of the wall clock.
    """

    sources: tuple[str, ...]
    requests: tuple[int, int]
    timeouts: tuple[int, int]
    routes: tuple[str, ...]
    left_out: tuple[str, ...]
    whole: Change | None
    cells: tuple[Change, ...]
    rates: tuple[Rate, ...] = ()
    percentiles: tuple[tuple[int, int, int], ...] = ()
    answer: Answer = "few"
    causes: tuple[Cause, ...] = ()
    stretch: tuple[int, int] | None = None
    by_route: tuple[RouteChange, ...] = ()
    shapes: Shapes = NO_SHAPES

    @property
    def changed(self) -> tuple[Change, ...]:
        """The cells that changed as the answer says: its first cause first."""
        kind = "slower" if self.answer == "disturbed" else self.answer
        found = [one for one in self.cells if one.tested.kind == kind != "same"]
        first = self.causes[0].cells if self.causes and kind == "slower" else ()
        return tuple(sorted(found, key=lambda one: (one.cell not in first, -abs(one.tested.excess_ns))))

    @property
    def how(self) -> str:
        """Whether the `typical` request or the `tail` changed; empty if nothing did."""
        if self.answer not in ("slower", "faster") or self.whole is None:
            return ""
        return (self.changed[0] if self.changed else self.whole).tested.how

    @property
    def slower_percent(self) -> float:
        """By how many percent the route that changed most became slower (negative: faster); 0 without a change.

        If a cell is surely slower, and no route is, it is the change of the mean request: of all routes, or of those
        with slow requests that the baseline does not have.
        """
        if self.answer in ("disturbed", "few", "unsure"):
            return 0.0
        found = [one.percent for one in self.by_route if one.is_slower or one.is_sure]
        if self.answer != "slower":
            return max(found, key=abs, default=0.0)
        if not found and self.whole is not None:  # no route is surely slower, but a cell is
            mean = self.whole.mean
            found = [0.0, 100 * mean.difference_ns / max(mean.before_ns, 1)]
            found += [one.tested.fresh.percent for one in self.changed if one.tested.fresh is not None]
        return max(found, default=0.0)


def against(now: Iterable[Account], before: Iterable[Account], sources: Sequence[str] = ()) -> Against:
    """Compare requests with a baseline, route by route; `sources` are the names of the baseline's files.

    A changed mix of routes is not a difference.
    """
    before, now = Accounts.of(before), Accounts.of(now)
    shares = rates(before, now)
    walls = [sorted(side.walls_ns) for side in (before, now)]
    ranks = tuple((percent, at_rank(walls[0], percent), at_rank(walls[1], percent)) for percent in PERCENTILES)
    counts = [_ended(side) for side in (before, now)]
    seen = sorted({*counts[0], *counts[1]})
    routes = tuple(name for name in seen if all(one.get(name, 0) >= COMPARABLE_REQUESTS for one in counts))
    left_out = tuple(name for name in seen if name not in routes)
    requests = (sum(counts[0].values()), sum(counts[1].values()))
    timeouts = (len(before.timed_out()), len(now.timed_out()))
    if not routes:
        return Against(tuple(sources), requests, timeouts, (), left_out, None, (), shares, ranks)
    old, new = Side(before, routes), Side(now, routes)
    tested = _tested(old, new)
    measured = _measured(old, new, tested)
    slower = [cell for cell, one in tested.items() if cell is not None and one.kind == "slower"]
    by_route = route_changes(old, new, routes, slower)
    reshaped = shapes(old, new)
    answer, found, stretch = _answer(old, new, tested, by_route, reshaped)
    return Against(
        sources=tuple(sources),
        requests=requests,
        timeouts=timeouts,
        routes=routes,
        left_out=left_out,
        whole=measured[0],
        cells=tuple(sorted(measured[1:], key=_most_first)),
        rates=shares,
        percentiles=ranks,
        answer=answer,
        causes=found,
        stretch=stretch,
        by_route=by_route,
        shapes=reshaped,
    )


def _ended(side: Accounts) -> dict[str, int]:
    """The number of requests that did not time out, by route."""
    found: dict[str, int] = {}
    kinds = list(side.kinds)
    for at in side.ended():
        route = kinds[side.kind_of[at]].route
        found[route] = found.get(route, 0) + 1
    return found


def _tested(old: Side, new: Side) -> dict[Cell | None, Changed]:
    """The tests of the whole request and of all cells."""
    cells: list[Cell | None] = [None, *sorted({cell for side in (old, new) for cell in side.cells if cell is not None})]
    need = critical(len(cells))
    found = {cell: changed(old, new, cell, need) for cell in cells}
    for one in fresh(old, new):
        for cell in one.cells:
            if found[cell].kind != "slower":
                found[cell] = _with(found[cell], one, len(new.cells[cell]))
    return found


def _with(seen: Changed, one: Fresh, requests: int) -> Changed:
    """A cell whose change only its slow requests tell: on its other routes, or in the median, it is the same."""
    return replace(
        seen,
        kind="slower",
        how="tail",
        excess_ns=max(seen.excess_ns, one.excess_call_ns * (one.slow[1] - one.slow[0]) / requests),
        is_sure=one.stretch is None,
        stretch=one.stretch,
        pieces=one.pieces,
        fresh=one,
    )


def _answer(
    old: Side,
    new: Side,
    tested: Mapping[Cell | None, Changed],
    by_route: Sequence[RouteChange],
    reshaped: Shapes,
) -> tuple[Answer, tuple[Cause, ...], tuple[int, int] | None]:
    """The first answer that holds, its causes, and the interval in which requests are slower."""
    cells = {cell: one for cell, one in tested.items() if cell is not None}
    slower = [cell for cell, one in cells.items() if one.kind == "slower"]
    likely = {cell for cell, one in cells.items() if one.deviations >= LIKELY or one.kind == "slower"}
    ranked = causes({cell: one.excess_ns for cell, one in cells.items()}, slower, likely, new.operations())
    whole = tested[None]
    if slower:
        top = next((cell for first in ranked[:1] for cell in first.cells if cell in slower), slower[0])
        sure = any(cells[cell].is_sure for cell in slower)
        pieces = cells[top].pieces if not sure else None
        if slowed_alike(old, new, top, cells) if pieces is None else alike_within(new, top, pieces):
            return "disturbed", ranked, None
        ranked = (*_by_calls(old, new, slower, reshaped), *ranked)
        return "slower", ranked, cells[top].stretch if not sure else None
    rose = any(one.is_slower for one in by_route) or (whole.kind == "slower" and whole.is_sure)
    if rose and _is_drift(new, likely):
        return "disturbed", ranked, None
    route = next((one for one in by_route if one.is_slower and one.percent >= ROUTE_PERCENT), None)
    if route is not None or (whole.kind == "slower" and whole.is_sure):
        found = _causes_on(old, new, route.route) if route is not None else ranked
        certain = [one.cells[0] for one in found if one.asserted]
        return "slower", (*_by_calls(old, new, certain, reshaped), *found), None
    if whole.pieces is not None and alike_within(new, None, whole.pieces):
        return "disturbed", ranked, None
    if reshaped.services:
        changed_shape = [_reshaped(service) for service in reshaped.services]
        return "shape", (*changed_shape, *(one for one in ranked if one.service not in reshaped.services)), None
    if whole.kind == "faster" or any(one.kind == "faster" for one in cells.values()):
        return "faster", ranked, None
    if whole.kind == "slower" or any(one.is_doubled for one in by_route):
        return "unsure", ranked, None
    return "same", (*(_reshaped(service, asserted=False) for service in reshaped.candidates), *ranked), None


def _by_calls(old: Side, new: Side, slower: Iterable[Cell], reshaped: Shapes) -> list[Cause]:
    """The callers whose further calls add more to a request than any slower cell does."""
    most_ns = max((_added_ns(old, new, cell) for cell in slower), default=0.0)
    more = [one for one in reshaped.calls if one.kind in ("more", "new")]
    callers = [one.cell.caller for one in more if _added_by_calls_ns(old, new, one) > most_ns]
    return [_reshaped(caller) for caller in dict.fromkeys(callers)]


def _added_by_calls_ns(old: Side, new: Side, one: CallChange) -> float:
    """How much longer a request waits because of its further calls, if each took as long as in the baseline."""
    entries = (old if one.cell in old.cells else new).cells.get(one.cell, Entries())
    return (one.mean[1] - one.mean[0]) * sum(entries.call_ns) / max(len(entries), 1)


def _added_ns(old: Side, new: Side, cell: Cell) -> float:
    """How much longer the mean request waits for a cell."""
    then, now = (sum(side.cells[cell].ns) / len(side) if cell in side.cells else 0.0 for side in (old, new))
    return now - then


def _reshaped(service: str, *, asserted: bool = True) -> Cause:
    return Cause(service, "shape", 0.0, (Cell(service, Part("own code", service)),), asserted=asserted)


def _is_drift(new: Side, likely: Collection[Cell]) -> bool:
    """Whether no cell is surely slower, but most of several services' cells are likely so: a drift of the machine."""
    cells = [cell for cell, one in new.cells.items() if cell is not None and one.waiting >= ALIKE_LEAST]
    callers = {cell.caller for cell in cells}
    return len(callers) > 1 and len(cells) >= 3 and len(likely) >= ALIKE_SHARE * len(cells)


def _causes_on(old: Side, new: Side, route: str) -> tuple[Cause, ...]:
    """The causes on a route that is surely slower: fewer deviations make a cell sure than among all cells."""
    found: dict[Cell, Changed] = {}
    for cell, entries in new.cells.items():
        if cell is not None and route in entries.routes:
            found[cell] = changed(old, new, cell, ROUTE_DEVIATIONS, route)
    slower = [cell for cell, one in found.items() if one.kind == "slower"]
    likely = {cell for cell, one in found.items() if one.deviations >= LIKELY}
    return causes({cell: one.excess_ns for cell, one in found.items()}, slower, likely, new.operations())


def _measured(old: Side, new: Side, tested: Mapping[Cell | None, Changed]) -> list[Change]:
    """The whole request and the cells with their estimates."""
    cells = list(tested)
    both = {route: 0 for side in (old, new) for route in side.cells[None].routes}
    for side in (old, new):
        for route in side.cells[None].routes:
            both[route] += 1
    weights = {route: Fraction(count, sum(both.values())) for route, count in both.items()}
    strata = {cell: found for cell in cells if (found := _strata(cell, old, new, weights))}
    asked = len(cells) + len(strata)
    typical = {cell: of_medians(f"typical {_key(cell)}", found, asked) for cell, found in strata.items()}
    compared = (len(old), len(new))
    return [
        Change(cell, typical.get(cell), mean, (_waited(old, cell), _waited(new, cell)), compared, tested[cell])
        for cell, mean in zip(cells, _means(old, new, cells, weights, asked), strict=True)
    ]


def _key(cell: Cell | None) -> str:
    return cell.label if cell is not None else "the whole request"


def _waited(side: Side, cell: Cell | None) -> int:
    entries = side.cells.get(cell)
    return sum(1 for ns in entries.ns if ns) if entries is not None else 0


def _strata(cell: Cell | None, old: Side, new: Side, routes: Iterable[str]) -> list[Stratum]:
    """The routes with enough requests on both sides that waited for the cell."""
    times = [_times(side.cells.get(cell, Entries())) for side in (old, new)]
    found: list[Stratum] = []
    for route in routes:
        then, now = (one.get(route, []) for one in times)
        if min(len(then), len(now)) >= COMPARABLE_REQUESTS:
            found.append(Stratum(len(then) + len(now), Times.of(then), Times.of(now)))
    return found


def _times(entries: Entries) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for route, ns in zip(entries.routes, entries.ns, strict=True):
        if ns:
            found.setdefault(route, []).append(ns)
    return found


def _means(
    old: Side, new: Side, cells: Sequence[Cell | None], weights: Mapping[str, Fraction], asked: int
) -> Iterator[Estimate]:
    before: Mapping[Cell | None, Blocks]
    before, now = blocks_of(old, cells, weights), blocks_of(new, cells, weights)
    for cell in cells:
        yield of_means(f"mean {_key(cell)}", before[cell], now[cell], asked)


def _most_first(one: Change) -> tuple[bool, int, int, str]:
    return one.real is None, -abs(one.per_request_ns), -abs(one.mean.difference_ns), _key(one.cell)
