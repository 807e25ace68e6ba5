"""What a report's JSON blames: the cells of its classes, and the answer of its comparison with a baseline.

Reports of schema 2 are read as well, so that a kit before the classes can be scored beside this one: its verdict is one
class (or, with thin evidence, its candidates are none), and its changed parts are causes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["OWN", "Cause", "Cell", "Comparison", "Gate", "classes", "comparison", "gate", "suspects"]

OWN = ("own code", "cold start", "telemetry", "lambda", "unknown")  # buckets of a service's own time
CLASSES = 3  # the schema that has classes and answers


class Cell(NamedTuple):
    """A caller and a part that it waits for. The name of the service that receives requests first is empty.

    Reports of schema 2 name no caller (None).
    """

    caller: str | None
    bucket: str
    name: str

    @property
    def service(self) -> str:
        """Where its time is spent: the callee, or the service itself."""
        return (self.name or self.caller or "") if self.bucket in OWN else self.name


class Cause(NamedTuple):
    """A service that a comparison names, the cell that shows it, and whether a test holds it."""

    service: str
    cell: Cell
    asserted: bool


class Comparison(NamedTuple):
    """The answer of a comparison: disturbed, slower, faster, shape, unsure, same or few, with its causes in order."""

    answer: str
    how: str | None
    causes: tuple[Cause, ...]

    @property
    def asserted(self) -> bool:
        """Whether it says that something became slower, and names what."""
        return self.answer == "slower" and bool(self.causes) and self.causes[0].asserted


class Gate(NamedTuple):
    """The exit status of a report with one condition, and the route and part that the condition names."""

    status: int
    route: str
    part: str


def classes(report: Mapping[str, Any]) -> list[Cell]:
    """The cells that the report blames for slow requests, the largest first."""
    if report["schema"] >= CLASSES:
        several = {"caller": None}  # of several callers of one callee none is named
        return [_cell(one | several if len(one.get("callers", ())) > 1 else one) for one in report["classes"]]
    found = report["verdict"]
    return [_cell(found)] if found["bucket"] is not None else []


def suspects(report: Mapping[str, Any]) -> list[str]:
    """The services that a report without a class names as candidates."""
    return [one["service"] for one in report["verdict"].get("suspects", ())]


def comparison(report: Mapping[str, Any]) -> Comparison:
    """The answer of a report with a baseline."""
    found = report["against"]
    if "answer" in found:
        causes = [Cause(one["service"], _cell(one["cell"]), one["asserted"]) for one in found["causes"]]
        return Comparison(found["answer"], found["how"], tuple(causes))
    cells = [_cell(one) for one in found["buckets"] if one["change"] == "slower"]
    if found["slower_percent"] > 0 or cells:
        return Comparison("slower", None, tuple(Cause(one.service, one, asserted=True) for one in cells))
    faster = any(one["change"] == "faster" for one in found["buckets"])
    return Comparison("faster" if faster else "few" if found["kind"] == "few" else "same", None, ())


def gate(report: Mapping[str, Any]) -> Gate:
    """How the first condition of the report was judged: exit status 3 failed, 5 unsure, 6 disturbed, else 0."""
    found = report["gates"][0]
    statuses = {"failed": 3, "unsure": 5, "disturbed": 6}
    status = next((status for key, status in statuses.items() if found.get(key)), 0)
    return Gate(status, found.get("route") or "", found.get("part") or "")


def _cell(found: Mapping[str, Any]) -> Cell:
    return Cell(found.get("caller"), found["bucket"], found["name"] or "")
