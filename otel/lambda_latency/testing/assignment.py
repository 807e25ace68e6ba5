"""Which expected span is which recorded one where order does not matter: the cheapest assignment, exactly.

What fits without a difference is assigned first, by alternating paths; the rest by successive shortest paths over a
square of spans and of places to be left alone in. Costs are asked for only where a path might be the shortest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Costs", "assign"]

FAR = 1 << 62
LARGE = 10_000  # pairs; in a larger set what fits is found exactly, and what is left over is assigned one by one


class Costs(Protocol):
    """`rows` and `columns` hold what each costs alone."""

    rows: list[int]
    columns: list[int]

    @property
    def tired(self) -> bool:
        """Whether what is left over is to be taken as it comes."""

    def candidates(self, row: int) -> Iterable[int]:
        """The columns that may fit, and perhaps some others."""

    def fits(self, row: int, column: int) -> bool:
        """Whether the pair costs nothing."""

    def cost(self, row: int, column: int) -> int:
        """Of the pair."""

    def least(self, row: int, column: int) -> int:
        """No more than the cost, and sooner known."""


def assign(costs: Costs) -> dict[int, int]:
    """Rows with their columns; a pair is worth it only where it costs less than both alone."""
    rows, columns = costs.rows, costs.columns
    found = fitting(costs)
    if len(found) < min(len(rows), len(columns)):
        large = costs.tired or len(rows) * len(columns) > LARGE
        both = (nearest if large else cheapest)(costs, found).items()
        found = {row: at for row, at in both if found.get(row) == at or costs.cost(row, at) < rows[row] + columns[at]}
    return found


def fitting(costs: Costs) -> dict[int, int]:
    """As many pairs that cost nothing as there can be."""
    row_of: dict[int, int] = {}
    known: dict[int, list[int]] = {}
    for start in range(len(costs.rows)):
        if start < len(costs.columns) and start not in row_of and costs.fits(start, start):
            row_of[start] = start
        else:
            _exchange(costs, start, row_of, known)
    return {row: column for column, row in row_of.items()}


def _exchange(costs: Costs, start: int, row_of: dict[int, int], known: dict[int, list[int]]) -> None:
    """Give a row a column that fits, by giving other rows others if need be (breadth first)."""
    came_from: dict[int, tuple[int, int]] = {}  # column: the row that wants it, and the column which that one has
    waiting = [(start, -1)]
    for row, has in waiting:  # it grows on the way
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
    """Each row that is left over with the column left over that costs least, one after the other."""
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
    """All that is left over, and what has to make room for it."""
    rows, columns = len(costs.rows), len(costs.columns)
    # One place to be left alone in for each column, below the rows, and one for each row, behind the columns.
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
    """A square of prices that, lowered by `lefts` and `rights`, are never negative, and nothing where a pair is put."""

    def __init__(self, costs: Costs, size: int) -> None:
        self._costs = costs
        self.column_of = [-1] * size
        self._row_of = [-1] * size
        self._lefts = [0] * size
        self._rights = [0] * size

    def put(self, row: int, column: int) -> None:
        """A pair that costs nothing."""
        self.column_of[row], self._row_of[column] = column, row

    def augment(self, start: int) -> None:
        """Give one more row its column, along the cheapest path of exchanges (Dijkstra's)."""
        size = len(self.column_of)
        distance, came_from = [FAR] * size, [start] * size
        # The free ones first: no other column is worth a look that is further than they are.
        waiting = sorted(range(size), key=lambda column: self._row_of[column] >= 0)
        done: list[int] = []
        row, reached = start, 0
        while True:
            self._look(row, reached - self._lefts[row], waiting, distance, came_from)
            at = min(waiting, key=distance.__getitem__)  # the first of them, which is a free one if there is any
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
        """Which columns are nearer by this row. One further than the nearest free column is no part of the way."""
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
