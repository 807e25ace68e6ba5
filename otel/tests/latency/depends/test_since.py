"""Since when requests are slow, and what begins at that time."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from lambda_latency.latency import Accounts, Part
from lambda_latency.latency.depends.since import since_of_routes
from tests.latency.attributed import SECOND, Order, attributed, report_on
from tests.latency.requests import request
from tests.trace.build import T0

if TYPE_CHECKING:
    from collections.abc import Callable


def _order(begins: int) -> Callable[[int, random.Random], Order]:
    def make(number: int, draw: random.Random) -> Order:
        version = "2.0" if number >= begins else "1.9"
        return Order(number, {"tenant.id": f"t-{draw.randrange(5)}"}, {"service.version": version}, {})

    return make


def test_the_start_is_told_with_the_version_that_begins_there() -> None:
    """Every fifth order is slow since order 250."""
    report = report_on(attributed(_order(250), lambda order, draw: order.number >= 250 and draw.random() < 0.2))
    since = report.depends.since_of(0)
    assert since is not None
    assert since.kind == "step"
    assert abs(since.start_ns - T0 - 250 * SECOND) <= 10 * SECOND
    assert [(value.attribute, value.text) for value in since.values] == [("service.version", "2.0")]


def test_a_version_that_began_at_another_time_is_not_told() -> None:
    """It began at order 120, and orders are slow from 250 to 300."""
    report = report_on(attributed(_order(120), lambda order, _: 250 <= order.number < 300))
    since = report.depends.since_of(0)
    assert since is not None
    assert (since.kind, since.values) == ("stretch", ())
    assert since.end_ns is not None
    assert abs(since.end_ns - T0 - 300 * SECOND) <= 10 * SECOND


def test_a_route_that_is_slow_since_a_time_is_told_although_none_of_its_requests_stands_out() -> None:
    """All orders are slow since order 100: that is their typical time."""
    report = report_on(attributed(_order(100), lambda order, _: order.number >= 100))
    [since] = report.depends.since_routes
    assert (since.kind, since.routes) == ("step", ("POST /orders",))
    assert abs(since.start_ns - T0 - 100 * SECOND) <= 10 * SECOND
    assert [(value.attribute, value.text) for value in since.values] == [("service.version", "2.0")]


def test_nothing_is_told_of_requests_that_are_slow_at_any_time() -> None:
    """Even if a version begins."""
    report = report_on(attributed(_order(200), lambda _, draw: draw.random() < 0.1))
    assert (report.depends.since, report.depends.since_routes) == ((None,), ())


def test_a_route_beside_one_that_surely_drifts_drifts_too() -> None:
    """Both take twice as long at the end. Alone, the times of `GET /b`, which vary widely, look like a step as well."""
    draw = random.Random(10)  # noqa: S311 - repeatable
    found = []
    for number in range(800):
        route, sigma = ("GET /a", 0.05) if number % 2 else ("GET /b", 0.4)
        ms = 100 * (1 + number / 800) * draw.lognormvariate(0, sigma)
        one = request(number, {Part("external", "pay.example.com"): ms}, route=route)
        found.append(one._replace(start_ns=T0 + number * SECOND))
    told = [(one.kind, one.routes) for one in since_of_routes(Accounts(found), ["GET /a", "GET /b"])]
    assert told == [("drift", ("GET /a", "GET /b"))]
    [alone] = since_of_routes(Accounts(found), ["GET /b"])
    assert alone.kind == "step"
