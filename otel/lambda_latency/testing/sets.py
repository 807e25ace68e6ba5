"""Children in any order: the pairs that may be aligned, and their costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from lambda_latency.testing.matchers import ANYTHING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lambda_latency.testing.expected import ExpectedSpan
    from lambda_latency.testing.node import Node

__all__ = ["WHOLE", "Set", "groups", "may_be_renamed"]

WHOLE = 1000  # the cost of a missing or an unexpected span
INDEXED = (str, int, bool)


class Pricing(Protocol):
    """The costs between two spans, which an `Aligner` implements."""

    @property
    def tired(self) -> bool:
        """Whether the rest is assigned greedily."""

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
        self.rows = [WHOLE * one.size for one in members]
        self.columns = [WHOLE * node.size for node in nodes]

    @property
    def tired(self) -> bool:
        """Whether the rest is assigned greedily."""
        return self._pricing.tired

    def candidates(self, row: int) -> Iterable[int]:
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

    def fits(self, row: int, column: int) -> bool:
        """Whether the cost is 0."""
        return self._pricing.fits(self._members[row], self._nodes[column])

    def cost(self, row: int, column: int) -> int:
        """The cost of aligning the pair."""
        return self._pricing.cost(self._members[row], self._nodes[column])

    def least(self, row: int, column: int) -> int:
        """A lower bound of the cost, faster than the cost."""
        one = self._members[row]
        return abs(self.rows[row] - self.columns[column]) if one.exact else 0


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
