"""Shapes: calls that are gone, new or many more than in the baseline are named with their counts."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from lambda_latency.latency import Accounts, Against, Judge, against, report_of
from lambda_latency.text import cards
from lambda_latency.text.against import against_sentence
from lambda_latency.text.difference import against_values
from lambda_latency.text.prose import flat
from lambda_latency.text.style import Style
from lambda_latency.trace import SpanKind, Tree
from lambda_latency.trace.model.row import rows_of
from tests.trace.build import MS, node, tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_latency.trace import Trace
    from tests.trace.build import Node

CLIENT, SERVER = SpanKind.CLIENT, SpanKind.SERVER


def _service(name: str, route: str, start: float, end: float, *below: Node) -> Node:
    return node(route, start, end, *below, kind=SERVER, resource={"service.name": name})


def _call(name: str, start: float, end: float, *below: Node, **attributes: str) -> Node:
    found = {key.replace("_", "."): value for key, value in attributes.items()}
    return node("call", start, end, *below, kind=CLIENT, resource={"service.name": name}, attributes=found)


def _place_order(draw: random.Random, *, ships: float = 1, notes: float = 1) -> Trace:
    """An order of `shop`, for which `checkout` ships with probability `ships`, and notifies with `notes`."""
    at, below = 5.0, []
    for callee, probability in (("cart", 1), ("shipping", ships), ("email", notes)):
        if draw.random() < probability:
            took = 10 + 2 * draw.random()
            below.append(_call("checkout", at, at + took, _service(callee, "Do", at + 1, at + took - 1)))
        at += 14
    checkout = _service("checkout", "PlaceOrder", 3, 57, *below)
    return tree(_service("shop", "POST /orders", 0, 60, _call("shop", 2, 58, checkout)), unit=MS)


def _cart(draw: random.Random, *, selects: int = 1) -> Trace:
    """A cart whose rows are read by a number of calls, each of which takes a millisecond."""
    took = 1 + 0.1 * draw.random()
    below = [
        _call("shop", 2 + at * 1.2, 2 + at * 1.2 + took, db_system="postgresql", db_name="carts")
        for at in range(selects)
    ]
    return tree(_service("shop", "GET /cart", 0, 5 + selects * 1.2, *below), unit=MS)


def _run(one: Callable[[random.Random], Trace], seed: int, count: int = 100) -> Accounts:
    draw, accounts = random.Random(seed), Accounts()  # noqa: S311 - a repeatable seed
    judge = Judge(accounts)
    for number in range(count):
        judge.add_tree(f"{number + 1:032x}", Tree(rows_of(one(draw).spans)))
    accounts.starts_ns = type(accounts.starts_ns)(
        "q", [start + at * 10**9 for at, start in enumerate(accounts.starts_ns)]
    )
    return accounts


def _said(one: Against) -> str:
    return flat(against_sentence(one, Style(unicode=False)))


def test_a_call_that_is_gone_is_told_with_its_shares() -> None:
    """The operation that calls others is the cause: an early return or an exception in it."""
    found = against(_run(lambda draw: _place_order(draw, ships=0.05), 1), _run(_place_order, 2))
    assert found.answer == "shape"
    assert found.causes[0]._replace(cells=()) == ("checkout", "shape", 0.0, (), True)
    first = found.shapes.operations[0]
    assert (first.service, first.operation, first.requests, first.new) == ("checkout", "PlaceOrder", (100, 100), ())
    [(callee, then, now)] = first.gone
    assert (callee, then) == ("shipping call", 1.0)
    assert _said(found).startswith(
        "Other calls than the baseline (100 requests then, 100 now): PlaceOrder of checkout no longer calls shipping "
        f"call (100 % then, {100 * now:.0f} % now). An early return or an exception would do this. "
        "The cause is internal."
    )


def test_a_new_call_is_told() -> None:
    """Of a service that the baseline did not call."""
    found = against(_run(_place_order, 1), _run(lambda draw: _place_order(draw, notes=0), 2))
    assert (found.answer, found.causes[0].service) == ("shape", "checkout")
    assert found.shapes.operations[0].new == (("email call", 0.0, 1.0),)
    assert "PlaceOrder of checkout now calls email call (0 % then, 100 % now). The cause is internal." in _said(found)


def test_sixty_calls_in_place_of_one_are_told_with_the_count() -> None:
    """Each call takes as long as before: the calls are the cause, and not the database."""
    found = against(_run(lambda draw: _cart(draw, selects=60), 1), _run(_cart, 2))
    assert (found.answer, found.causes[0].service, found.causes[0].origin) == ("slower", "shop", "shape")
    assert (
        "a request of GET /cart makes 60 calls instead of 1: shop -> postgresql carts. The cause is internal."
        in _said(found)
    )
    values = against_values(found)["shapes"]["calls"][0]  # type: ignore[index]
    assert {key: values[key] for key in ("kind", "route", "bucket", "then", "now")} == {
        "kind": "more",
        "route": "GET /cart",
        "bucket": "database",
        "then": {"mean": 1.0, "median": 1},
        "now": {"mean": 60.0, "median": 60},
    }
    back = against(_run(_cart, 1), _run(lambda draw: _cart(draw, selects=60), 2))
    assert [one.kind for one in back.shapes.calls] == ["fewer"]


@pytest.mark.parametrize(
    ("now", "then", "said", "step"),
    [
        (
            lambda draw: _cart(draw, selects=60),
            _cart,
            "makes 60 calls instead of 1: shop -> postgresql carts",
            "Make fewer calls to postgresql carts: ",
        ),
        (
            lambda draw: _place_order(draw, ships=0),
            _place_order,
            "PlaceOrder of checkout no longer calls shipping call (100 % then, 0 % now)",
            "Find out why PlaceOrder of checkout returns before the call: ",
        ),
        (
            _place_order,
            lambda draw: _place_order(draw, notes=0),
            "PlaceOrder of checkout now calls email call (0 % then, 100 % now)",
            "Find out whether requests need the new call to email",
        ),
        (
            _place_order,
            lambda draw: _place_order(draw, notes=0.5),
            "PlaceOrder of checkout more often calls email call (",
            "Make fewer calls to email call: ",
        ),
    ],
)
def test_the_next_step_is_about_the_calls(
    now: Callable[[random.Random], Trace], then: Callable[[random.Random], Trace], said: str, step: str
) -> None:
    """No profile of a service that only calls more, or less."""
    accounts, before = _run(now, 1), _run(then, 2)
    report = report_of(accounts, lambda _: {}, against=against(accounts, before), baseline=before)
    first = cards(report, Style())[0]
    assert said in flat(first.sentence)
    assert first.steps[0].startswith(step)


@pytest.mark.parametrize("seed", range(10))
def test_equal_runs_have_equal_shapes(seed: int) -> None:
    """Calls that come in some requests only are no change."""

    def draws(draw: random.Random) -> Trace:
        return _place_order(draw, ships=0.6, notes=0.4)

    found = against(_run(draws, 2 * seed), _run(draws, 2 * seed + 1))
    assert (found.shapes.operations, found.shapes.calls) == ((), ())


def test_another_mix_of_routes_is_no_other_shape() -> None:
    """An operation that two routes call is compared route by route."""

    def mixed(share: float) -> Callable[[random.Random], Trace]:
        def one(draw: random.Random) -> Trace:
            first = draw.random() < share
            calls = ("cart", "shipping") if first else ("email",)
            below = [
                _call("checkout", 5 + 15 * at, 17 + 15 * at, _service(name, "Do", 6 + 15 * at, 16 + 15 * at))
                for at, name in enumerate(calls)
            ]
            inner = _call("shop", 2, 58, _service("checkout", "Do", 3, 57, *below))
            return tree(_service("shop", "GET /a" if first else "GET /b", 0, 60, inner), unit=MS)

        return one

    found = against(_run(mixed(0.8), 1, 200), _run(mixed(0.2), 2, 200))
    assert (found.shapes.operations, found.shapes.calls) == ((), ())


def test_requests_of_one_user_that_come_together_are_no_other_shape() -> None:
    """What comes in runs counts for less than what comes independently."""

    def runs(seed: int) -> Accounts:
        draw, state = random.Random(seed), [1.0]  # noqa: S311

        def one(_: random.Random) -> Trace:
            if draw.random() < 0.04:
                state[0] = 1 - state[0]
            return _place_order(draw, ships=state[0], notes=1)

        return _run(one, seed, 200)

    for seed in range(10):
        assert against(runs(2 * seed), runs(2 * seed + 1)).shapes.operations == ()


def test_accounts_without_spans_have_no_shapes() -> None:
    """As those of an older archive."""
    plain = [one._replace(outline=()) for one in _run(_place_order, 1)]
    found = against(Accounts(plain), _run(lambda draw: _place_order(draw, ships=0), 2))
    assert found.shapes.operations == ()


def test_an_outline_survives_columns() -> None:
    """Appended, taken and extended: an account has the operations of its request."""
    [one] = _run(_place_order, 1, 1)
    assert {each.name: each.callees for each in one.outline if each.service in ("shop", "checkout")} == {
        "POST /orders": ("checkout call",),
        "checkout call": ("checkout PlaceOrder",),
        "PlaceOrder": ("cart call", "email call", "shipping call"),
        "cart call": ("cart Do",),
        "email call": ("email Do",),
        "shipping call": ("shipping Do",),
    }
    accounts = Accounts([one])
    accounts.extend(_run(_cart, 1, 2))
    assert [each.outline for each in accounts] == [one.outline, *(each.outline for each in _run(_cart, 1, 2))]
    assert accounts.take([2, 0])[1].outline == one.outline


def test_spans_whose_names_end_with_an_id_are_one_operation() -> None:
    """Else each of them would be an operation of its own, and none could be compared."""

    def named(number: int) -> Trace:
        work = node(f"job {number:032x}", 2, 8, node("step2", 3, 5, resource={"service.name": "shop"}),
                    resource={"service.name": "shop"})  # fmt: skip
        return tree(_service("shop", f"GET /items/{number:016x}", 0, 10, work), unit=MS)

    accounts = Accounts()
    judge = Judge(accounts)
    for number in range(20):
        trace = named(10**30 + number * 10**7)
        judge.add_tree(f"{number + 1:032x}", Tree(rows_of(trace.spans)))
    [outline] = [one for one in accounts.outlines if one]
    assert [(one.name, one.callees) for one in outline] == [
        ("GET /items/", ("job ",)),
        ("job ", ("step2",)),
        ("step2", ()),
    ]


def test_a_name_that_ends_with_a_number_is_no_id_whatever_was_read_before() -> None:
    """`step 5` is an operation of its own, also after `step 0123456789abcdef`."""

    def outline(*names: str) -> list[str]:
        accounts = Accounts()
        judge = Judge(accounts)
        for number, name in enumerate(names):
            work = node(name, 2, 8, resource={"service.name": "shop"})
            trace = tree(_service("shop", "GET /a", 0, 10, work), unit=MS)
            judge.add_tree(f"{number + 1:032x}", Tree(rows_of(trace.spans)))
        return [one.name for one in list(accounts)[-1].outline]

    assert outline("step 0123456789abcdef", "step 5") == outline("step 5") == ["GET /a", "step 5"]
