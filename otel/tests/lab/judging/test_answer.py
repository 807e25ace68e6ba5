"""What the scores read of a report's JSON."""

from __future__ import annotations

import pytest

from lab.judging.answer import Cause, Cell, Comparison, Gate, classes, comparison, gate

NETWORK = {"caller": "checkout", "bucket": "network", "name": "payments"}
VERDICT = {"bucket": None, "name": None}


def test_classes_are_cells() -> None:
    """In the report's order."""
    cold = {"caller": "", "bucket": "cold start", "name": ""}
    report = {"schema": 3, "classes": [NETWORK, cold]}
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


def test_the_verdict_of_schema_2_is_one_class() -> None:
    """Without a caller; none where nothing is blamed."""
    assert classes({"schema": 2, "verdict": {"bucket": "external", "name": "maps"}}) == [Cell(None, "external", "maps")]
    assert classes({"schema": 2, "verdict": VERDICT}) == []


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


@pytest.mark.parametrize(
    ("percent", "change", "kind", "answer"),
    [(0, "same", "same", "same"), (0, "slower", "changed", "slower"), (0, "faster", "changed", "faster"),
     (12.5, "same", "changed", "slower"), (0, "same", "few", "few")],
)  # fmt: skip
def test_a_comparison_of_schema_2(percent: float, change: str, kind: str, answer: str) -> None:
    """Slower as a whole, or in a part."""
    buckets = [{"bucket": "external", "name": "maps", "change": change}]
    found = comparison({"against": {"kind": kind, "slower_percent": percent, "buckets": buckets}})
    assert found.answer == answer
    assert [cause.service for cause in found.causes] == (["maps"] if change == "slower" else [])


@pytest.mark.parametrize(("key", "status"), [("failed", 3), ("unsure", 5), ("disturbed", 6), ("", 0)])
def test_a_gate_has_the_status_of_the_command(key: str, status: int) -> None:
    """And its route and part."""
    judged = {"failed": False, "unsure": False, "disturbed": False, "route": "GET /", "part": None}
    if key:
        judged[key] = True
    assert gate({"gates": [judged]}) == Gate(status, "GET /", "")
