"""The map of calls: percentiles of an edge whose durations are sorted in pieces."""

from __future__ import annotations

import pytest

from lambda_latency.latency import Accounts, at_rank
from lambda_latency.latency.map import call_map
from tests.latency.generated import load
from tests.latency.system import account


@pytest.mark.parametrize("at_once", [1, 7, 50_000])
def test_an_edge_has_the_percentiles_of_all_its_calls(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many durations are sorted together."""
    monkeypatch.setattr("lambda_latency.latency.map.AT_ONCE", at_once)
    accounts = [account(trace) for trace in load()]
    drawn = call_map(Accounts(accounts))
    edge = drawn.edges[drawn.nodes["function", "CreateOrder"], drawn.nodes["external", "payments.example.com"]]
    took = sorted(
        ns for one in accounts for cell, each in one.took if cell.part.name == "payments.example.com" for ns in each
    )
    assert (edge.p50_ns, edge.p95_ns, edge.total_ns) == (at_rank(took, 50), at_rank(took, 95), sum(took))
    assert len(took) > 7
