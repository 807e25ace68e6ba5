"""Counts as a side makes them, and the sources that their lines are of."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lambda_latency.diff.compare import CountsDifference, compare
from lambda_latency.diff.counts import CallResult, Execution, Lines, SideCounts
from lambda_latency.diff.lines import ChangedLines
from lambda_latency.diff.session import SessionCall

SOURCE = "import table\n\ndef get(event):\n    order = table.get(event)\n    return order\n"
AT: Lines = (("app.py", 4),)


def executed(*work: tuple[Lines, int], function: str = "Get", **fields: Any) -> Execution:
    """An invocation with bytecodes by lines."""
    values: dict[str, Any] = {"python": "3.12.1", "modules": [], "sent": 0, "received": 0}
    values |= {"packages": {"": sum(count for _, count in work)}, **fields}
    return Execution(function, work=list(work), **values)


def warm(bytecodes: int = 50_000, status: str = "200", size: int = 100, **fields: Any) -> CallResult:
    """A request that executes so many bytecodes at line 4."""
    values = {"executions": [executed((AT, bytecodes))], "calls": {"DynamoDB GetItem Orders": 1}, **fields}
    return CallResult(status, size, ["1"], **values)


def side(*rounds: CallResult, routes: tuple[str, ...] = ("GET /orders",), **fields: Any) -> SideCounts:
    """A side with one request: its cold round and three others, of which the last is repeated."""
    results = [*rounds, *rounds[-1:] * 3][:4]
    values: dict[str, Any] = {
        "events": {},
        "imports": [executed((AT, 5_000_000))],
        "refused": {},
        "declared": list(routes),
        **fields,
    }
    calls = [SessionCall(request=f"{route}?{number}") for number, route in enumerate(routes)]
    return SideCounts(calls, list(routes), [[result] * len(routes) for result in results], **values)


Compare = Callable[..., CountsDifference]


@pytest.fixture
def compared(tmp_path: Path) -> Compare:
    """Compare two sides whose code is the same, or `head` for the head's."""

    def compare_sides(base: SideCounts, head: SideCounts, source: str = SOURCE, **options: Any) -> CountsDifference:
        for name, text in (("base", SOURCE), ("head", source)):
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / "app.py").write_text(text)
        return compare(base, head, ChangedLines(tmp_path / "base", tmp_path / "head"), **options)

    return compare_sides
