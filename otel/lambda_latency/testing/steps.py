"""What becomes of the children of a span when a tree is laid over another, one step for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from lambda_latency.testing.expected import ExpectedSpan

if TYPE_CHECKING:
    from lambda_latency.testing.expected import Child
    from lambda_latency.testing.node import Node

__all__ = ["Found", "Pair", "Step", "kept", "mark_late", "missing", "unexpected"]


@dataclass(slots=True)
class Pair:
    """A recorded span kept as an expected one. `notes` are its own differences, `steps` what became of its children."""

    expected: ExpectedSpan
    node: Node
    cost: int
    notes: list[str]
    steps: list[Step]


@dataclass(slots=True)
class Step:
    """What became of one child. `late`: kept where it should overlap, and it began when the one named had ended."""

    what: Literal["kept", "missing", "unexpected", "allowed"]
    expected: ExpectedSpan | None
    node: Node | None
    late: Node | None = None


Found: TypeAlias = "tuple[int, list[Step]]"


def mark_late(steps: list[Step]) -> int:
    """Of those that should overlap, each that began when an earlier one had ended; returns how many."""
    ran = sorted((step for step in steps if step.what == "kept"), key=lambda step: step.node.start)  # type: ignore[union-attr]
    first: Node | None = None  # of those seen so far the one that ended first
    count = 0
    for step in ran:
        node = step.node
        assert node is not None
        if first is not None and node.start >= first.end:
            step.late = first
            count += 1
        if first is None or node.end < first.end:
            first = node
    return count


def kept(expected: Child, node: Node) -> Step:
    """Recorded as it was expected, more or less."""
    assert isinstance(expected, ExpectedSpan)
    return Step("kept", expected, node)


def missing(expected: ExpectedSpan) -> Step:
    """Expected, and not recorded."""
    return Step("missing", expected, None)


def unexpected(node: Node) -> Step:
    """Recorded, and not expected."""
    return Step("unexpected", None, node)
