"""Candidates without a class: by the time a call, as the causes of a comparison are."""

from __future__ import annotations

import random

from lambda_latency.latency import report_of
from lambda_latency.latency.accounts.account import Account
from lambda_latency.latency.accounts.calls import Calls
from lambda_latency.latency.accounts.part import Cell, Part
from lambda_latency.text.prose import evidence, flat
from lambda_latency.text.style import Style
from tests.latency.requests import MS, request

CURRENCY, CHECKOUT = Cell("", Part("network", "currency")), Cell("checkout", Part("own code", "checkout"))


def _sold(number: int) -> Account:
    """A request that calls `currency` more often the longer it takes; the calls of `checkout` take longer instead."""
    draw = random.Random(number)  # noqa: S311 - repeatable
    calls = draw.randint(4, 40)
    cells = [(CURRENCY, calls * draw.randint(10, 11) * MS), (CHECKOUT, round(draw.lognormvariate(4, 0.6)) * MS)]
    return request(number, {})._replace(
        cells=tuple(sorted(cells, key=lambda one: -one[1])),
        wall_ns=sum(ns for _, ns in cells),
        cell_calls=((CURRENCY, Calls(calls)),),
        took=((CURRENCY, ()),),
    )


def test_a_candidate_takes_longer_by_the_call() -> None:
    """By the request, a service that is called often would always win."""
    requests = [_sold(number) for number in range(200)]
    found = report_of(requests, lambda _: {})
    assert (found.verdict.kind, found.classes.found) == ("even", ())
    assert found.cohorts.parts[0].part == CURRENCY.part
    assert [(one.service, one.origin, one.asserted) for one in found.verdict.suspects] == [
        ("checkout", "own code", False)
    ]
    assert " Candidates by the call, none of them sure: checkout: own code (" in flat(evidence(found, Style()))
    assert report_of(requests[::-1], lambda _: {}).verdict.suspects == found.verdict.suspects


def test_a_candidate_that_cannot_be_felt_is_not_told() -> None:
    """All requests take about as long."""
    even = [request(number, {CHECKOUT.part: 100 + number % 15}) for number in range(200)]
    found = report_of(even, lambda _: {}).verdict
    assert (found.kind, found.suspects) == ("even", ())
