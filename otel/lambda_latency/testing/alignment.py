"""The cheapest alignment of recorded spans with expected ones, top down: only children of aligned spans are aligned.

A missing or an unexpected span costs `WHOLE`. Each difference of an aligned span costs 1, all of them together less
than `WHOLE`, so that a differing span is never shown as one missing and one unexpected span. General tree edit distance
allows more edits, but takes too long. In a set the most similar spans are paired first.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import TypeAlias

from lambda_latency.testing.expected import ANYTHING, Child, ExpectedSet, ExpectedSpan, equal, spans_of
from lambda_latency.testing.facets import differences, is_as_expected
from lambda_latency.testing.node import Node

NEVER = 1 << 60
# Compared pairs of spans; beyond it, a diff need not be the cheapest
PATIENCE = 8_000
# Spans that are out of place by more need not be paired in the cheapest way
WIDEST = 64
WHOLE = 1000  # the cost of a missing or an unexpected span
# Pairs that differ; of more, or once the limit of comparisons is reached, spans are taken in order.
LARGE = 10_000
INDEXED = (str, int, bool)


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
            notes = differences(expected, node)
            cost = min(len(notes), WHOLE - 1) + (0 if same_name else 2 * WHOLE)
            below, steps = 0, list[Step]()
            if expected.children or node.children:
                below, steps = self.level(expected.children, node.children)
            self._pairs[key] = Pair(expected, node, cost + below, notes, steps)
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
            return not node.children and not any(child.size for child in spans_of(expected.children))
        if expected.exact and expected.size != node.size:
            return False
        key = id(expected), id(node)
        if key not in self._fitting:
            self._fitting[key] = self._fit_below(expected.children, node.children)
        return self._fitting[key]

    def _fit_below(self, expected: Sequence[Child], nodes: Sequence[Node]) -> bool:
        if all(isinstance(child, ExpectedSpan) for child in expected):
            return len(expected) == len(nodes) and all(map(self.fits, expected, nodes))  # type: ignore[arg-type]
        return self.level(expected, nodes)[0] == 0

    def level(self, expected: Sequence[Child], nodes: Sequence[Node]) -> Alignment:
        """The cheapest alignment of the children of an aligned span, or of the roots."""
        head = self._equal_begin(expected, nodes)
        expected, nodes = expected[len(head) :], nodes[len(head) :]
        tail = self._equal_begin(expected[::-1], nodes[::-1])[::-1]
        inner, inside = expected[: len(expected) - len(tail)], nodes[: len(nodes) - len(tail)]
        if not inner:
            cost = sum(WHOLE * node.size for node in inside)
            steps = [Step(None, node) for node in inside]
        elif all(isinstance(child, ExpectedSpan) for child in inner):
            cost, steps = self._ordered(inner, inside)
        else:
            cost, steps = self._in_band(inner, inside, len(inner) + len(inside))
        return cost, [*head, *steps, *tail]

    def _equal_begin(self, expected: Sequence[Child], nodes: Sequence[Node]) -> list[Step]:
        """The steps of the first children that are as expected: no other alignment of them is cheaper.

        A span that allows any number of children is an exception: it may be aligned with a larger one.
        """
        steps = []
        for child, node in zip(expected, nodes, strict=False):
            if not isinstance(child, ExpectedSpan) or not child.exact or not self.fits(child, node):
                break
            steps.append(Step(child, node))
        return steps

    def _ordered(self, expected: Sequence[Child], nodes: Sequence[Node]) -> Alignment:
        """Aligns along a band of the diagonal, widened until no path outside can be cheaper, or to the limit."""
        band = 1 if self.tired else 4
        while True:
            cost, steps = self._in_band(expected, nodes, band)
            # A path that leaves the band drops at least this many spans.
            enough = cost <= WHOLE * (abs(len(expected) - len(nodes)) + 2 * (band + 1))
            if enough or self.tired or band >= WIDEST:
                return cost, steps
            band *= 4

    def _in_band(self, expected: Sequence[Child], nodes: Sequence[Node], band: int) -> Alignment:
        """Aligns row by row; `best[column]` is the cheapest alignment of that many spans, with its steps."""
        longer = len(nodes) - len(expected)
        low, high = min(0, longer) - band, max(0, longer) + band
        best: list[_Best] = [(0, None)]
        for node in nodes:
            total, path = best[-1]
            best.append((total + WHOLE * node.size, (path, [Step(None, node)])))
        for number, child in enumerate(expected, start=1):
            if isinstance(child, ExpectedSpan):
                columns = range(max(0, number + low), min(len(nodes), number + high) + 1)
                best = self._span_row(child, nodes, best, columns)
            elif isinstance(child, ExpectedSet):
                best = self._set_row(child, nodes, best, expected[number:])
            else:
                best = allowed_row(nodes, best)
        total, path = best[-1]
        groups = []
        while path is not None:
            path, steps = path
            groups.append(steps)
        return total, [step for steps in reversed(groups) for step in steps]

    def _span_row(self, span: ExpectedSpan, nodes: Sequence[Node], above: list[_Best], columns: range) -> list[_Best]:
        row: list[_Best] = [(NEVER, None)] * len(above)
        for column in columns:
            best, path, step = above[column][0] + WHOLE * span.size, above[column][1], Step(span, None)
            if column:
                node = nodes[column - 1]
                alone = row[column - 1][0] + WHOLE * node.size
                if alone < best:
                    best, path, step = alone, row[column - 1][1], Step(None, node)
                diagonal = above[column - 1][0]
                if diagonal < best and (both := diagonal + self.cost(span, node)) < best:
                    best, path, step = both, above[column - 1][1], Step(span, node)
            row[column] = best, (path, [step])
        return row

    def _set_row(
        self, expected: ExpectedSet, nodes: Sequence[Node], above: list[_Best], later: Sequence[Child]
    ) -> list[_Best]:
        """The cheapest bounds of the set. An unexpected span costs the same inside and outside: few bounds differ."""
        row: list[_Best] = [(NEVER, None)] * len(above)
        begins = _begins(nodes, above)
        ends = (end for end in range(len(above)) if end == len(nodes) or self._may_take(later, nodes[end]))
        for end in ends:
            for begin in begins:
                if begin <= end and above[begin][0] < row[end][0]:
                    cost, steps = self._set(expected, nodes[begin:end])
                    if above[begin][0] + cost < row[end][0]:
                        row[end] = above[begin][0] + cost, (above[begin][1], steps)
        return row

    def _may_take(self, later: Sequence[Child], node: Node) -> bool:
        for child in later:
            if not isinstance(child, (ExpectedSpan, ExpectedSet)):
                return True
            members = (child,) if isinstance(child, ExpectedSpan) else child.members
            if any(self.pair(member, node) is not None for member in members):
                return True
        return False

    def _set(self, expected: ExpectedSet, nodes: Sequence[Node]) -> Alignment:
        taken: dict[int, ExpectedSpan] = {}
        steps: list[Step] = []
        for members, columns in groups(expected.members, nodes):
            chosen = SetMatching(self, members, [nodes[column] for column in columns]).assigned()
            taken |= {columns[column]: members[row] for row, column in chosen.items()}
            steps += [Step(member, None) for row, member in enumerate(members) if row not in chosen]
        steps = [
            Step(taken[column], node) if column in taken else Step(None, node) for column, node in enumerate(nodes)
        ] + steps
        cost = sum(self._step_cost(step) for step in steps)
        if expected.overlapping:
            cost += mark_late(steps)
        return cost, steps

    def _step_cost(self, step: Step) -> int:
        if step.expected is not None and step.node is not None:
            return self.cost(step.expected, step.node)
        alone = step.expected or step.node
        assert alone is not None
        return WHOLE * alone.size


_Path: TypeAlias = "tuple[_Path, list[Step]] | None"
_Best: TypeAlias = "tuple[int, _Path]"


def _begins(nodes: Sequence[Node], above: list[_Best]) -> list[int]:
    """The columns that are cheaper than one more unexpected span before them."""
    costs = [cost for cost, _ in above]
    extended = [cost + WHOLE * node.size for cost, node in zip(costs, nodes, strict=False)]
    return [0, *(column for column, cost in enumerate(extended, start=1) if costs[column] < cost)]


def allowed_row(nodes: Sequence[Node], above: list[_Best]) -> list[_Best]:
    """The row of `...`, which accepts any number of spans; only their broken guarantees have a cost."""
    row = above[:1]
    for column in range(1, len(above)):
        cost, path = row[-1]
        node = nodes[column - 1]
        extended = cost + node.faulty, (path, [Step(None, node, is_allowed=True)])
        row.append(min(above[column], extended, key=itemgetter(0)))
    return row


@dataclass(slots=True)
class Pair:
    """A recorded span aligned with an expected one. `notes`: its own differences; `steps`: its children's steps."""

    expected: ExpectedSpan
    node: Node
    cost: int
    notes: list[str]
    steps: list[Step]


@dataclass(slots=True)
class Step:
    """The step of one child: an expected and a recorded span, one of which is None for a missing or unexpected one.

    `is_allowed`: `...` allows the recorded one. `late`: the span that had ended before this one began, although they
    should overlap.
    """

    expected: ExpectedSpan | None
    node: Node | None
    is_allowed: bool = False
    late: Node | None = None


Alignment: TypeAlias = "tuple[int, list[Step]]"  # its cost and its steps


def mark_late(steps: list[Step]) -> int:
    """Marks children that should overlap but started after an earlier one had ended; returns their number."""
    aligned = [(step, step.node) for step in steps if step.node is not None and step.expected is not None]
    earliest: Node | None = None  # the earliest end so far
    count = 0
    for step, node in sorted(aligned, key=lambda pair: pair[1].start):
        if earliest is not None and node.start >= earliest.end:
            step.late = earliest
            count += 1
        if earliest is None or node.end < earliest.end:
            earliest = node
    return count


class SetMatching:
    """Expected spans as rows, recorded ones as columns."""

    def __init__(self, aligner: Aligner, members: list[ExpectedSpan], nodes: list[Node]) -> None:
        self._aligner = aligner
        self._members = members
        self._nodes = nodes
        self._columns: dict[str, dict[object, list[int]]] = {}  # by value, by attribute

    def assigned(self) -> dict[int, int]:
        """The column by row: most equal pairs, then the cheapest first, if it costs less than both spans unassigned."""
        assigned = self._equal_pairs()
        rows = sorted(set(range(len(self._members))) - assigned.keys())
        columns = sorted(set(range(len(self._nodes))).difference(assigned.values()))
        large = self._aligner.tired or len(rows) * len(columns) > LARGE
        members, nodes = self._members, self._nodes
        index_pairs = (zip if large else itertools.product)(rows, columns)
        pairs = [(self._aligner.cost(members[row], nodes[column]), row, column) for row, column in index_pairs]
        taken: set[int] = set()
        for cost, row, column in sorted(pairs):
            alone = WHOLE * (members[row].size + nodes[column].size)
            if row not in assigned and column not in taken and cost < alone:
                assigned[row] = column
                taken.add(column)
        return assigned

    def _equal_pairs(self) -> dict[int, int]:
        """A maximum matching of the pairs with cost 0."""
        row_of: dict[int, int] = {}
        equal_columns: dict[int, list[int]] = {}
        for start in range(len(self._members)):
            if start < len(self._nodes) and start not in row_of and self._fits(start, start):
                row_of[start] = start
            else:
                self._exchange(start, row_of, equal_columns)
        return {row: column for column, row in row_of.items()}

    def _exchange(self, start: int, row_of: dict[int, int], equal_columns: dict[int, list[int]]) -> None:
        """Assigns an equal column to a row, reassigning other rows if necessary (breadth first)."""
        # Column: the row that requests it, and the column of that row.
        requests: dict[int, tuple[int, int]] = {}
        waiting = [(start, -1)]
        for row, own_column in waiting:  # grows during iteration
            if row not in equal_columns:
                equal_columns[row] = [column for column in self._candidates(row) if self._fits(row, column)]
            requested = [column for column in equal_columns[row] if column not in requests]
            requests.update(dict.fromkeys(requested, (row, own_column)))
            free = next((column for column in requested if column not in row_of), -1)
            if free >= 0:
                while free >= 0:
                    row_of[free], free = requests[free]
                return
            waiting += [(row_of[column], column) for column in requested]

    def _candidates(self, row: int) -> Iterable[int]:
        """The columns that may be equal: for a plain expected attribute, the columns with its value."""
        for key, expected in self._members[row].attributes.items():
            if type(expected) in INDEXED:
                if key not in self._columns:
                    self._columns[key] = {}
                    for column, node in enumerate(self._nodes):
                        recorded = node.span.attributes.get(key)
                        if type(recorded) in INDEXED:
                            self._columns[key].setdefault((type(recorded), recorded), []).append(column)
                return self._columns[key].get((type(expected), expected), ())
        return range(len(self._nodes))

    def _fits(self, row: int, column: int) -> bool:
        return self._aligner.fits(self._members[row], self._nodes[column])


def groups(members: Sequence[ExpectedSpan], nodes: Sequence[Node]) -> Iterator[tuple[list[ExpectedSpan], list[int]]]:
    """Independent parts of a set: spans of one name, unless names may differ."""
    has_matchers = not all(isinstance(member.name, str) for member in members)
    if has_matchers or any(_may_be_renamed_among(member, nodes) for member in members if member.children):
        yield list(members), list(range(len(nodes)))
        return
    by_name: dict[object, tuple[list[ExpectedSpan], list[int]]] = {}
    for member in members:
        by_name.setdefault(member.name, ([], []))[0].append(member)
    for column, node in enumerate(nodes):
        if node.span.name in by_name:
            by_name[node.span.name][1].append(column)
    yield from by_name.values()


def _may_be_renamed_among(expected: ExpectedSpan, nodes: Sequence[Node]) -> bool:
    return any(expected.name != node.span.name and may_be_renamed(expected, node) for node in nodes)


def may_be_renamed(expected: ExpectedSpan, node: Node) -> bool:
    """Whether a span may be aligned with one of another name, which requires common descendants."""
    return bool(node.names) and (
        not expected.exact or ANYTHING in expected.names or not node.names.isdisjoint(expected.names)
    )
