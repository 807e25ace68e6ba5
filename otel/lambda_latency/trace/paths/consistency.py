"""Rows of a trace that contradict each other: ends before starts, ids of several spans, and cycles of parents."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from lambda_latency.trace.model.ids import server_id
from lambda_latency.trace.model.span import SpanKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lambda_latency.trace.model.row import Row

CUT = "cut"  # the parent id of a row at which a cycle of parents was cut

_start = attrgetter("start_ns", "span_id")


def backwards(row: Row) -> str:
    """The message about a row that ends before it starts."""
    ms = (row.start_ns - row.end_ns) / 1_000_000
    return f"span {row.span_id} ({row.name}) ends {ms:,.3f} ms before it starts: it counts as one of no length"


def part_sides(rows: Sequence[Row]) -> None:
    """Give each server that shares the id of another service's call an id of its own, and put it below the call.

    Zipkin's tracers share the id. Of the rows that name it as their parent, those of other services than the client's
    are the server's.
    """
    clients = {row.span_id: _service(row) for row in rows if row.shape.kind is SpanKind.CLIENT and _service(row)}
    shared = {row.span_id for row in rows if _shares(row, clients)}
    for row in rows if shared else ():
        if _shares(row, clients):
            row.span_id, row.parent_id = server_id(row.span_id), row.span_id
        elif row.parent_id in shared and _service(row) != clients[row.parent_id]:
            row.parent_id = server_id(row.parent_id)


def one_of_each(rows: Iterable[Row], problems: list[str]) -> list[Row]:
    """One row for each span id: of the complete rows, else of all, the one that ends last.

    A complete row has an end and is not provisional. `problems` gets a message for each row that is left out although
    it is as complete as the kept one, unless both are provisional.
    """
    by_id: dict[str, list[Row]] = {}
    for row in rows:
        by_id.setdefault(row.span_id, []).append(row)
    found: list[Row] = []
    for span_id, candidates in by_id.items():
        candidates.sort(key=_completeness)
        kept = candidates[-1]
        found.append(kept)
        problems += [
            f"span {span_id} ({kept.name}) was recorded twice: the one that ends later counts"
            for row in candidates[:-1]
            if _is_complete(row) == _is_complete(kept) and not (row.shape.is_provisional and kept.shape.is_provisional)
        ]
    return found


def cut_cycles(rows: Mapping[str, Row], problems: list[str]) -> None:
    """Cut each cycle of parents at the row that starts first, whose parent becomes `CUT`; `problems` gets a message."""
    seen = set[str]()
    for span_id in rows:
        path: dict[str, None] = {}
        at = span_id
        while at in rows and at not in seen and at not in path:
            path[at] = None
            at = rows[at].parent_id
        if at in path:
            ring = [*path][[*path].index(at) :]
            first = min((rows[member] for member in ring), key=_start)
            first.parent_id = CUT
            problems.append(f"span {first.span_id} ({first.name}) is its own ancestor: cut there")
        seen.update(path)
    problems.sort()


def _shares(row: Row, clients: Mapping[str, object]) -> bool:
    """Whether the row is a server that has the id of the call of another service."""
    service = _service(row)
    return row.shape.kind is SpanKind.SERVER and bool(service) and clients.get(row.span_id, service) != service


def _service(row: Row) -> object:
    return row.shape.resource.get("service.name")


def _is_complete(row: Row) -> bool:
    return bool(row.end_ns) and not row.shape.is_provisional


def _completeness(row: Row) -> tuple[bool, int, int, str, str, str]:
    # The parts behind the first two make the choice independent of the order of the files.
    return _is_complete(row), row.end_ns, -row.start_ns, row.parent_id, row.name, repr(row.shape.facts())
