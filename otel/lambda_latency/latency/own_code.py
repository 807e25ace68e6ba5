"""Own code divided by the samples on a handler's span: the lines at which requests computed or waited.

Only time that own code has on the critical path is divided: samples that were taken during calls drop out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeAlias

from lambda_latency.latency.analysis.cause_groups import CauseGroup
from lambda_latency.latency.analysis.thresholds import ENOUGH_SLOW
from lambda_latency.latency.breakdowns.columns import Breakdowns
from lambda_latency.latency.breakdowns.component import Edge
from lambda_latency.latency.breakdowns.owners import NOBODY, Owners
from lambda_latency.latency.waterfall import CodePlace, runs_of, sampled, waterfall_of
from lambda_latency.trace import Trace

Find: TypeAlias = Callable[[Collection[str]], Mapping[str, Trace]]
_Requests: TypeAlias = "list[_SampledRequest]"

MOST_READ = 40  # requests of a cause group, and as many typical ones
# The runtime samples requests with such trace ids from their begin
CHOSEN = 64
WHOLE_CPU_MB = 1769  # with so much memory, a function has one CPU
COMPUTING, WAITING, UNSURE = 0.5, 0.1, 0.3  # shares of CPU, and of late samples
SLEEPS = ("time.sleep", "asyncio.tasks.sleep", "asyncio.sleep")
LOCKS = ("threading.", "asyncio.locks.", "multiprocessing.synchronize.", "queue.", "asyncio.queues.")


@dataclass(frozen=True, slots=True)
class PlaceTime:
    """The time of a place in the median slow request, minus that in the median typical one.

    In `requests` slow requests it is the largest excess: if there are some, the median is that of these.
    `state` is `computing`, `waiting` or empty; `waits_for` is `lock`, `sleep`, `file`, `network`, `process`, `DNS` or
    empty. `about`: much of it rests on late samples, and may belong to the place before.
    """

    place: CodePlace
    excess_ns: int
    slow_ns: int
    requests: int
    cpu: float | None
    state: str
    waits_for: str
    about: bool
    source: str


@dataclass(frozen=True, slots=True)
class OwnCode:
    """The own code of a group of slow requests by place; first those that are the largest excess of most requests.

    Of the cause group, `requests` have samples. `unsampled_ns` is the median time of own code without them: before
    sampling began, and at the end. `typical` is the number of typical requests that the places are compared with.
    """

    places: tuple[PlaceTime, ...]
    unsampled_ns: int
    requests: int
    typical: int


def own_code_of(breakdowns: Breakdowns, cause: CauseGroup, find: Find, owners: Owners = NOBODY) -> OwnCode | None:
    """Return the own code of a group of slow requests; None if none of them has samples. `find` gets traces by id."""
    slow_ids = list(map(breakdowns.trace_id, breakdowns.evenly(cause.members, MOST_READ)))
    slow = _requests(slow_ids, find, cause.edge, owners)
    return _compared(slow, _requests(typical_ids(breakdowns, cause), find, cause.edge, owners)) if slow else None


def typical_ids(breakdowns: Breakdowns, cause: CauseGroup) -> list[str]:
    """Return the trace ids of requests to compare the own code of a cause group with: those that are sampled from
    their begin, of other requests of its routes. Most of these are typical.
    """
    kinds, members = list(breakdowns.kinds), set(cause.members)
    of_routes = {number for number, kind in enumerate(kinds) if kind.route in cause.routes}
    kind_of, chosen = breakdowns.kind_of, _chosen(breakdowns)
    typical = [index for index in chosen if index not in members and kind_of[index] in of_routes]
    return list(map(breakdowns.trace_id, breakdowns.evenly(typical, MOST_READ)))


def own_code_against(
    edge: Edge, present: tuple[Breakdowns, Find], baseline: tuple[Breakdowns, Find], owners: Owners = NOBODY
) -> OwnCode | None:
    """An edge of own code now and in a baseline, from the requests that are sampled from their begin; None if the
    baseline or the present has too few of them. Each group is its breakdowns and the function that returns traces by
    id.
    """
    groups = [
        _requests(list(map(breakdowns.trace_id, breakdowns.evenly(_chosen(breakdowns), MOST_READ))), find, edge, owners)
        for breakdowns, find in (present, baseline)
    ]
    return _compared(*groups) if min(map(len, groups)) >= ENOUGH_SLOW else None


def own_code_in(trace: Trace, owners: Owners = NOBODY) -> OwnCode | None:
    """Return the own code of one request, of all services; None without samples."""
    request = _SampledRequest(trace, None, owners)
    return _compared([request], []) if request.places else None


def _compared(slow: _Requests, typical: _Requests) -> OwnCode | None:
    if not slow:
        return None
    typical_ns = {place: _typical_ns(place, typical) for request in slow for place in request.places}
    by_largest: defaultdict[CodePlace, list[_SampledRequest]] = defaultdict(list)
    for request in slow:
        excesses = [(ns - typical_ns[place], place) for place, ns in request.places.items()]
        by_largest[max(excesses)[1]].append(request)
    times = [_time_of(place, slow, typical, by_largest[place]) for place in typical_ns]
    shown = sorted([t for t in times if t.slow_ns], key=lambda time: (-time.requests, -time.excess_ns, time.place))
    unsampled_ns = int(median([request.unsampled_ns for request in slow]))
    return OwnCode(tuple(shown), unsampled_ns, len(slow), len(typical))


def _requests(ids: Sequence[str], find: Find, edge: Edge, owners: Owners) -> _Requests:
    """Those of some requests that have samples."""
    traces = find(ids) if ids else {}
    with_samples = [trace for id_ in ids if (trace := traces.get(id_)) is not None and any(map(runs_of, trace.spans))]
    requests = [_SampledRequest(trace, edge.component.name, owners) for trace in with_samples]
    return [request for request in requests if request.places]


def _chosen(breakdowns: Breakdowns) -> list[int]:
    """Return the requests that are sampled from their begin."""
    return [index for index in range(len(breakdowns)) if not int(breakdowns.trace_id(index), 16) % CHOSEN]


class _SampledRequest:
    """The own code of one service (None: of all) in a request, by place."""

    def __init__(self, trace: Trace, service: str | None, owners: Owners) -> None:
        self.places: Counter[CodePlace] = Counter()
        self.cpu_ns: defaultdict[CodePlace, float] = defaultdict(float)
        self.late_ns: defaultdict[CodePlace, float] = defaultdict(float)
        self.waits: dict[CodePlace, str] = {}
        self.sources: dict[CodePlace, str] = {}
        self.unsampled_ns = 0
        self.cpus = _cpus(trace)
        self.has_cpu = True
        drawn = waterfall_of(trace, owners)
        for segment in drawn.path:
            if segment.component.category != "own code" or service not in (None, segment.component.name):
                continue
            self.unsampled_ns += segment.end_ns - segment.start_ns
            for ns, run in sampled(drawn, segment):
                self.unsampled_ns -= ns
                self.places[run.place] += ns
                self.has_cpu &= run.cpu is not None
                self.cpu_ns[run.place] += ns * (run.cpu or 0)
                self.late_ns[run.place] += ns * run.lateness
                self.waits[run.place] = run.waits_for
                self.sources[run.place] = run.source


def _time_of(place: CodePlace, slow: _Requests, typical: _Requests, largest: _Requests) -> PlaceTime:
    """Return the time of a place; `largest` are the slow requests in which it has the largest excess."""
    slow_ns = int(median([request.places[place] for request in largest or slow]))
    requests = [request for request in slow if request.places[place]]
    cpu, state = _cpu_and_state(place, requests)
    waits_for = _first_text(request.waits[place] for request in requests)
    late_ns = sum(request.late_ns[place] for request in requests)
    return PlaceTime(
        place=place,
        excess_ns=slow_ns - _typical_ns(place, typical),
        slow_ns=slow_ns,
        requests=len(largest),
        cpu=cpu,
        state=state,
        waits_for=_waits_for(place, waits_for) if state == "waiting" else "",
        about=late_ns > UNSURE * sum(request.places[place] for request in requests),
        source=_first_text(request.sources[place] for request in requests),
    )


def _cpu_and_state(place: CodePlace, requests: _Requests) -> tuple[float | None, str]:
    """Return the share of CPU, None if it is unknown, and what it tells: `computing`, `waiting` or nothing."""
    if not all(request.has_cpu for request in requests):
        return None, ""
    cpu = sum(request.cpu_ns[place] for request in requests) / sum(request.places[place] for request in requests)
    available = min(request.cpus for request in requests)
    if cpu >= COMPUTING * available:
        return cpu, "computing"
    return cpu, "waiting" if cpu < WAITING * available else ""


def _first_text(texts: Iterable[str]) -> str:
    return next(filter(None, texts), "")


def _typical_ns(place: CodePlace, typical: _Requests) -> int:
    return int(median([request.places[place] for request in typical])) if typical else 0


def _waits_for(place: CodePlace, recorded: str) -> str:
    if place.below.endswith("getaddrinfo"):
        return "DNS"
    if place.below in SLEEPS:
        return "sleep"
    return "lock" if place.below.startswith(LOCKS) else recorded


def _cpus(trace: Trace) -> float:
    """Return the share of a CPU that the function has by its memory; 1 if the memory is unknown."""
    for span in trace.spans:
        memory = span.resource.get("faas.max_memory")
        if runs_of(span) and isinstance(memory, int) and memory > 0:
            return min(1.0, memory / 2**20 / WHOLE_CPU_MB)
    return 1.0
