"""What slow requests depend on: the values that set them apart, and nothing that only seems to."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, TypeAlias

import pytest

from lambda_latency.latency import ABSENT, Value
from tests.latency.attributed import Order, attributed, report_on

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_latency.latency import Finding, Report

Slow: TypeAlias = "Callable[[Order, random.Random], object]"


def _order(number: int, draw: random.Random) -> Order:
    tenant = draw.choice([f"t-{one}" for one in range(8)])
    first: dict[str, object] = {
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
        first["promo"] = "spring"
    resource: dict[str, object] = {
        "service.version": draw.choice(("1", "2", "3")),
        "faas.instance": f"i-{draw.randrange(9)}",
    }
    return Order(number, first, resource, {"db.statement": "x", "payments.provider": "acquirer-1"})


def _findings(is_slow: Slow, seed: int = 1) -> list[Finding]:
    report = report_on(attributed(_order, is_slow, seed=seed))
    return _all(report)


def _all(report: Report) -> list[Finding]:
    found = report.depends
    return [*(one for some in found.of_classes for one in some), *(one.finding for one in found.of_routes)]


def _told(is_slow: Slow, seed: int = 1) -> list[list[tuple[str, object]]]:
    def shown(value: Value) -> tuple[str, object]:
        return value.attribute, value.text if value.text is not None else (value.low, value.high)

    return [[shown(value) for value in one.values] for one in _findings(is_slow, seed)]


def test_a_tenant_is_told_with_both_shares_and_what_only_repeats_it_as_the_same() -> None:
    """The name of the tenant is another attribute of the same requests."""
    traces = attributed(_order, lambda order, _: order.first["tenant.id"] == "t-3")
    report = report_on(traces)
    [found] = _all(report)
    slow = len(report.classes.slow)
    [value] = found.values
    assert {value.attribute, *(one.attribute for one in found.same)} == {"tenant.id", "tenant.name"}
    assert found.slow == (slow, slow)
    assert found.others == (0, len(traces) - slow)


@pytest.mark.parametrize(
    ("is_slow", "told"),
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
def test_a_value_is_told_first(is_slow: Slow, told: list[tuple[str, object]]) -> None:
    """A flag, ranges, an element of a list, an attribute of the resource, one that is absent."""
    first = _told(is_slow)[0]
    assert set(told) <= set(first)


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
    assert report_on(traces).depends.read == 0


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
    told = [value.text for one in _all(report) for value in (*one.values, *one.same)]
    assert told == ["from [redacted]"]
