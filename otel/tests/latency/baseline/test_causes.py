"""The rank of causes: by the excess a call, and of own code by the number of a service's operations."""

import random

import pytest

from lambda_latency.latency import report_of
from lambda_latency.latency.baseline.causes import causes
from lambda_latency.latency.breakdowns.breakdown import Breakdown, Calls
from lambda_latency.latency.breakdowns.component import Component, Edge
from tests.latency.drawn_requests import request
from tests.trace.build import MS

OWN = Edge("checkout", Component("own code", "checkout"))
EDGE = Edge("shop", Component("network", "currency"))
EXCESS = {OWN: 300.0 * MS, EDGE: 150.0 * MS}


@pytest.mark.parametrize(
    ("operations", "ranked"),
    [
        (1, [("checkout", 300), ("currency", 150)]),
        (4, [("checkout", 150), ("currency", 150)]),
        (9, [("currency", 150), ("checkout", 100)]),
    ],
)
def test_own_code_of_many_operations_counts_less_than_one_call(operations: int, ranked: list[tuple[str, int]]) -> None:
    """The slow one of nine has between 33 ms and 300 ms of the excess."""
    ranking = causes(EXCESS, [OWN, EDGE], {OWN, EDGE}, {"checkout": operations})
    assert [(cause.service, round(cause.score_ns / MS)) for cause in ranking] == ranked


def test_what_is_surely_slower_comes_first() -> None:
    """Whatever its rank would be."""
    ranking = causes(EXCESS, [EDGE], {OWN, EDGE}, {"checkout": 1})
    assert [(cause.service, cause.origin, cause.asserted) for cause in ranking] == [
        ("currency", "callee", True),
        ("checkout", "own code", False),
    ]


CURRENCY, CHECKOUT = Edge("", Component("network", "currency")), Edge("checkout", Component("own code", "checkout"))


def _sold(number: int) -> Breakdown:
    """A request that calls `currency` more often the longer it takes; the calls of `checkout` take longer instead."""
    draw = random.Random(number)  # noqa: S311 - repeatable
    calls = draw.randint(4, 40)
    cells = [(CURRENCY, calls * draw.randint(10, 11) * MS), (CHECKOUT, round(draw.lognormvariate(4, 0.6)) * MS)]
    return request(number, {})._replace(
        edges=tuple(sorted(cells, key=lambda pair: -pair[1])),
        wall_ns=sum(ns for _, ns in cells),
        edge_calls=((CURRENCY, Calls(calls)),),
        durations_ns=((CURRENCY, ()),),
    )


def test_a_candidate_takes_longer_by_the_call() -> None:
    """By the request, a service that is called often would always win."""
    requests = [_sold(number) for number in range(200)]
    report = report_of(requests, lambda _: {})
    assert (report.verdict.kind, report.groups.groups) == ("even", ())
    assert report.comparison.components[0].component == CURRENCY.component
    assert [(cause.service, cause.origin, cause.asserted) for cause in report.verdict.suspects] == [
        ("checkout", "own code", False)
    ]
    assert report_of(requests[::-1], lambda _: {}).verdict.suspects == report.verdict.suspects


def test_candidates_do_not_depend_on_the_order_of_requests_that_are_alike() -> None:
    """Requests that start at one time and take as long wait for different services."""
    requests = [_sold(number) for number in range(200)]
    requests = [r._replace(start_ns=requests[0].start_ns, wall_ns=r.wall_ns // (50 * MS) * 50 * MS) for r in requests]
    suspects = report_of(requests, lambda _: {}).verdict.suspects
    assert suspects == report_of(requests[::-1], lambda _: {}).verdict.suspects != ()


def test_a_candidate_that_cannot_be_felt_is_not_told() -> None:
    """All requests take about as long."""
    even = [request(number, {CHECKOUT.component: 100 + number % 15}) for number in range(200)]
    verdict = report_of(even, lambda _: {}).verdict
    assert (verdict.kind, verdict.suspects) == ("even", ())
