"""Requests of the public data set DeLag, each labelled with the anomaly that slows it: does a report separate them?

The data set is https://github.com/SpencerLabAQ/icpe-data-challenge-delag: `git clone --bare` is enough. Its
applications are E-Shopper and Train Ticket, with two anomalies in each scenario; an anomaly slows the calls of one
service to three. A row has the time of each call and not its start: calls are laid one after the other. Only scenarios
with even numbers are judged.

Usual time: 1 minute.
"""

import csv
import io
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from lab.judging.answer import classes, comparison, report
from lab.judging.command import DELAG_EXACT, DELAG_WRONG, Score, done, finish, parsed
from lab.judging.copies import text_of
from lambda_latency.latency import Breakdown, Breakdowns, Component, Edge, cause_groups

SCENARIOS, EVERY = 280, 20  # of each application; of these, one in so many
ROWS = 4_000  # of a scenario at most
MS, START_NS = 1_000_000, 1_700_000_000_000_000_000
SLOWED_MS = 10  # more, on average, than requests without an anomaly
Services = frozenset[str]


@dataclass(frozen=True, slots=True)
class Application:
    """How the columns of an application belong together: the calls inside a call, and those that nobody waits for."""

    folder: str
    inside: Mapping[str, Sequence[str]]
    left_out: Sequence[str]

    def times_ms(self, row: Mapping[str, str]) -> dict[str, float]:
        """The own time of each service in a request; that of the service that receives it has no name."""
        columns = {name: float(ms) for name, ms in row.items() if name not in ("Latency", "anomaly", *self.left_out)}
        inner = {name for names in self.inside.values() for name in names}
        called_ms = sum(ms for name, ms in columns.items() if name not in inner)
        times_ms = {"": max(float(row["Latency"]) - called_ms, 0.0)}
        for name, ms in columns.items():
            own_ms = max(ms - sum(columns[below] for below in self.inside.get(name, ())), 0.0)
            service = name.partition("Controller")[0].partition("_")[0]
            times_ms[service] = times_ms.get(service, 0.0) + own_ms
        return times_ms


SHOP = Application("eshopper", {}, ("GatewayGet", "ItemsControllerFinditemrandom"))
TRAINS = Application(
    "trainticket",
    {
        "ts-ticketinfo-service_queryForStationId": ("ts-basic-service_queryForStationId",),
        "ts-basic-service_queryForStationId": ("ts-station-service_queryForStationId",),
        "ts-ticketinfo-service_queryForTravel": ("ts-basic-service_queryForTravel",),
        "ts-basic-service_queryForTravel": ("ts-price-service_query",),
        "ts-seat-service_getLeftTicketOfInterval": (
            "ts-config-service_retrieve",
            "ts-order-service_getTicketListByDateAndTripId",
            "ts-travel-service_getRouteByTripId",
            "ts-travel-service_getTrainTypeByTripId",
        ),
    },
    ("ts-order-service_calculateSoldTicket",),
)


class LabelledFile(NamedTuple):
    """A file of the data set."""

    application: Application
    number: int


class Answers(NamedTuple):
    """What reports say of a scenario.

    `labelled` requests were slow by an anomaly: for `exact` the group is that of its services, for `wrong` it has
    another service. `slowed` are the services of both anomalies, `plain` those that a report names, `asserted` those of
    a report with a baseline.
    """

    labelled: int
    exact: int
    wrong: int
    slowed: Services
    plain: Services
    asserted: Services


def main(parser: ArgumentParser) -> int:
    """Judge the scenarios, print the table. Status 1 if a bound does not hold."""
    parser.add_argument("--delag", type=Path, required=True, metavar="FOLDER", help="a checkout, or a git directory")
    parser.add_argument("--every", type=int, default=EVERY, metavar="N", help=f"one scenario in so many ({EVERY})")
    options = parsed(parser)
    if options.every < 1 or options.every % 2:
        parser.error(f"--every must be even and above 0, got {options.every}")
    scenarios = [
        LabelledFile(application, number)
        for application in (SHOP, TRAINS)
        for number in range(0, SCENARIOS, options.every)
    ]
    results = list(done(partial(judged, options.delag), scenarios, "scenarios", options.thresholds))
    cases = [
        {"scenario": f"{scenario.application.folder}/{scenario.number:03}"}
        | {name: sorted(value) if isinstance(value, frozenset) else value for name, value in said._asdict().items()}
        for scenario, said in results
    ]
    scores = [*table("E-Shopper", results, SHOP, DELAG_EXACT, DELAG_WRONG), *table("Train Ticket", results, TRAINS)]
    return finish(scores, cases, options)


def judged(folder: Path, scenario: LabelledFile) -> Answers:
    """Judge every second request of a scenario; the others without an anomaly are the baseline."""
    application, number = scenario
    rows = list(csv.DictReader(io.StringIO(text_of(folder, f"data/{application.folder}/{number:03}.csv"))))[:ROWS]
    times_ms = [application.times_ms(row) for row in rows]
    labels = [row["anomaly"] for row in rows]
    slowed = dict(_slowed(times_ms, labels))
    requests = Breakdowns(_request(number, times_ms[number]) for number in range(0, len(rows), 2))
    healthy = [number for number in range(1, len(rows), 2) if labels[number] == "0"]
    baseline = Breakdowns(_request(number, times_ms[number]) for number in healthy)
    labelled = {index: slowed[label] for index, label in enumerate(labels[::2]) if label in slowed}
    plain = frozenset([cell.service for cell in classes(report(requests))])
    services = frozenset[str]().union(*slowed.values())
    return Answers(len(labelled), *_in_sets(requests, labelled), services, plain, _asserted(requests, baseline))


def _asserted(requests: Breakdowns, baseline: Breakdowns) -> Services:
    against = comparison(report(requests, baseline))
    causes = against.causes if against.answer == "slower" else ()
    return frozenset([cause.service for cause in causes if cause.asserted])


def _in_sets(requests: Breakdowns, labelled: Mapping[int, Services]) -> tuple[int, int]:
    """How many labelled requests are in exactly their set, and in a wrong one."""
    exact = wrong = 0
    for group in cause_groups(requests).groups:
        services = frozenset(edge.caller for edge, _ in group.edges)
        of_group = [labelled[member] for member in group.members if member in labelled]
        exact += sum(services == right for right in of_group)
        wrong += sum(not services <= right for right in of_group)
    return exact, wrong


def _slowed(times_ms: Sequence[Mapping[str, float]], labels: Sequence[str]) -> Iterator[tuple[str, Services]]:
    """The services that each anomaly slows: the data set does not name them."""
    by_label: dict[str, list[Mapping[str, float]]] = {}
    for label, times in zip(labels, times_ms, strict=True):
        by_label.setdefault(label, []).append(times)
    typical = by_label.pop("0")
    for label, slow in by_label.items():
        more = {name: fmean(t[name] for t in slow) - fmean(t[name] for t in typical) for name in typical[0] if name}
        yield label, frozenset(name for name, ms in more.items() if ms >= SLOWED_MS)


def _request(number: int, times_ms: Mapping[str, float]) -> Breakdown:
    """A request that waited for its services one after the other."""
    edges = [(Edge(name, Component("own code", name)), round(ms * MS)) for name, ms in times_ms.items() if ms]
    return Breakdown(
        trace_id=f"{number + 1:032x}",
        route="GET /",
        function="",
        status_code=200,
        start_ns=START_NS + number * 1_000 * MS,
        wall_ns=sum(ns for _, ns in edges),
        edges=tuple(sorted(edges, key=lambda edge: (-edge[1], edge[0]))),
        edge_calls=(),
        durations_ns=(),
        cold_start=False,
        error=False,
        timed_out=False,
    )


def table(
    name: str,
    results: Sequence[tuple[LabelledFile, Answers]],
    application: Application,
    exact_share: float | None = None,
    wrong_share: float | None = None,
) -> list[Score]:
    """The scores of one application."""
    answers = [answer for scenario, answer in results if scenario.application == application]
    labelled = sum(answer.labelled for answer in answers)
    exact, wrong = sum(answer.exact for answer in answers), sum(answer.wrong for answer in answers)
    bound = round(wrong_share * labelled) if wrong_share is not None else None
    return [
        Score(f"{name}: labelled requests in exactly their set", exact, labelled, exact_share),
        Score(f"{name}: in a wrong set", wrong, labelled, most=bound),
        *_services(f"{name}: services named without a baseline", [(a.plain, a.slowed) for a in answers]),
        *_services(f"{name}: services asserted with a baseline", [(a.asserted, a.slowed) for a in answers]),
    ]


def _services(what_counts: str, answers: Sequence[tuple[Services, Services]]) -> Iterator[Score]:
    """How many of the slowed services are named, and how many of the named are not slowed."""
    right = sum(len(named & slowed) for named, slowed in answers)
    named_services = sum(len(named) for named, _ in answers)
    yield Score(what_counts, right, sum(len(slowed) for _, slowed in answers))
    yield Score(f"{what_counts}, wrong", named_services - right, named_services)
