"""Groups of slow requests that the baseline has none of, or far fewer."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from math import exp, lgamma, log
from typing import NamedTuple

from lambda_latency.latency.analysis.cause_groups import CauseGroup, Sets, cause_groups, grouped
from lambda_latency.latency.analysis.slowness import PIECES, slowness
from lambda_latency.latency.analysis.thresholds import BEYOND_NS, BEYOND_TIMES, ENOUGH_SLOW, GROWN, TRUST_PERCENT
from lambda_latency.latency.baseline.exceeding import quantile
from lambda_latency.latency.baseline.periods import EdgeWaits, Period
from lambda_latency.latency.breakdowns.columns import Breakdowns
from lambda_latency.latency.breakdowns.component import Edge

MOST = 0.95  # quantile of the baseline


class NewGroup(NamedTuple):
    """A cause group that the baseline has none of, or a far smaller one. `requests` are (then, now) of its `routes`.

    `edges` are one edge of its set, whoever calls, and `excess_ns` is the excess in that edge.
    `slow` are those of the group: (then, now); `members` their places now. `window` (epoch nanoseconds), if it is set,
    holds nearly all of them, in the `pieces` of all requests from the first up to, not including, the last. The group
    adds `percent` to the time that its routes take without it. `calls` are those of a request, usually and now, if
    there are several times as many. If it `is_chance`, its number alone proves nothing.
    """

    edges: tuple[Edge, ...]
    routes: tuple[str, ...]
    requests: tuple[int, int]
    slow: tuple[int, int]
    excess_ns: int
    excess_call_ns: int
    percent: float
    calls: tuple[int, int] | None
    window: tuple[int, int] | None
    pieces: tuple[int, int] | None
    members: frozenset[int]
    is_chance: bool

    @property
    def has_grown(self) -> bool:
        """Whether several times as large a share of the requests is in the group as in the baseline."""
        old, new = (slow / max(requests, 1) for slow, requests in zip(self.slow, self.requests, strict=True))
        return new >= GROWN * old


def new_groups(old: Period, new: Period) -> tuple[NewGroup, ...]:
    """Return the groups that are new or have grown, with `TRUST_PERCENT` % trust in all that are not `is_chance`."""
    groups = cause_groups(new.breakdowns).groups
    if not groups:
        return ()
    old_sets = grouped(old.breakdowns, slowness(old.breakdowns))[0]
    chance = (100 - TRUST_PERCENT) / 100 / len(groups)
    places = [(group, place) for group in groups for place in range(len(group.edges))]
    waiting = [_waiting_for(old, old_sets, group, place) for group, place in places]
    tested = [_new_group(old, new, *of, requests, chance) for of, requests in zip(places, waiting, strict=True)]
    return tuple(group for group in tested if group.has_grown and _is_longer(old, new, group))


def _is_longer(old: Period, new: Period, group: NewGroup) -> bool:
    """Whether its requests wait longer than nearly all old ones. More requests that wait as long are no slower ones."""
    old_times: defaultdict[str, list[int]] = defaultdict(list)
    for ns, route in _times(old, group).values():
        old_times[route].append(ns)
    limits = {route: BEYOND_TIMES * quantile(sorted(times), MOST) + BEYOND_NS for route, times in old_times.items()}
    new_times = _times(new, group)
    longer = [ns > limits.get(route, 0) for place, (ns, route) in new_times.items() if place in group.members]
    return 2 * sum(longer) > len(longer)


def _times(period: Period, group: NewGroup) -> dict[int, tuple[int, str]]:
    """The time and the route of each request of the cause group's routes that waits for its edge."""
    times: dict[int, tuple[int, str]] = {}
    for edge in group.edges:
        waits = period.waits(edge)
        for place, ns, route in zip(waits.places, waits.ns, waits.routes, strict=True):
            if ns and route in group.routes:
                times[place] = (times.get(place, (0, route))[0] + ns, route)
    return times


def _waiting_for(old: Period, old_sets: Sets, group: CauseGroup, place: int) -> list[int]:
    """Return the slow requests of the baseline that wait for the edge at this place of a cause group."""
    edges, (edge, _) = enumerate(old.breakdowns.edges), group.edges[place]
    numbers = {number for number, old_edge in edges if old_edge.merged == edge.merged}
    return [member.request for s, members in old_sets.items() if not numbers.isdisjoint(s) for member in members]


def _new_group(
    old: Period, new: Period, group: CauseGroup, place: int, old_requests: Sequence[int], chance: float
) -> NewGroup:
    """The edge of a cause group at this place; so many requests are new ones by this chance at most, or `is_chance`.

    `old_requests` are the slow ones of the baseline that wait for this edge.
    """
    edge, excess_ns = group.edges[place]
    excess_call_ns, calls = excess_ns, None
    if not place:
        excess_call_ns, calls = group.excess_call_ns, group.calls if group.makes_more_calls else None
    old_whole, new_whole = old.edges[None], new.edges[None]
    old_slow = [request for request in old_requests if old_whole.routes[request] in group.routes]
    requests = _count(old_whole, group.routes), _count(new_whole, group.routes)
    walls_ns = sum(ns for ns, route in zip(new_whole.ns, new_whole.routes, strict=True) if route in group.routes)
    added_ns = group.excess_ns * len(group.members)
    slow = (len(old_slow), len(group.members))
    # Requests of one moment count once, as they may have one reason; a window of time is reported as such.
    moments = (_moments(old_slow, old.breakdowns), _moments(group.members, new.breakdowns))
    return NewGroup(
        edges=tuple(waited for waited in filter(None, new.edges) if waited.merged == edge.merged),
        routes=group.routes,
        requests=requests,
        slow=slow,
        excess_ns=excess_ns,
        excess_call_ns=excess_call_ns,
        percent=100 * added_ns / max(walls_ns - added_ns, 1),
        calls=calls,
        window=group.window,
        pieces=_pieces_of(group, new),
        members=frozenset(group.members),
        is_chance=_chance(slow if group.window is not None else moments, requests[1] / max(sum(requests), 1)) > chance,
    )


def _count(waits: EdgeWaits, routes: Iterable[str]) -> int:
    counts = Counter(waits.routes)
    return sum(counts[route] for route in routes)


def _pieces_of(group: CauseGroup, new: Period) -> tuple[int, int] | None:
    """The pieces of all requests with the members of a cause group in its window of time."""
    if group.window is None:
        return None
    begin_ns, end_ns = group.window
    starts = new.breakdowns.starts_ns
    pieces = [place * PIECES // len(new) for place in group.members if begin_ns <= starts[place] <= end_ns]
    return (min(pieces), max(pieces) + 1) if pieces else None


def _moments(members: Iterable[int], breakdowns: Breakdowns) -> int:
    return len({place * PIECES // len(breakdowns) for place in members})


def _chance(counts: tuple[int, int], share: float) -> float:
    """The chance that so many of all these are new ones, or more, if `share` of the requests are."""
    total = sum(counts)
    if counts[1] < ENOUGH_SLOW / 2:
        return 1.0
    odds, whole = log(share) - log(1 - share), total * log(1 - share) + lgamma(total + 1)
    counted = range(counts[1], total + 1)
    logarithms = [whole + count * odds - lgamma(count + 1) - lgamma(total - count + 1) for count in counted]
    return sum([exp(logarithm) for logarithm in logarithms])
