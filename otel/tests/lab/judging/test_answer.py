"""What the scores read of a report's JSON."""

from __future__ import annotations

import pytest

from lab.judging.answer import Cause, Cell, Comparison, Gate, classes, comparison, gate

NETWORK = {"caller": "checkout", "bucket": "network", "name": "payments"}


def test_classes_are_cells() -> None:
    """In the report's order."""
    cold = {"caller": "", "bucket": "cold start", "name": ""}
    report = {"classes": [NETWORK, cold]}
    assert classes(report) == [Cell("checkout", "network", "payments"), Cell("", "cold start", "")]


@pytest.mark.parametrize(
    ("cell", "service"),
    [
        (Cell("checkout", "network", "payments"), "payments"),
        (Cell("orders", "own code", "orders"), "orders"),
        (Cell("orders", "telemetry", ""), "orders"),
        (Cell(None, "cold start", ""), ""),
    ],
)
def test_a_cell_belongs_to_a_service(cell: Cell, service: str) -> None:
    """The callee, or the one whose own time it is."""
    assert cell.service == service


def test_a_comparison_has_its_causes_in_order() -> None:
    """Asserted if the first one is."""
    cause = {"service": "payments", "cell": NETWORK, "asserted": True}
    found = comparison({"against": {"answer": "slower", "how": "tail", "causes": [cause]}})
    assert found == Comparison("slower", "tail", (Cause("payments", Cell("checkout", "network", "payments"), True),))
    assert found.asserted


@pytest.mark.parametrize("answer", ["unsure", "same", "disturbed"])
def test_candidates_are_not_asserted(answer: str) -> None:
    """Even with causes."""
    cause = {"service": "payments", "cell": NETWORK, "asserted": False}
    assert not comparison({"against": {"answer": answer, "how": None, "causes": [cause]}}).asserted


@pytest.mark.parametrize(("key", "status"), [("failed", 3), ("unsure", 5), ("disturbed", 6), ("", 0)])
def test_a_gate_has_the_status_of_the_command(key: str, status: int) -> None:
    """And its route and part."""
    judged = {"failed": False, "unsure": False, "disturbed": False, "route": "GET /", "part": None}
    if key:
        judged[key] = True
    assert gate({"gates": [judged]}) == Gate(status, "GET /", "")
