"""The rank of causes: by the excess a call, and of own code by the number of a service's operations."""

from __future__ import annotations

import pytest

from lambda_latency.latency.accounts.part import Cell, Part
from lambda_latency.latency.baseline.causes import causes
from tests.trace.build import MS

OWN = Cell("checkout", Part("own code", "checkout"))
EDGE = Cell("shop", Part("network", "currency"))
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
    found = causes(EXCESS, [OWN, EDGE], {OWN, EDGE}, {"checkout": operations})
    assert [(one.service, round(one.score_ns / MS)) for one in found] == ranked


def test_what_is_surely_slower_comes_first() -> None:
    """Whatever its rank would be."""
    found = causes(EXCESS, [EDGE], {OWN, EDGE}, {"checkout": 1})
    assert [(one.service, one.origin, one.asserted) for one in found] == [
        ("currency", "callee", True),
        ("checkout", "own code", False),
    ]
