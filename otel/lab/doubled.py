"""One part takes longer than in a baseline: is that told where p95 doubled, and for 20 % on one route of many?

Where p95 at least doubled (the part takes 20 times as long at the end, in the middle, or at random), the answer must
not be "same", nor the status of the gate `slower > 5%` 0. Where one part adds 20 % to one route of eight, the gate must
fail, and must name the route and the part.

Usual time: 20 seconds, with --whole 2 minutes.
"""

import random
import tempfile
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from lab.judging.answer import Cell, comparison, gate, read, report
from lab.judging.command import PLACES_NAMED, SILENT, Score, done, finish, parsed
from lab.pairs import FAILED, GATE
from lab.systems.drawing import draw_system
from lab.systems.running import Cause, Load, run
from lab.systems.steps import Call, Operation, Route, System, Work, cell_of, typical_ms, walked
from lambda_latency.latency import Breakdowns, percentile

PAY_MS, TIMES = 75.0, 20.0
PAY = Cell("payments", "own code", "payments")
PAYS = Operation("payments", "POST /charges", (Work(PAY_MS),))
PAYING = System((Route("POST /orders", Operation("orders", "POST /orders", (Work(20.0), Call(PAYS, 4.0)))),))
SLOW = {
    "last 10 %": ("stretch", 1.0, 0.9, 1.0),
    "last 20 %": ("stretch", 1.0, 0.8, 1.0),
    "last 30 %": ("stretch", 1.0, 0.7, 1.0),
    "last 40 %": ("stretch", 1.0, 0.6, 1.0),
    "middle 10 %": ("stretch", 1.0, 0.4, 0.5),
    "10 % at random": ("random", 0.10, 0.0, 1.0),
    "5 % at random": ("random", 0.05, 0.0, 1.0),
    "3 % at random": ("random", 0.03, 0.0, 1.0),
}
REQUESTS = (120, 500)
ROUTES, REQUESTS_OF_PLACE, MORE = 8, 2000, 0.20


class SlowCase(NamedTuple):
    """A tail that became slow, in so many requests; or, without a name, a place of a drawn system."""

    seed: int
    requests: int
    slow: str = ""


class DoubledReport(NamedTuple):
    """What was said: the answer, the status of the gate, whether the part was named first, and the route."""

    answer: str
    status: int
    part: bool
    route: bool
    times: float
    planted: str


def main(parser: ArgumentParser) -> int:
    """Compare, judge, print the table. Status 1 if a bound does not hold."""
    options = parsed(parser, "80 tails and 40 places, in place of 16 and 4")
    results = list(done(judged, cases(options.seed, whole=options.whole), "cases", options.thresholds))
    for case, said in results:
        if not _is_right(case, said):
            print(f"{case}: {said}")
    return finish(table(results), [{**case._asdict(), **said._asdict()} for case, said in results], options)


def cases(seed: int, *, whole: bool) -> list[SlowCase]:
    """The tails and the places."""
    first_seed = 1000 * seed
    tails = [SlowCase(first_seed + number, count, slow) for number in range(5 if whole else 1) for count in REQUESTS
             for slow in SLOW]  # fmt: skip
    return tails + [SlowCase(first_seed + number, REQUESTS_OF_PLACE) for number in range(40 if whole else 4)]


def judged(case: SlowCase) -> DoubledReport:
    """Run the system without the cause and with it, and compare."""
    system, cause = slow_system(case)
    load = Load(case.requests, noise="independent")
    with tempfile.TemporaryDirectory(prefix="doubled-") as folder:
        path = Path(folder, "traces.json")
        run(system, load, (), 2 * case.seed, path)
        baseline = read(path)
        run(system, load, (cause,), 2 * case.seed + 1, path)
        current = read(path)
    times = _p95(current) / _p95(baseline)
    values_of = report(current, baseline, [GATE])
    against, judged_by = comparison(values_of), gate(values_of)
    edge = against.causes[0].cell if against.causes else None
    part = edge is not None and cause.named(edge)
    where = f"{cause.cell.caller or ''} {cause.cell.bucket} {cause.cell.name} {cause.route}"
    return DoubledReport(against.answer, judged_by.status, part, judged_by.route == cause.route, round(times, 2), where)


def _p95(accounts: Breakdowns) -> int:
    return percentile(accounts.walls_ns, 95)


def slow_system(case: SlowCase) -> tuple[System, Cause]:
    """The system of a case, and what becomes slow in it."""
    if case.slow:
        when, share, begin_share, end_share = SLOW[case.slow]
        return PAYING, Cause("slower", PAY, (TIMES - 1) * PAY_MS, when, share, begin_share, end_share)
    system, draw = draw_system(case.seed, ROUTES), random.Random(case.seed)  # noqa: S311 - repeatable
    while True:
        route = draw.choice(system.routes)
        places = _places(route)
        if places:
            ms = MORE * typical_ms(route.operation.steps)
            bucket = draw.choice(sorted({cell.bucket for cell in places}))
            cell = draw.choice([cell for cell in places if cell.bucket == bucket])
            return system, Cause("slower", cell, ms, route=route.name)


def _places(route: Route) -> list[Cell]:
    """The cells that each request of a route waits for once: those of parallel calls may not delay it."""
    steps = [(cell_of(service, step), parallel) for service, step, parallel in walked(route.operation)]
    times = Counter(cell for cell, _ in steps)
    return sorted(cell for cell, parallel in steps if times[cell] == 1 and not parallel)


def table(results: Sequence[tuple[SlowCase, DoubledReport]]) -> list[Score]:
    """The scores of tails whose p95 doubled, and of places."""
    doubled = [said for case, said in results if case.slow and said.times >= 2]
    total = len(doubled)
    named = [said.answer == "slower" and said.part for said in doubled]
    return [
        Score("p95 doubled: the answer is same", sum(said.answer == "same" for said in doubled), total, most=SILENT),
        Score("p95 doubled: the gate's status is 0", sum(said.status == 0 for said in doubled), total, most=SILENT),
        Score("p95 doubled: slower, and the part named", sum(named), total),
        *_scores_of_places([said for case, said in results if not case.slow]),
    ]


def _scores_of_places(places: Sequence[DoubledReport]) -> Iterator[Score]:
    failing = [said for said in places if said.status == FAILED]
    named = [said.part and said.route for said in failing]
    yield Score("20 % on one route: the gate fails", len(failing), len(places))
    yield Score("20 % on one route: the gate fails and names route and part", sum(named), len(places),
                least=PLACES_NAMED)  # fmt: skip


def _is_right(case: SlowCase, said: DoubledReport) -> bool:
    if case.slow:
        return said.times < 2 or (said.answer != "same" and said.status != 0)
    return said.status == FAILED and said.part and said.route
