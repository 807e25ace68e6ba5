"""What slow requests depend on: the values that set them apart, and nothing that only seems to."""

import random
from collections.abc import Callable
from typing import TypeAlias

import pytest

from lambda_latency.latency import ABSENT, Association, Breakdowns, Component, Report, ReportError, Value
from lambda_latency.latency.correlation.since import since_of_routes
from tests.latency.attributed import SECOND, Order, attributed, report_on
from tests.latency.drawn_requests import request
from tests.trace.build import T0

Slow: TypeAlias = "Callable[[Order, random.Random], object]"


def _order(number: int, draw: random.Random) -> Order:
    tenant = draw.choice([f"t-{digit}" for digit in range(8)])
    root: dict[str, object] = {
        "tenant.id": tenant,
        "tenant.name": tenant.upper(),
        "request.id": f"{draw.getrandbits(64):x}",
        "cart.items": draw.randrange(1, 400),
        "cart.weights": (draw.randrange(9), draw.randrange(9)),
        "feature.fast": draw.random() < 0.1,
        "number.of.order": number,
        "weekday": "mon" if number < 200 else "tue",
    }
    if draw.random() < 0.5:
        root["promo"] = "spring"
    resource: dict[str, object] = {
        "service.version": draw.choice(("1", "2", "3")),
        "faas.instance": f"i-{draw.randrange(9)}",
    }
    return Order(number, root, resource, {"db.statement": "x", "payments.provider": "acquirer-1"})


def _findings(is_slow: Slow, seed: int = 1) -> list[Association]:
    report = report_on(attributed(_order, is_slow, seed=seed))
    return _all(report)


def _all(report: Report) -> list[Association]:
    depends = report.correlations
    return [*(f for findings in depends.of_groups for f in findings), *(r.finding for r in depends.of_routes)]


def _told(is_slow: Slow, seed: int = 1) -> list[list[tuple[str, object]]]:
    def shown(value: Value) -> tuple[str, object]:
        return value.attribute, value.text if value.text is not None else (value.low, value.high)

    return [[shown(value) for value in finding.values] for finding in _findings(is_slow, seed)]


def test_a_tenant_is_told_with_both_shares_and_what_only_repeats_it_as_the_same() -> None:
    """The name of the tenant is another attribute of the same requests. One other request is slow, by 80 ms."""
    traces = attributed(_order, lambda order, _: order.first["tenant.id"] == "t-3")
    report = report_on(traces)
    [finding] = _all(report)
    slow = len(report.groups.slow)
    [value] = finding.values
    assert {value.attribute, *(alike.attribute for alike in finding.equivalent)} == {"tenant.id", "tenant.name"}
    assert finding.slow == (slow - 1, slow)
    assert finding.controls == (0, len(traces) - slow)


@pytest.mark.parametrize(
    ("is_slow", "expected"),
    [
        (lambda order, _: order.first["feature.fast"], [("feature.fast", "true")]),
        (lambda order, _: order.first["cart.items"] >= 350, [("cart.items", (350, None))]),
        (lambda order, _: 100 <= order.first["cart.items"] < 140, [("cart.items", (100, 140))]),
        (lambda order, _: 8 in order.first["cart.weights"], [("cart.weights", "8")]),
        (lambda order, _: order.resource["faas.instance"] == "i-4", [("faas.instance", "i-4")]),
        (
            lambda order, _: (
                order.first["tenant.id"] in ("t-1", "t-2", "t-3") and order.resource["service.version"] == "2"
            ),
            [("service.version", "2")],
        ),
        (lambda order, draw: "promo" not in order.first and draw.random() < 0.3, [("promo", ABSENT)]),
    ],
)
def test_a_value_is_told_first(is_slow: Slow, expected: list[tuple[str, object]]) -> None:
    """A flag, ranges, an element of a list, an attribute of the resource, one that is absent."""
    top_values = _told(is_slow)[0]
    assert set(expected) <= set(top_values)


def test_two_values_together_are_one_finding() -> None:
    """Where each alone is not enough."""

    def both(order: Order, _draw: random.Random) -> bool:
        return "promo" in order.first and order.resource["service.version"] == "2"

    [[*values]] = _told(both)
    assert sorted(values) == [("promo", "spring"), ("service.version", "2")]


@pytest.mark.parametrize("seed", range(6))
def test_nothing_is_told_where_slow_requests_are_random(seed: int) -> None:
    """Chance is controlled over everything that is asked."""
    assert _told(lambda _, draw: draw.random() < 0.1, seed) == []


def test_what_is_true_of_a_time_is_not_told_of_a_stretch() -> None:
    """A counter, and a value that began when the slow requests did not."""
    assert _told(lambda order, _: 240 <= order.number < 280) == []


def test_nothing_is_read_again_without_slow_requests() -> None:
    """Nor is anything told."""
    traces = attributed(_order, lambda *_: False)
    assert report_on(traces).correlations.read == 0


def test_a_secret_is_redacted_before_it_is_counted() -> None:
    """By the name of the attribute, and inside of a text."""

    def make(number: int, draw: random.Random) -> Order:
        heavy = draw.random() < 0.1
        token = "AKIAIOSFODNN7EXAMPLE" if heavy else f"user-{draw.randrange(9)}"
        password = "hunter2hunter" if heavy else f"other-{draw.randrange(9)}"
        return Order(number, {"client.note": f"from {token}", "login.password": password}, {}, {})

    def is_slow(order: Order, _draw: random.Random) -> bool:
        return order.first["login.password"] == "hunter2hunter"

    report = report_on(attributed(make, is_slow))
    texts = [value.text for finding in _all(report) for value in (*finding.values, *finding.equivalent)]
    assert texts == ["from [redacted]"]


def _order_of(number: int, draw: random.Random) -> Order:
    root: dict[str, object] = {"tenant.id": f"t-{number % 20}", "size": draw.randrange(10_000)}
    return Order(number, root, {}, {})


def _slow_of(order: Order, _draw: random.Random) -> bool:
    return order.first["tenant.id"] == "t-3"


def test_the_value_with_most_slow_requests_is_first_and_rare_ones_are_one_row() -> None:
    """All rows together have all requests."""
    grouped = report_on(attributed(_order_of, _slow_of), by="tenant.id").by
    assert grouped is not None
    top, rare = grouped.rows[0], grouped.rows[-1]
    assert top.value is not None
    assert (top.value.text, top.requests, top.slow) == ("t-3", 20, 20)
    assert top.components[0][0].name == "payments.example.com"
    assert (rare.value, rare.requests, grouped.further) == (None, 160, 8)
    assert sum(row.requests for row in grouped.rows) == grouped.read == 400


def test_numbers_are_told_by_ranges_in_order() -> None:
    """Each has as many requests as the others."""
    grouped = report_on(attributed(_order_of, _slow_of), by="size").by
    assert grouped is not None
    lows = [row.value.low for row in grouped.rows if row.value is not None]
    assert lows == [None, *sorted(low for low in lows if low is not None)]
    assert {row.requests for row in grouped.rows} <= set(range(60, 75))


def test_what_accounts_have_is_not_read() -> None:
    """A route needs no spans."""
    grouped = report_on(attributed(_order_of, _slow_of), by="route").by
    assert grouped is not None
    assert [(row.value and row.value.text, row.requests) for row in grouped.rows] == [("POST /orders", 400)]


def test_an_attribute_that_no_span_has_is_refused_with_the_nearest_name() -> None:
    """It is most likely misspelled."""
    with pytest.raises(ReportError, match=r"no span has the attribute 'tenant'\n  did you mean tenant.id\?"):
        report_on(attributed(_order_of, _slow_of), by="tenant")


def _order_since(begins: int) -> Callable[[int, random.Random], Order]:
    def make(number: int, draw: random.Random) -> Order:
        version = "2.0" if number >= begins else "1.9"
        return Order(number, {"tenant.id": f"t-{draw.randrange(5)}"}, {"service.version": version}, {})

    return make


def test_the_start_is_told_with_the_version_that_begins_there() -> None:
    """Every fifth order is slow since order 250."""
    report = report_on(attributed(_order_since(250), lambda order, draw: order.number >= 250 and draw.random() < 0.2))
    since = report.correlations.since_of(0)
    assert since is not None
    assert since.kind == "step"
    assert abs(since.start_ns - T0 - 250 * SECOND) <= 10 * SECOND
    assert [(value.attribute, value.text) for value in since.values] == [("service.version", "2.0")]


def test_a_version_that_began_at_another_time_is_not_told() -> None:
    """It began at order 120, and orders are slow from 250 to 300."""
    report = report_on(attributed(_order_since(120), lambda order, _: 250 <= order.number < 300))
    since = report.correlations.since_of(0)
    assert since is not None
    assert (since.kind, since.values) == ("stretch", ())
    assert since.end_ns is not None
    assert abs(since.end_ns - T0 - 300 * SECOND) <= 10 * SECOND


def test_a_route_that_is_slow_since_a_time_is_told_although_none_of_its_requests_stands_out() -> None:
    """All orders are a little slower since order 100: that is their typical time."""
    report = report_on(attributed(_order_since(100), lambda order, _: order.number >= 100, late_ms=40))
    [since] = report.correlations.since_routes
    assert report.correlations.since == ()
    assert (since.kind, since.routes) == ("step", ("POST /orders",))
    assert abs(since.start_ns - T0 - 100 * SECOND) <= 10 * SECOND
    assert [(value.attribute, value.text) for value in since.values] == [("service.version", "2.0")]


def test_most_requests_of_a_route_are_a_class_since_a_time() -> None:
    """All orders are much slower since order 100: 300 of 400."""
    report = report_on(attributed(_order_since(100), lambda order, _: order.number >= 100))
    [since] = report.correlations.since
    assert since is not None
    assert (since.kind, since.start_ns, since.end_ns) == ("step", T0 + 100 * SECOND, None)
    assert [(value.attribute, value.text) for value in since.values] == [("service.version", "2.0")]
    assert ([len(group.members) for group in report.groups.groups], report.correlations.since_routes) == ([300], ())


def test_nothing_is_told_of_requests_that_are_slow_at_any_time() -> None:
    """Even if a version begins."""
    report = report_on(attributed(_order_since(200), lambda _, draw: draw.random() < 0.1))
    assert (report.correlations.since, report.correlations.since_routes) == ((None,), ())


def test_a_route_beside_one_that_surely_drifts_drifts_too() -> None:
    """Both take twice as long at the end. Alone, the times of `GET /b`, which vary widely, look like a step as well."""
    draw = random.Random(10)  # noqa: S311 - repeatable
    accounts = []
    for number in range(800):
        route, sigma = ("GET /a", 0.05) if number % 2 else ("GET /b", 0.4)
        ms = 100 * (1 + number / 800) * draw.lognormvariate(0, sigma)
        breakdown = request(number, {Component("external", "pay.example.com"): ms}, route=route)
        accounts.append(breakdown._replace(start_ns=T0 + number * SECOND))
    kinds = [(since.kind, since.routes) for since in since_of_routes(Breakdowns(accounts), ["GET /a", "GET /b"])]
    assert kinds == [("drift", ("GET /a", "GET /b"))]
    [alone] = since_of_routes(Breakdowns(accounts), ["GET /b"])
    assert alone.kind == "step"
