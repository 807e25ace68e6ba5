"""The comparison of an expectation with recorded spans: equal, or a tree with a sign at each difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from lambda_latency.testing.alignment import Aligner, Step
from lambda_latency.testing.expected import Child, ExpectedSpan, spans_of
from lambda_latency.testing.node import Forest, Node, room_for


@dataclass(slots=True)
class DiffLine:
    """One span of a diff: its sign (` `, `-`, `+` or `~`), the span, its differences, and its children."""

    sign: str
    span: Node | ExpectedSpan
    notes: list[str] = field(default_factory=list)
    below: list[DiffLine] = field(default_factory=list)
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
    roots: list[DiffLine]
    notes: list[str]
    # By the id() of the recorded node that it was aligned with
    expected: dict[int, ExpectedSpan]

    @property
    def lines(self) -> list[DiffLine]:
        """Every line, parents before children."""
        lines = list(self.roots)
        for line in lines:  # grows during iteration
            lines += line.below
        return lines

    @property
    def differing(self) -> list[DiffLine]:
        """The lines with a sign, in the order in which they are printed."""
        differing = []
        waiting = self.roots[::-1]
        while waiting:
            line = waiting.pop()
            waiting += line.below[::-1]
            if line.sign != " ":
                differing.append(line)
        return differing

    @property
    def holds(self) -> bool:
        """Whether the recorded spans are as expected."""
        return not self.notes and all(line.sign == " " for line in self.lines)


def compare(expected: Sequence[Child], recorded: Forest) -> Comparison:
    """Compares the expected trees with the recorded ones."""
    with room_for(recorded.roots + recorded.orphans, expected):
        aligner = Aligner()
        aligned: dict[int, ExpectedSpan] = {}
        roots = [_line(step, aligner, aligned) for step in aligner.level(expected, recorded.roots)[1]]
        roots += [_unexpected(node) for node in recorded.orphans]
    comparison = Comparison(recorded, roots, recorded.notes, aligned)
    _point_out_moves(comparison)
    return comparison


def _line(step: Step, aligner: Aligner, aligned: dict[int, ExpectedSpan]) -> DiffLine:
    if step.node is None:
        assert step.expected is not None
        return _missing(step.expected)
    if step.expected is None:
        return _allowed(step.node) if step.is_allowed else _unexpected(step.node)
    pair = aligner.pair(step.expected, step.node)
    assert pair is not None
    aligned[id(step.node)] = step.expected
    notes = list(pair.notes)
    if step.late is not None:
        notes.append(f"not concurrent: it started after {step.late.span.name} had ended")
    return DiffLine("~" if notes else " ", step.node, notes, [_line(below, aligner, aligned) for below in pair.steps])


def _missing(expected: ExpectedSpan) -> DiffLine:
    return DiffLine("-", expected, [], [_missing(child) for child in spans_of(expected.children)])


def _unexpected(node: Node) -> DiffLine:
    return DiffLine("+", node, list(node.faults), [_unexpected(child) for child in node.children])


def _allowed(node: Node) -> DiffLine:
    """Includes descendants only if they break a guarantee."""
    if not node.faulty:
        return DiffLine(" ", node, unseen=node.size - 1)
    return DiffLine("~" if node.faults else " ", node, list(node.faults), [_allowed(child) for child in node.children])


def _point_out_moves(comparison: Comparison) -> None:
    """Adds to an unexpected span the place where a span of its name is missing."""
    missing: dict[str, list[_Place]] = {}
    places = [_Place(None, number, line) for number, line in enumerate(comparison.roots)]
    for parent in comparison.lines:
        places += [_Place(parent, number, line) for number, line in enumerate(parent.below)]
    for place in places:
        if place.line.sign == "-":
            missing.setdefault(place.line.name, []).append(place)
    for place in places:
        if place.line.sign == "+" and missing.get(place.line.name):
            place.line.notes.append(_move(place, missing[place.line.name].pop(0)))


class _Place(NamedTuple):
    """A line with its parent, and its number among its siblings."""

    parent: DiffLine | None
    number: int
    line: DiffLine


def _move(recorded: _Place, expected: _Place) -> str:
    if expected.parent is recorded.parent:
        return f"expected {'earlier' if expected.number < recorded.number else 'later'}"
    span = recorded.line.span
    root = "a root of its own, " if isinstance(span, Node) and span.span.parent_id is None else ""
    return f"{root}expected {f'under {expected.parent.name}' if expected.parent is not None else 'as a root'}"
