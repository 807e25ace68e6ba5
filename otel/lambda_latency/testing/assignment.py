"""The exact cheapest assignment of recorded spans to expected ones, regardless of order.

Pairs without a difference are assigned first, by alternating paths; the rest by successive shortest paths over a square
matrix of spans and dummies. A cost is computed only if its path may be the shortest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Costs", "assign"]

FAR = 1 << 62
LARGE = 10_000  # pairs; in a larger set only equal pairs are assigned exactly, the rest greedily


class Costs(Protocol):
    """The costs of an assignment. `rows` and `columns`: the cost of each unassigned span."""

    rows: list[int]
    columns: list[int]

    @property
    def tired(self) -> bool:
        """Whether the rest is assigned greedily."""

    def candidates(self, row: int) -> Iterable[int]:
        """A superset of the columns that may be equal."""

    def fits(self, row: int, column: int) -> bool:
        """Whether the cost of the pair is 0."""

    def cost(self, row: int, column: int) -> int:
        """The cost of the pair."""

    def least(self, row: int, column: int) -> int:
        """A lower bound of the cost, faster than the cost."""


def assign(costs: Costs) -> dict[int, int]:
    """The column by row; a pair is assigned only if it costs less than both spans unassigned."""
    rows, columns = costs.rows, costs.columns
    found = fitting(costs)
    if len(found) < min(len(rows), len(columns)):
        large = costs.tired or len(rows) * len(columns) > LARGE
        both = (nearest if large else cheapest)(costs, found).items()
        found = {row: at for row, at in both if found.get(row) == at or costs.cost(row, at) < rows[row] + columns[at]}
    return found


def fitting(costs: Costs) -> dict[int, int]:
    """A maximum matching of the pairs with cost 0."""
    row_of: dict[int, int] = {}
    known: dict[int, list[int]] = {}
    for start in range(len(costs.rows)):
        if start < len(costs.columns) and start not in row_of and costs.fits(start, start):
            row_of[start] = start
        else:
            _exchange(costs, start, row_of, known)
    return {row: column for column, row in row_of.items()}


def _exchange(costs: Costs, start: int, row_of: dict[int, int], known: dict[int, list[int]]) -> None:
    """Assigns an equal column to a row, reassigning other rows if necessary (breadth first)."""
    came_from: dict[int, tuple[int, int]] = {}  # column: the row that requests it, and the column of that row
    waiting = [(start, -1)]
    for row, has in waiting:  # grows during iteration
        if row not in known:
            known[row] = [column for column in costs.candidates(row) if costs.fits(row, column)]
        wanted = [column for column in known[row] if column not in came_from]
        came_from.update((column, (row, has)) for column in wanted)
        free = next((column for column in wanted if column not in row_of), -1)
        if free >= 0:
            while free >= 0:
                row_of[free], free = came_from[free]
            return
        waiting += [(row_of[column], column) for column in wanted]


def nearest(costs: Costs, found: dict[int, int]) -> dict[int, int]:
    """Assigns each remaining row to the cheapest remaining column, greedily."""
    found = dict(found)
    taken = set(found.values())
    free = dict.fromkeys(column for column in range(len(costs.columns)) if column not in taken)
    for row in range(len(costs.rows)):
        if row in found or not free:
            continue
        best, at = FAR, -1
        for column in [row, *free] if row in free else free:
            if costs.least(row, column) < best and (cost := costs.cost(row, column)) < best:
                best, at = cost, column
            if best <= 1 or costs.tired:
                break
        if at >= 0:
            found[row] = at
            del free[at]
    return found


def cheapest(costs: Costs, found: dict[int, int]) -> dict[int, int]:
    """Assigns the remaining rows, with reassignments."""
    rows, columns = len(costs.rows), len(costs.columns)
    # One dummy row per column, below the rows, and one dummy column per row, behind the columns.
    square = Square(costs, rows + columns)
    for row, column in found.items():
        square.put(row, column)
    for number in range(len(found)):
        square.put(rows + number, columns + number)
    for row in range(rows + columns):
        if square.column_of[row] < 0:
            square.augment(row)
    return {row: square.column_of[row] for row in range(rows) if square.column_of[row] < columns}


class Square:
    """A square cost matrix; reduced by `lefts` and `rights`, no cost is negative, and assigned pairs cost 0."""

    def __init__(self, costs: Costs, size: int) -> None:
        self._costs = costs
        self.column_of = [-1] * size
        self._row_of = [-1] * size
        self._lefts = [0] * size
        self._rights = [0] * size

    def put(self, row: int, column: int) -> None:
        """Assigns a pair with cost 0."""
        self.column_of[row], self._row_of[column] = column, row

    def augment(self, start: int) -> None:
        """Assigns one more row along the cheapest augmenting path (Dijkstra)."""
        size = len(self.column_of)
        distance, came_from = [FAR] * size, [start] * size
        # Free columns first: columns that are further than the nearest free one are not examined.
        waiting = sorted(range(size), key=lambda column: self._row_of[column] >= 0)
        done: list[int] = []
        row, reached = start, 0
        while True:
            self._look(row, reached - self._lefts[row], waiting, distance, came_from)
            at = min(waiting, key=distance.__getitem__)  # the first, a free one if there is any
            reached = distance[at]
            waiting.remove(at)
            if self._row_of[at] < 0:
                break
            done.append(at)
            row = self._row_of[at]
        for column in done:
            self._lefts[self._row_of[column]] += reached - distance[column]
            self._rights[column] -= reached - distance[column]
        self._lefts[start] += reached
        while True:
            row, before = came_from[at], self.column_of[came_from[at]]
            self.put(row, at)
            if row == start:
                return
            at = before

    def _look(self, row: int, base: int, waiting: list[int], distance: list[int], came_from: list[int]) -> None:
        """Updates the columns that this row makes nearer, up to the nearest free column."""
        end = FAR
        for column in waiting:
            if self._row_of[column] < 0:
                end = min(end, distance[column])
            away = base - self._rights[column]
            if away + self._price(row, column, exact=False) < min(distance[column], end):
                through = away + self._price(row, column, exact=True)
                if through < distance[column]:
                    distance[column], came_from[column] = through, row
                    if self._row_of[column] < 0:
                        end = min(end, through)

    def _price(self, row: int, column: int, *, exact: bool) -> int:
        rows, columns = self._costs.rows, self._costs.columns
        if row < len(rows) and column < len(columns):
            return self._costs.cost(row, column) if exact else self._costs.least(row, column)
        if row < len(rows):
            return rows[row]
        return columns[column] if column < len(columns) else 0
