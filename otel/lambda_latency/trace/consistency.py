"""Rows of a trace that cannot all be true: a span that was recorded twice, and parents in a circle."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lambda_latency.trace.row import Row

__all__ = ["CUT", "backwards", "cut_cycles", "one_of_each"]

CUT = "cut"  # in place of the parent of a span at which a cycle of parents is cut

_start = attrgetter("start_ns", "span_id")


def backwards(row: Row) -> str:
    """What is wrong with a row that ends before it starts."""
    ms = (row.start_ns - row.end_ns) / 1_000_000
    return f"span {row.span_id} ({row.name}) ends {ms:,.3f} ms before it starts: it counts as one of no length"


def one_of_each(rows: Iterable[Row], problems: list[str]) -> list[Row]:
    """One row for each span id: the complete one, else the one that ends later. `problems` hears of those left out."""
    by_id: dict[str, list[Row]] = {}
    for row in rows:
        by_id.setdefault(row.span_id, []).append(row)
    found: list[Row] = []
    for span_id, several in by_id.items():
        several.sort(key=_completeness)
        kept = several[-1]
        found.append(kept)
        problems += [
            f"span {span_id} ({kept.name}) was recorded twice: the one that ends later counts"
            for row in several[:-1]
            if _is_complete(row) == _is_complete(kept) and not (row.shape.is_provisional and kept.shape.is_provisional)
        ]
    return found


def cut_cycles(rows: Mapping[str, Row], problems: list[str]) -> None:
    """Cut each cycle of parents at the row that starts first, and tell."""
    seen = set[str]()
    for span_id in rows:
        path: dict[str, None] = {}
        at = span_id
        while at in rows and at not in seen and at not in path:
            path[at] = None
            at = rows[at].parent_id
        if at in path:
            ring = [*path][[*path].index(at) :]
            first = min((rows[one] for one in ring), key=_start)
            first.parent_id = CUT
            problems.append(f"span {first.span_id} ({first.name}) is its own ancestor: cut there")
        seen.update(path)
    problems.sort()


def _is_complete(row: Row) -> bool:
    return bool(row.end_ns) and not row.shape.is_provisional


def _completeness(row: Row) -> tuple[bool, int, int, str, str, str]:
    # All but the first two make the choice independent of the order in which files were read.
    return _is_complete(row), row.end_ns, -row.start_ns, row.parent_id, row.name, repr(row.shape.facts())
