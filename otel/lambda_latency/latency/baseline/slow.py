"""Slow requests that the baseline does not have: few of one route change neither median nor p90, and are no noise."""

from __future__ import annotations

from collections import Counter, defaultdict
from math import exp, lgamma, log
from typing import TYPE_CHECKING, NamedTuple

from lambda_latency.latency.baseline.exceeding import quantile
from lambda_latency.latency.baseline.sides import Entries, Side
from lambda_latency.latency.judge.classes import classes, grouped
from lambda_latency.latency.judge.slowness import PIECES, slowness
from lambda_latency.latency.judge.thresholds import BEYOND_NS, BEYOND_TIMES, ENOUGH_SLOW, TRUST_PERCENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lambda_latency.latency.accounts.columns import Accounts
    from lambda_latency.latency.accounts.part import Cell
    from lambda_latency.latency.judge.classes import Class, Member

MOST = 0.95  # quantile of the baseline


class Fresh(NamedTuple):
    """A class of slow requests that the baseline has none of, or far fewer. `requests` are (then, now) of its `routes`.

    `slow` are those of the class: (then, now); `members` their places now. `stretch` (epoch nanoseconds), if it is set,
    holds nearly all of them, in the `pieces` of all requests from the first up to, not including, the last. The class
    adds `percent` to the time that its routes take without it. `calls` are those of a request, usually and now, if
    there are several times as many.
    """

    cells: tuple[Cell, ...]
    routes: tuple[str, ...]
    requests: tuple[int, int]
    slow: tuple[int, int]
    excess_ns: int
    excess_call_ns: int
    percent: float
    calls: tuple[int, int] | None
    stretch: tuple[int, int] | None
    pieces: tuple[int, int] | None
    members: frozenset[int]


def fresh(old: Side, new: Side) -> tuple[Fresh, ...]:
    """The classes of the requests now that chance does not explain, each as likely as `TRUST_PERCENT` tells."""
    found = classes(new.accounts).found
    if not found:
        return ()
    then = grouped(old.accounts, slowness(old.accounts))[0]
    chance = (100 - TRUST_PERCENT) / 100 / len(found)
    every = [_fresh(old, new, one, then.get(one.cell.of_all, [])) for one in found]
    return tuple(one for one, chances in every if chances <= chance and _is_longer(old, new, one))


def _is_longer(old: Side, new: Side, one: Fresh) -> bool:
    """Whether its requests wait longer than nearly all did then. More requests that wait as long are no slower ones."""
    then: defaultdict[str, list[int]] = defaultdict(list)
    for ns, route in _times(old, one).values():
        then[route].append(ns)
    limits = {route: BEYOND_TIMES * quantile(sorted(times), MOST) + BEYOND_NS for route, times in then.items()}
    now = [ns > limits.get(route, 0) for at, (ns, route) in _times(new, one).items() if at in one.members]
    return 2 * sum(now) > len(now)


def _times(side: Side, one: Fresh) -> dict[int, tuple[int, str]]:
    """The time and the route of each request of the class's routes that waits for its cell."""
    found: dict[int, tuple[int, str]] = {}
    for cell in one.cells:
        entries = side.cells.get(cell, Entries())
        for at, ns, route in zip(entries.places, entries.ns, entries.routes, strict=True):
            if ns and route in one.routes:
                found[at] = (found.get(at, (0, route))[0] + ns, route)
    return found


def _fresh(old: Side, new: Side, one: Class, then: Sequence[Member]) -> tuple[Fresh, float]:
    """A class, and the chance that so many of its requests are new ones."""
    old_routes = old.cells[None].routes
    before = [member.at for member in then if old_routes[member.at] in one.routes]
    requests = [sum(Counter(side.cells[None].routes)[route] for route in one.routes) for side in (old, new)]
    walls_ns = sum(
        ns for ns, route in zip(new.cells[None].ns, new.cells[None].routes, strict=True) if route in one.routes
    )
    added_ns = one.excess_ns * len(one.members)
    inside = [at for at in one.members if one.stretch is not None and one.stretch[0] <= new.accounts.starts_ns[at]]
    inside = [at for at in inside if one.stretch is not None and new.accounts.starts_ns[at] <= one.stretch[1]]
    pieces = [at * PIECES // len(new) for at in inside]
    # Requests of one moment count once, as they may have one reason; a stretch is told as such.
    counts = (_moments(before, old.accounts), _moments(one.members, new.accounts))
    if one.stretch is not None:
        counts = (len(before), len(one.members))
    return Fresh(
        cells=tuple(cell for cell in new.cells if cell is not None and cell.of_all == one.cell.of_all),
        routes=one.routes,
        requests=(requests[0], requests[1]),
        slow=(len(before), len(one.members)),
        excess_ns=one.excess_ns,
        excess_call_ns=one.excess_call_ns,
        percent=100 * added_ns / max(walls_ns - added_ns, 1),
        calls=one.calls if one.makes_more_calls else None,
        stretch=one.stretch,
        pieces=(min(pieces), max(pieces) + 1) if pieces else None,
        members=frozenset(one.members),
    ), _chance(counts, requests[1] / max(sum(requests), 1))


def _moments(members: Iterable[int], accounts: Accounts) -> int:
    return len({at * PIECES // len(accounts) for at in members})


def _chance(counts: tuple[int, int], share: float) -> float:
    """The chance that of all these at least so many are now, if `share` of the requests are."""
    every = sum(counts)
    if counts[1] < ENOUGH_SLOW / 2:
        return 1.0
    odds, whole = log(share) - log(1 - share), every * log(1 - share) + lgamma(every + 1)
    each = [whole + some * odds - lgamma(some + 1) - lgamma(every - some + 1) for some in range(counts[1], every + 1)]
    return sum([exp(one) for one in each])
