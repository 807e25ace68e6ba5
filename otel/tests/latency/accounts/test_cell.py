"""Cells: the service that waits for a part, in accounts and in their sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.latency import Accounts, Cell, Owners, Part, Tally, Terms, account
from lambda_latency.trace import SpanKind
from tests.trace.build import MS, node, tree

if TYPE_CHECKING:
    from lambda_latency.trace import Trace
    from tests.trace.build import Node

SHOP = Part("database", "mysql shop")


def _server(service: str, start: float, end: float, *below: Node) -> Node:
    return node(f"{service}.Do", start, end, *below, kind=SpanKind.SERVER, resource={"service.name": service})


def _call(service: str, start: float, end: float, *below: Node, **attributes: str) -> Node:
    named = {key.replace("_", "."): value for key, value in attributes.items()}
    return node("call", start, end, *below, kind=SpanKind.CLIENT, resource={"service.name": service}, attributes=named)


def _shop() -> Trace:
    """Checkout and payment query the same database."""
    pay = _server("payment", 12, 58, _call("payment", 20, 50, db_system="mysql", db_name="shop"))
    called = _call("checkout", 10, 60, pay, server_address="payment")
    return tree(
        _server("checkout", 0, 100, called, _call("checkout", 70, 80, db_system="mysql", db_name="shop")), unit=MS
    )


def test_two_callers_of_one_part_are_two_cells() -> None:
    """Their sum is the part's."""
    one = account(_shop())
    assert {cell.label: ns // MS for cell, ns in one.cells} == {
        "payment -> mysql shop": 30,
        "checkout -> mysql shop": 10,
        "payment: own code": 16,
        "checkout -> network to payment": 4,
        "checkout: own code": 40,
    }
    assert dict(one.parts)[SHOP] == 40 * MS
    assert dict(one.calls)[SHOP].calls == 2
    every = Accounts([one, one])
    assert list(every) == [one, one]
    assert every.sums_ns([0])[SHOP] == 40 * MS
    assert list(Tally.of(every).parts[SHOP].each_ns) == [40 * MS, 40 * MS]


def test_time_inside_a_foreign_service_is_the_callers_edge() -> None:
    """Whatever the foreign service calls in turn."""
    one = account(_shop(), Terms(owners=Owners(theirs=("payment",))))
    assert {cell.label: ns // MS for cell, ns in one.cells} == {
        "checkout -> payment": 50,
        "checkout -> mysql shop": 10,
        "checkout: own code": 40,
    }


def test_an_edge_belongs_to_its_callee_and_own_time_to_its_caller() -> None:
    """A cell without a caller is labelled as its part."""
    edge, own = Cell("checkout", Part("network", "payment")), Cell("checkout", Part("own code", "checkout"))
    assert (edge.is_own, edge.service, own.is_own, own.service) == (False, "payment", True, "checkout")
    assert Cell("", SHOP).label == "mysql shop"


def test_entries_of_cells_and_calls_name_their_requests() -> None:
    """In the order of the requests."""
    every = Accounts([account(_shop()), account(tree(_server("cart", 0, 5), unit=MS)), account(_shop())])
    cells = {number for cell, number in every.cells.items() if cell.part == SHOP}
    assert sorted((at, ns // MS) for at, ns in every.entries_of_cells(cells)) == [(0, 10), (0, 30), (2, 10), (2, 30)]
    queries = {number for (cell, _), number in every.calls.items() if cell.part == SHOP}
    assert [at for at, _ in every.entries_of_calls(queries)] == [0, 0, 2, 2]
    assert {number for _, number in every.entries_of_calls(queries)} == queries
