"""The steps of an alignment: one per child of a span."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from lambda_latency.testing.expected import ExpectedSpan

if TYPE_CHECKING:
    from lambda_latency.testing.expected import Child
    from lambda_latency.testing.node import Node


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
    """The step of one child. `late`: the span that had ended before this one began, although they should overlap."""

    what: Literal["kept", "missing", "unexpected", "allowed"]
    expected: ExpectedSpan | None
    node: Node | None
    late: Node | None = None


Found: TypeAlias = "tuple[int, list[Step]]"


def mark_late(steps: list[Step]) -> int:
    """Marks children that should overlap but started after an earlier one had ended; returns their number."""
    ran = sorted((step for step in steps if step.what == "kept"), key=lambda step: step.node.start)  # type: ignore[union-attr]
    first: Node | None = None  # the earliest end so far
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
    """The step of a span recorded as expected, possibly with differences."""
    assert isinstance(expected, ExpectedSpan)
    return Step("kept", expected, node)


def missing(expected: ExpectedSpan) -> Step:
    """The step of an expected span that was not recorded."""
    return Step("missing", expected, None)


def unexpected(node: Node) -> Step:
    """The step of a recorded span that was not expected."""
    return Step("unexpected", None, node)
