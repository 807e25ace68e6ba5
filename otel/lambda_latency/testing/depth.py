"""Trees may be deeper than Python's stack is allowed to grow by default."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lambda_latency.testing.expected import spans_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lambda_latency.testing.expected import Child
    from lambda_latency.testing.node import Node

__all__ = ["room_for"]

FRAMES = 24  # of the stack for each level of a tree, and some to spare


@contextmanager
def room_for(nodes: Sequence[Node], expected: Sequence[Child]) -> Iterator[None]:
    """Within: stack enough for the depth of both."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(before + FRAMES * max(_depth(nodes), _depth_expected(expected)))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def _depth(nodes: Sequence[Node]) -> int:
    level, depth = list(nodes), 0
    while level:
        level, depth = [child for node in level for child in node.children], depth + 1
    return depth


def _depth_expected(expected: Sequence[Child]) -> int:
    level, depth = list(expected), 0
    while level:
        spans = spans_of(level)
        level, depth = [child for one in spans for child in one.children], depth + 1
    return depth
