"""The cheapest alignment of recorded spans with expected ones, top down: a span is kept only under a kept parent.

A missing or an unexpected span costs `WHOLE`. Each difference of a kept span costs 1, all of them together less than
`WHOLE`, so that a differing span is never shown as one missing and one unexpected span. General tree edit distance
allows more edits, but takes too long. In a set the most similar spans are paired first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from lambda_latency.testing.expected import ExpectedSet, ExpectedSpan, spans_of
from lambda_latency.testing.facets import differences, is_as_expected
from lambda_latency.testing.matchers import equal
from lambda_latency.testing.sets import WHOLE, Set, groups, may_be_renamed
from lambda_latency.testing.steps import Found, Pair, Step, kept, mark_late, missing, unexpected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_latency.testing.expected import Child
    from lambda_latency.testing.node import Node

NEVER = 1 << 60
PATIENCE = 8_000  # compared pairs of spans; beyond it, a diff need not be the cheapest
WIDEST = 64  # spans that are out of place by more need not be paired in the cheapest way


class Aligner:
    """Compares each expected span with each recorded one at most once."""

    def __init__(self) -> None:
        self._pairs: dict[tuple[int, int], Pair] = {}
        self._fitting: dict[tuple[int, int], bool] = {}

    def pair(self, expected: ExpectedSpan, node: Node) -> Pair | None:
        """The alignment of two spans; None if they have too little in common to be the same span."""
        same_name = equal(expected.name, node.span.name)
        if not same_name and not may_be_renamed(expected, node):
            return None
        key = id(expected), id(node)
        if key not in self._pairs:
            self._pairs[key] = self._pair(expected, node, 0 if same_name else 2 * WHOLE)
        return self._pairs[key]

    @property
    def tired(self) -> bool:
        """Whether the limit of comparisons is reached: from then on any diff is accepted."""
        return len(self._pairs) > PATIENCE

    def cost(self, expected: ExpectedSpan, node: Node) -> int:
        """The cost of that alignment; `NEVER` if it is impossible."""
        pair = self.pair(expected, node)
        return NEVER if pair is None else pair.cost

    def fits(self, expected: ExpectedSpan, node: Node) -> bool:
        """Whether the cost is 0; faster than the cost itself."""
        if not is_as_expected(expected, node):
            return False
        if not expected.children or not node.children:
            return not node.children and not any(one.size for one in spans_of(expected.children))
        if expected.exact and expected.size != node.size:
            return False
        key = id(expected), id(node)
        if key not in self._fitting:
            self._fitting[key] = self._fit_below(expected.children, node.children)
        return self._fitting[key]

    def _fit_below(self, expected: Sequence[Child], nodes: Sequence[Node]) -> bool:
        if all(isinstance(one, ExpectedSpan) for one in expected):
            return len(expected) == len(nodes) and all(map(self.fits, expected, nodes))  # type: ignore[arg-type]
        return self.level(expected, nodes)[0] == 0

    def level(self, expected: Sequence[Child], nodes: Sequence[Node]) -> Found:
        """The cheapest alignment of the children of a kept span, or of the roots."""
        begin, end = self._equal_ends(expected, nodes)
        inner = expected[begin : len(expected) - end]
        inside = nodes[begin : len(nodes) - end]
        if not inner:
            cost, steps = sum(WHOLE * node.size for node in inside), [unexpected(node) for node in inside]
        elif all(isinstance(one, ExpectedSpan) for one in inner):
            cost, steps = self._ordered(inner, inside)
        else:
            cost, steps = self._in_band(inner, inside, len(inner) + len(inside))
        head = [kept(one, node) for one, node in zip(expected[:begin], nodes[:begin], strict=True)]
        tail = [
            kept(one, node)
            for one, node in zip(expected[len(expected) - end :], nodes[len(nodes) - end :], strict=True)
        ]
        return cost, [*head, *steps, *tail]

    def _pair(self, expected: ExpectedSpan, node: Node, renamed: int) -> Pair:
        notes = differences(expected, node)
        own = min(len(notes), WHOLE - 1) + renamed
        if not expected.children and not node.children:
            return Pair(expected, node, own, notes, [])
        below, steps = self.level(expected.children, node.children)
        return Pair(expected, node, own + below, notes, steps)

    def _equal_ends(self, expected: Sequence[Child], nodes: Sequence[Node]) -> tuple[int, int]:
        """The numbers of children at either end that are as expected: no other alignment of them is cheaper.

        A span that allows any number of children is an exception: it may be aligned with a larger one.
        """
        shorter = min(len(expected), len(nodes))
        begin = 0
        while begin < shorter and self._as_expected(expected[begin], nodes[begin]):
            begin += 1
        end = 0
        while end < shorter - begin and self._as_expected(expected[-1 - end], nodes[-1 - end]):
            end += 1
        return begin, end

    def _as_expected(self, expected: Child, node: Node) -> bool:
        return isinstance(expected, ExpectedSpan) and expected.exact and self.fits(expected, node)

    def _ordered(self, expected: Sequence[Child], nodes: Sequence[Node]) -> Found:
        """Aligns along a band of the diagonal, widened until no path outside can be cheaper, or to the limit."""
        band = 1 if self.tired else 4
        while True:
            cost, steps = self._in_band(expected, nodes, band)
            # A path that leaves the band drops at least this many spans.
            enough = cost <= WHOLE * (abs(len(expected) - len(nodes)) + 2 * (band + 1))
            if enough or self.tired or band >= WIDEST:
                return cost, steps
            band *= 4

    def _in_band(self, expected: Sequence[Child], nodes: Sequence[Node], band: int) -> Found:
        """Aligns row by row; `best[column]` is the cheapest alignment of that many spans, with its steps."""
        longer = len(nodes) - len(expected)
        low, high = min(0, longer) - band, max(0, longer) + band
        best: list[_Best] = [(0, None)]
        for node in nodes:
            cost, way = best[-1]
            best.append((cost + WHOLE * node.size, (way, [unexpected(node)])))
        for number, one in enumerate(expected, start=1):
            if isinstance(one, ExpectedSpan):
                columns = range(max(0, number + low), min(len(nodes), number + high) + 1)
                best = self._span_row(one, nodes, best, columns)
            elif isinstance(one, ExpectedSet):
                best = self._bag_row(one, nodes, best, expected[number:])
            else:
                best = allowed_row(nodes, best)
        cost, way = best[-1]
        groups = []
        while way is not None:
            way, steps = way
            groups.append(steps)
        return cost, [step for steps in reversed(groups) for step in steps]

    def _span_row(self, one: ExpectedSpan, nodes: Sequence[Node], above: list[_Best], columns: range) -> list[_Best]:
        row: list[_Best] = [(NEVER, None)] * len(above)
        for column in columns:
            best, way, step = above[column][0] + WHOLE * one.size, above[column][1], missing(one)
            if column:
                node = nodes[column - 1]
                alone = row[column - 1][0] + WHOLE * node.size
                if alone < best:
                    best, way, step = alone, row[column - 1][1], unexpected(node)
                diagonal = above[column - 1][0]
                if diagonal < best and (both := diagonal + self.cost(one, node)) < best:
                    best, way, step = both, above[column - 1][1], kept(one, node)
            row[column] = best, (way, [step])
        return row

    def _bag_row(
        self, bag: ExpectedSet, nodes: Sequence[Node], above: list[_Best], rest: Sequence[Child]
    ) -> list[_Best]:
        """The cheapest bounds of the set. An unexpected span costs the same inside and outside: few bounds differ."""
        row: list[_Best] = [(NEVER, None)] * len(above)
        begins = [
            column
            for column, (cost, _) in enumerate(above)
            if not column or cost < above[column - 1][0] + WHOLE * nodes[column - 1].size
        ]
        for end in range(len(above)):
            if end < len(nodes) and not self._may_take(rest, nodes[end]):
                continue
            for begin in begins:
                if begin <= end and above[begin][0] < row[end][0]:
                    cost, steps = self._bag(bag, nodes[begin:end])
                    if above[begin][0] + cost < row[end][0]:
                        row[end] = above[begin][0] + cost, (above[begin][1], steps)
        return row

    def _may_take(self, rest: Sequence[Child], node: Node) -> bool:
        for one in rest:
            if not isinstance(one, (ExpectedSpan, ExpectedSet)):
                return True
            members = (one,) if isinstance(one, ExpectedSpan) else one.members
            if any(self.pair(member, node) is not None for member in members):
                return True
        return False

    def _bag(self, bag: ExpectedSet, nodes: Sequence[Node]) -> Found:
        taken: dict[int, ExpectedSpan] = {}
        steps: list[Step] = []
        for members, columns in groups(bag.members, nodes):
            chosen = Set(self, members, [nodes[column] for column in columns]).assigned()
            taken |= {columns[column]: members[row] for row, column in chosen.items()}
            steps += [missing(one) for row, one in enumerate(members) if row not in chosen]
        steps = [
            kept(taken[column], node) if column in taken else unexpected(node) for column, node in enumerate(nodes)
        ] + steps
        cost = sum(self._step_cost(step) for step in steps)
        if bag.overlapping:
            cost += mark_late(steps)
        return cost, steps

    def _step_cost(self, step: Step) -> int:
        if step.expected is not None and step.node is not None:
            return self.cost(step.expected, step.node)
        alone = step.expected or step.node
        assert alone is not None
        return WHOLE * alone.size


_Way: TypeAlias = "tuple[_Way, list[Step]] | None"
_Best: TypeAlias = "tuple[int, _Way]"


def allowed_row(nodes: Sequence[Node], above: list[_Best]) -> list[_Best]:
    """The row of `...`, which accepts any number of spans; only their broken guarantees have a cost."""
    row = above[:1]
    for column in range(1, len(above)):
        before, way = row[-1]
        node = nodes[column - 1]
        row.append(min(above[column], (before + node.faulty, (way, [Step("allowed", None, node)])), key=_cost))
    return row


def _cost(best: _Best) -> int:
    return best[0]
