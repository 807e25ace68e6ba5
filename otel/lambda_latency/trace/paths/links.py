"""The rows of a trace, connected by the ids of their parents."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from lambda_latency.trace.paths.consistency import backwards, cut_cycles, one_of_each, part_sides
from lambda_latency.trace.paths.moves import absent_parents

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_latency.trace.model.row import Row

_end = attrgetter("end_ns")


class Links:
    """The rows of one trace id with their children. Duplicates are left out, and cycles of parents are cut.

    - `rows`: one row for each span id.
    - `children`: the rows that a row waits for, by the span id of that row, in descending order of their end.
    - `tops`: the rows without a recorded parent.
    - `marked`: the rows with a role, by depth, then from the outside in (`rank`), then by start.
    - `roles`: the roles of all rows, as one set of bits.
    - `moved`: the span id of the new parent by that of the moved row; an empty text if no row waits for it.
    - `in_order`: whether no two siblings end at the same instant, and no row that has siblings is open.
    - `absent`: the rows that stand in for parents that were not recorded.
    - `problems`: messages about contradictions between rows.
    """

    __slots__ = ("absent", "children", "in_order", "marked", "moved", "problems", "roles", "rows", "tops")

    def __init__(self, rows: list[Row]) -> None:
        rows.sort(key=_end, reverse=True)  # then the children of each row have this order too
        self.problems = [backwards(row) for row in rows if 0 < row.end_ns < row.start_ns]
        self.rows = {row.span_id: row for row in rows}
        if len(self.rows) < len(rows):
            part_sides(rows)
            kept = sorted(one_of_each(rows, self.problems), key=_end, reverse=True)
            self.rows = {row.span_id: row for row in kept}
        if self._connect() < len(self.rows):
            cut_cycles(self.rows, self.problems)
            self._connect()
        self.absent = absent_parents(self.tops)
        if self.absent:
            # A parent that all its children call remote belongs to another process, and is not missing here.
            missing = {row.parent_id for row in self.tops if row.shape.remote is not True}
            self.problems += [
                f"span {row.span_id} was not recorded: what it called is one request"
                for row in self.absent
                if row.span_id in missing
            ]
            self.rows = {**{row.span_id: row for row in self.absent}, **self.rows}
            self._connect()
        self.moved: dict[str, str] = {}

    def parent(self, row: Row) -> Row | None:
        """The recorded parent of a row; None for a top."""
        return self.rows.get(row.parent_id)

    def highest(self, role: int, also: Callable[[Row], bool] | None = None) -> Row | None:
        """The least deep row with a role for which `also` is true: of several the outer one, then the earliest."""
        for row in self.marked if self.roles & role else ():
            if row.shape.roles & role and (also is None or also(row)):
                return row
        return None

    def put_below(self, row: Row, parent: Row | None) -> None:
        """Make a row a child of another one; with None no row waits for it."""
        self.children[self.moved.get(row.span_id, row.parent_id)].remove(row)
        self.moved[row.span_id] = "" if parent is None else parent.span_id
        if parent is None:
            return
        siblings = self.children.setdefault(parent.span_id, [])
        siblings.append(row)
        if len(siblings) > 1:
            siblings.sort(key=_end, reverse=True)
            ends = {sibling.end_ns for sibling in siblings}
            if 0 in ends or len(ends) < len(siblings):
                self.in_order = False

    def _connect(self) -> int:
        """Find children, tops and roles. Returns the number of rows that a top reaches: all but those of cycles."""
        rows, roles, in_order = self.rows, 0, True
        children: dict[str, list[Row]] = {}
        tops: list[Row] = []
        for row in rows.values():
            roles |= row.shape.roles
            siblings = children.get(row.parent_id)
            if siblings is not None:
                if not 0 < row.end_ns < siblings[-1].end_ns:
                    in_order = False
                siblings.append(row)
            elif row.parent_id in rows:
                children[row.parent_id] = [row]
            else:
                tops.append(row)
        self.children, self.tops, self.roles, self.in_order = children, tops, roles, in_order
        self.marked: list[Row] = []
        level, count = tops, 0
        while level:
            count += len(level)
            marked: list[Row] = []
            below: list[Row] = []
            for row in level:
                if row.shape.roles:
                    marked.append(row)
                if row.span_id in children:
                    below += children[row.span_id]
            if len(marked) > 1:
                marked.sort(key=_outer_first)
            self.marked += marked
            level = below
        return count


def _outer_first(row: Row) -> tuple[int, int, str]:
    return row.shape.rank, row.start_ns, row.span_id
