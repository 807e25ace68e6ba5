"""Which expected span is which recorded one where order does not matter: the cheapest assignment, exactly.

Successive shortest paths over a square of spans and of places to be left alone in. All that fits without a difference
is assigned beforehand, so that a set that is as expected, or nearly so, asks for few costs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["assign"]

FAR = 1 << 62


def assign(cost: Callable[[int, int], int], alone_rows: Sequence[int], alone_columns: Sequence[int]) -> dict[int, int]:
    """Rows with their columns. `cost` is asked for pairs; `alone_...` is what a row or a column costs without one."""
    rows, columns = len(alone_rows), len(alone_columns)

    def price(row: int, column: int) -> int:
        if row < rows:
            return cost(row, column) if column < columns else alone_rows[row]
        return alone_columns[column] if column < columns else 0

    # One place to be left alone in for each column, below the rows, and one for each row, behind the columns.
    square = rows + columns
    column_of, row_of = _fitting(cost, rows, columns, square)
    rights = [0] * square  # prices lowered by these, and by `lefts`, are never negative
    lefts = [0] * square
    for start in range(square):
        if column_of[start] < 0:
            _augment(start, price, column_of, row_of, lefts, rights)
    return {
        row: column_of[row]
        for row in range(rows)
        if column_of[row] < columns and cost(row, column_of[row]) < alone_rows[row] + alone_columns[column_of[row]]
    }


def _fitting(cost: Callable[[int, int], int], rows: int, columns: int, square: int) -> tuple[list[int], list[int]]:
    """A first assignment that costs nothing: pairs without a difference, and as many places for nobody."""
    column_of, row_of = [-1] * square, [-1] * square
    free = dict.fromkeys(range(columns))
    pairs = 0
    for row in range(rows):
        near = [row] if row in free else []
        for column in (*near, *free):
            if cost(row, column) == 0:
                column_of[row], row_of[column] = column, row
                del free[column]
                pairs += 1
                break
    for number in range(pairs):
        column_of[rows + number], row_of[columns + number] = columns + number, rows + number
    return column_of, row_of


def _augment(
    start: int,
    price: Callable[[int, int], int],
    column_of: list[int],
    row_of: list[int],
    lefts: list[int],
    rights: list[int],
) -> None:
    """Give one more row its column, along the cheapest path of exchanges (Dijkstra's)."""
    square = len(column_of)
    distance = [FAR] * square
    came_from = [start] * square
    open_columns = list(range(square))
    done: list[int] = []
    row, reached = start, 0
    while True:
        base = reached - lefts[row]
        nearest, at = FAR, -1
        for column in open_columns:
            through = base + price(row, column) - rights[column]
            if through < distance[column]:
                distance[column], came_from[column] = through, row
            if distance[column] < nearest or (distance[column] == nearest and row_of[column] < 0):
                nearest, at = distance[column], column
        reached = nearest
        open_columns.remove(at)
        if row_of[at] < 0:
            break
        done.append(at)
        row = row_of[at]
    for column in done:
        lefts[row_of[column]] += reached - distance[column]
        rights[column] -= reached - distance[column]
    lefts[start] += reached
    while True:
        row = came_from[at]
        before = column_of[row]
        column_of[row], row_of[at] = at, row
        if row == start:
            return
        at = before
