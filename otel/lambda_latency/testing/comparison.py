"""The comparison of an expectation with recorded spans: equal, or a tree with a sign at each difference."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lambda_latency.testing.alignment import Aligner
from lambda_latency.testing.depth import room_for
from lambda_latency.testing.expected import ExpectedSpan, spans_of
from lambda_latency.testing.node import Forest, Node
from lambda_latency.testing.steps import Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_latency.testing.expected import Child


@dataclass(slots=True)
class Line:
    """One span of a diff: its sign (` `, `-`, `+` or `~`), the span, its differences, and its children."""

    sign: str
    span: Node | ExpectedSpan
    notes: list[str] = field(default_factory=list)
    below: list[Line] = field(default_factory=list)
    unseen: int = 0  # descendants that `...` allows

    @property
    def name(self) -> str:
        """The recorded name, else the expected one."""
        if isinstance(self.span, Node):
            return self.span.span.name
        return self.span.name if isinstance(self.span.name, str) else repr(self.span.name)


@dataclass(slots=True)
class Comparison:
    """The result of a comparison. `notes` are about the whole, not about one span."""

    recorded: Forest
    tops: list[Line]
    notes: list[str]
    expected: dict[int, ExpectedSpan]  # by the id() of the recorded node that it was aligned with

    @property
    def lines(self) -> list[Line]:
        """Every line, parents before children."""
        found = list(self.tops)
        for line in found:  # grows during iteration
            found += line.below
        return found

    @property
    def differing(self) -> list[Line]:
        """The lines with a sign, in the order in which they are printed."""
        found = []
        waiting = self.tops[::-1]
        while waiting:
            line = waiting.pop()
            waiting += line.below[::-1]
            if line.sign != " ":
                found.append(line)
        return found

    @property
    def holds(self) -> bool:
        """Whether the recorded spans are as expected."""
        return not self.notes and all(line.sign == " " for line in self.lines)


def compare(expected: Sequence[Child], recorded: Forest) -> Comparison:
    """Compares the expected trees with the recorded ones."""
    with room_for(recorded.tops + recorded.orphans, expected):
        aligner = Aligner()
        aligned: dict[int, ExpectedSpan] = {}
        tops = [_line(step, aligner, aligned) for step in aligner.level(expected, recorded.tops)[1]]
        tops += [_unexpected(node) for node in recorded.orphans]
    comparison = Comparison(recorded, tops, recorded.notes, aligned)
    _point_out_moves(comparison)
    return comparison


def _line(step: Step, aligner: Aligner, aligned: dict[int, ExpectedSpan]) -> Line:
    if step.what == "missing":
        assert step.expected is not None
        return _missing(step.expected)
    assert step.node is not None
    if step.what == "unexpected":
        return _unexpected(step.node)
    if step.expected is None:
        return _allowed(step.node)
    pair = aligner.pair(step.expected, step.node)
    assert pair is not None
    aligned[id(step.node)] = step.expected
    notes = list(pair.notes)
    if step.late is not None:
        notes.append(f"not concurrent: it started after {step.late.span.name} had ended")
    return Line("~" if notes else " ", step.node, notes, [_line(one, aligner, aligned) for one in pair.steps])


def _missing(expected: ExpectedSpan) -> Line:
    return Line("-", expected, [], [_missing(one) for one in spans_of(expected.children)])


def _unexpected(node: Node) -> Line:
    return Line("+", node, list(node.faults), [_unexpected(child) for child in node.children])


def _allowed(node: Node) -> Line:
    """Includes descendants only if they break a guarantee."""
    if not node.faulty:
        return Line(" ", node, unseen=node.size - 1)
    return Line("~" if node.faults else " ", node, list(node.faults), [_allowed(child) for child in node.children])


def _point_out_moves(comparison: Comparison) -> None:
    """Adds to an unexpected span the place where a span of its name is missing."""
    missing: dict[str, list[tuple[Line | None, int]]] = {}
    places: list[tuple[Line | None, int, Line]] = [(None, number, line) for number, line in enumerate(comparison.tops)]
    places += [(above, number, line) for above in comparison.lines for number, line in enumerate(above.below)]
    for above, number, line in places:
        if line.sign == "-":
            missing.setdefault(line.name, []).append((above, number))
    for above, number, line in places:
        if line.sign == "+" and missing.get(line.name):
            expected_above, expected_number = missing[line.name].pop(0)
            if expected_above is above:
                line.notes.append(f"expected {'earlier' if expected_number < number else 'later'}")
            else:
                here = "a root of its own, " if isinstance(line.span, Node) and line.span.span.parent_id is None else ""
                there = f"under {expected_above.name}" if expected_above is not None else "as a root"
                line.notes.append(f"{here}expected {there}")
