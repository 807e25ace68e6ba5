"""Own code divided by the samples on a handler's span: the lines at which requests computed or waited.

Only time that own code has on the critical path is divided: samples that were taken during calls drop out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from lambda_latency.latency.accounts.owners import NOBODY, Owners
from lambda_latency.latency.judge.thresholds import ENOUGH_SLOW
from lambda_latency.latency.samples import Place, Run, runs_of
from lambda_latency.latency.waterfall import waterfall_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from typing import TypeAlias

    from lambda_latency.latency.accounts.columns import Accounts
    from lambda_latency.latency.accounts.part import Cell
    from lambda_latency.latency.judge.accounting import Spent
    from lambda_latency.latency.judge.classes import Class
    from lambda_latency.latency.waterfall import Bar, Waterfall
    from lambda_latency.trace import Trace

    Find: TypeAlias = Callable[[Collection[str]], Mapping[str, Trace]]

MOST_READ = 40  # requests of a class, and as many typical ones
CHOSEN = 64  # the runtime samples requests with such trace ids from their begin
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

    place: Place
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
    """The own code of a class of slow requests by place; first those that are the largest excess of most requests.

    Of the class, `requests` have samples. `unsampled_ns` is the median time of own code without them: before sampling
    began, and at the end. `typical` is the number of typical requests that the places are compared with.
    """

    places: tuple[PlaceTime, ...]
    unsampled_ns: int
    requests: int
    typical: int


def sampled(drawn: Waterfall, one: Spent) -> Iterator[tuple[int, Run]]:
    """The samples in a stretch of a critical path, if it is own code: nanoseconds and run of each."""
    if one.part.bucket != "own code":
        return
    bar: Bar | None = drawn.bar_of[one.row.span_id]
    while bar is not None and not bar.runs:
        bar = bar.above  # the handler's span has those of its spans, too
    for run in bar.runs if bar is not None else ():
        ns = min(one.end_ns, run.end_ns) - max(one.start_ns, run.start_ns)
        if ns > 0:
            yield ns, run


def own_code_of(every: Accounts, one: Class, find: Find, owners: Owners = NOBODY) -> OwnCode | None:
    """The own code of a class of slow requests; None if none of them has samples. `find` returns traces by id."""
    slow = _requests([every.trace_id(at) for at in one.members], find, one.cell, owners)
    if not slow:
        return None
    kinds, members = list(every.kinds), set(one.members)
    alike = (at for at in range(len(every)) if at not in members and kinds[every.kind_of[at]].route in one.routes)
    usual = _chosen(every.trace_id(at) for at in alike)  # typical requests are most of these
    return _compared(slow, _requests(usual, find, one.cell, owners))


def own_code_against(
    cell: Cell, now: tuple[Accounts, Find], before: tuple[Accounts, Find], owners: Owners = NOBODY
) -> OwnCode | None:
    """A cell of own code now and in a baseline, from the requests that are sampled from their begin; None if the
    baseline or the present has too few of them. Each side is its accounts and the function that returns traces by id.
    """
    sides = [
        _requests(_chosen(every.trace_id(at) for at in range(len(every))), find, cell, owners)
        for every, find in (now, before)
    ]
    return _compared(*sides) if min(map(len, sides)) >= ENOUGH_SLOW else None


def own_code_in(trace: Trace, owners: Owners = NOBODY) -> OwnCode | None:
    """The own code of one request, of all services; None without samples."""
    return _compared([one] if (one := _Request(trace, None, owners)).places else [], [])


def _compared(slow: list[_Request], usual: list[_Request]) -> OwnCode | None:
    if not slow:
        return None
    every = {place for one in slow for place in one.places}
    typical_ns = {place: _typical_ns(place, usual) for place in every}
    first: defaultdict[Place, list[_Request]] = defaultdict(list)
    for one in slow:
        first[max(one.places, key=lambda place: (one.places[place] - typical_ns[place], place))].append(one)
    times = [_time_of(place, slow, usual, first[place]) for place in every]
    shown = sorted([one for one in times if one.slow_ns], key=lambda one: (-one.requests, -one.excess_ns, one.place))
    unsampled_ns = int(median([one.unsampled_ns for one in slow]))
    return OwnCode(tuple(shown), unsampled_ns, len(slow), len(usual))


def _requests(ids: Sequence[str], find: Find, cell: Cell, owners: Owners) -> list[_Request]:
    """Those of some requests that have samples; at most `MOST_READ` are read."""
    wanted = _spread(ids)
    traces = find(wanted) if wanted else {}
    found = [_Request(traces[one], cell.part.name, owners) for one in wanted if one in traces]
    return [one for one in found if one.places]


def _chosen(ids: Iterable[str]) -> list[str]:
    return [one for one in ids if not int(one, 16) % CHOSEN]


def _spread(ids: Sequence[str]) -> Sequence[str]:
    """At most `MOST_READ` of these, evenly."""
    return ids if len(ids) <= MOST_READ else [ids[at * len(ids) // MOST_READ] for at in range(MOST_READ)]


class _Request:
    """The own code of one service (None: of all) in a request, by place."""

    def __init__(self, trace: Trace, service: str | None, owners: Owners) -> None:
        self.places: Counter[Place] = Counter()
        self.cpu_ns: defaultdict[Place, float] = defaultdict(float)
        self.late_ns: defaultdict[Place, float] = defaultdict(float)
        self.waits: dict[Place, str] = {}
        self.sources: dict[Place, str] = {}
        self.unsampled_ns = 0
        self.cpus = _cpus(trace)
        self.has_cpu = True
        drawn = waterfall_of(trace, owners)
        for one in drawn.path:
            if one.part.bucket != "own code" or service not in (None, one.part.name):
                continue
            self.unsampled_ns += one.end_ns - one.start_ns
            for ns, run in sampled(drawn, one):
                self.unsampled_ns -= ns
                self.places[run.place] += ns
                self.has_cpu &= run.cpu is not None
                self.cpu_ns[run.place] += ns * (run.cpu or 0)
                self.late_ns[run.place] += ns * run.late
                self.waits[run.place] = run.waits_for
                self.sources[run.place] = run.source


def _time_of(place: Place, slow: Sequence[_Request], usual: Sequence[_Request], first: Sequence[_Request]) -> PlaceTime:
    """The time of a place; `first` are the slow requests in which it has the largest excess."""
    slow_ns = int(median([one.places[place] for one in first or slow]))
    have = [one for one in slow if one.places[place]]
    whole = sum(one.places[place] for one in have)
    cpu = sum(one.cpu_ns[place] for one in have) / whole if all(one.has_cpu for one in have) else None
    state = ""
    if cpu is not None:
        share = min(one.cpus for one in have)
        state = "computing" if cpu >= COMPUTING * share else "waiting" if cpu < WAITING * share else ""
    waits = next((one.waits[place] for one in have if one.waits[place]), "")
    return PlaceTime(
        place=place,
        excess_ns=slow_ns - _typical_ns(place, usual),
        slow_ns=slow_ns,
        requests=len(first),
        cpu=cpu,
        state=state,
        waits_for=_waits_for(place, waits) if state == "waiting" else "",
        about=sum(one.late_ns[place] for one in have) > UNSURE * whole,
        source=next((one.sources[place] for one in have if one.sources[place]), ""),
    )


def _typical_ns(place: Place, usual: Sequence[_Request]) -> int:
    return int(median([one.places[place] for one in usual])) if usual else 0


def _waits_for(place: Place, told: str) -> str:
    if place.below.endswith("getaddrinfo"):
        return "DNS"
    if place.below in SLEEPS:
        return "sleep"
    return "lock" if place.below.startswith(LOCKS) else told


def _cpus(trace: Trace) -> float:
    """The share of a CPU that the function has by its memory; 1 if the memory is unknown."""
    for span in trace.spans:
        memory = span.resource.get("faas.max_memory")
        if runs_of(span) and isinstance(memory, int) and memory > 0:
            return min(1.0, memory / 2**20 / WHOLE_CPU_MB)
    return 1.0
