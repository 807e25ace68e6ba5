"""Children in any order: which recorded span is which expected one."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Protocol

from lambda_latency.testing.matchers import ANYTHING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lambda_latency.testing.expected import ExpectedSpan
    from lambda_latency.testing.node import Node

WHOLE = 1000  # the cost of a missing or an unexpected span
LARGE = 10_000  # pairs that differ; of more, or once the limit of comparisons is reached, spans are taken in order
INDEXED = (str, int, bool)


class Pricing(Protocol):
    """The costs between two spans, which an `Aligner` implements."""

    @property
    def tired(self) -> bool:
        """Whether the limit of comparisons is reached."""

    def fits(self, expected: ExpectedSpan, node: Node, /) -> bool:
        """Whether the cost of aligning them is 0."""

    def cost(self, expected: ExpectedSpan, node: Node, /) -> int:
        """The cost of aligning them."""


class Set:
    """Expected spans as rows, recorded ones as columns."""

    def __init__(self, pricing: Pricing, members: list[ExpectedSpan], nodes: list[Node]) -> None:
        self._pricing = pricing
        self._members = members
        self._nodes = nodes
        self._places: dict[str, dict[object, list[int]]] = {}  # columns by value, by attribute

    def assigned(self) -> dict[int, int]:
        """The column by row: as many equal pairs as there can be, then the cheapest pair first.

        A pair that differs is assigned only if it costs less than both spans unassigned.
        """
        found = self._equal_pairs()
        rows = [row for row in range(len(self._members)) if row not in found]
        taken = set(found.values())
        columns = [column for column in range(len(self._nodes)) if column not in taken]
        large = self._pricing.tired or len(rows) * len(columns) > LARGE
        pairs = [(self._cost(*pair), *pair) for pair in (zip if large else itertools.product)(rows, columns)]
        for cost, row, column in sorted(pairs):
            alone = WHOLE * (self._members[row].size + self._nodes[column].size)
            if row not in found and column not in taken and cost < alone:
                found[row] = column
                taken.add(column)
        return found

    def _equal_pairs(self) -> dict[int, int]:
        """A maximum matching of the pairs with cost 0."""
        row_of: dict[int, int] = {}
        known: dict[int, list[int]] = {}
        for start in range(len(self._members)):
            if start < len(self._nodes) and start not in row_of and self._fits(start, start):
                row_of[start] = start
            else:
                self._exchange(start, row_of, known)
        return {row: column for column, row in row_of.items()}

    def _exchange(self, start: int, row_of: dict[int, int], known: dict[int, list[int]]) -> None:
        """Assigns an equal column to a row, reassigning other rows if necessary (breadth first)."""
        came_from: dict[int, tuple[int, int]] = {}  # column: the row that requests it, and the column of that row
        waiting = [(start, -1)]
        for row, has in waiting:  # grows during iteration
            if row not in known:
                known[row] = [column for column in self._candidates(row) if self._fits(row, column)]
            wanted = [column for column in known[row] if column not in came_from]
            came_from.update((column, (row, has)) for column in wanted)
            free = next((column for column in wanted if column not in row_of), -1)
            if free >= 0:
                while free >= 0:
                    row_of[free], free = came_from[free]
                return
            waiting += [(row_of[column], column) for column in wanted]

    def _candidates(self, row: int) -> Iterable[int]:
        """The columns that may be equal: for a plain expected attribute, the columns with its value."""
        for key, value in self._members[row].attributes.items():
            if type(value) in INDEXED:
                if key not in self._places:
                    self._places[key] = {}
                    for column, node in enumerate(self._nodes):
                        found = node.span.attributes.get(key)
                        if type(found) in INDEXED:
                            self._places[key].setdefault((type(found), found), []).append(column)
                return self._places[key].get((type(value), value), ())
        return range(len(self._nodes))

    def _fits(self, row: int, column: int) -> bool:
        return self._pricing.fits(self._members[row], self._nodes[column])

    def _cost(self, row: int, column: int) -> int:
        return self._pricing.cost(self._members[row], self._nodes[column])


def groups(members: Sequence[ExpectedSpan], nodes: Sequence[Node]) -> Iterator[tuple[list[ExpectedSpan], list[int]]]:
    """Independent parts of a set: spans of one name, unless names may differ."""
    if not all(isinstance(one.name, str) for one in members) or any(
        one.name != node.span.name and may_be_renamed(one, node) for one in members if one.children for node in nodes
    ):
        yield list(members), list(range(len(nodes)))
        return
    by_name: dict[object, tuple[list[ExpectedSpan], list[int]]] = {}
    for one in members:
        by_name.setdefault(one.name, ([], []))[0].append(one)
    for column, node in enumerate(nodes):
        if node.span.name in by_name:
            by_name[node.span.name][1].append(column)
    yield from by_name.values()


def may_be_renamed(expected: ExpectedSpan, node: Node) -> bool:
    """Whether a span may be kept under another name, which requires common descendants."""
    return bool(node.names) and (
        not expected.exact or ANYTHING in expected.names or not node.names.isdisjoint(expected.names)
    )
