"""Raises Python's recursion limit for trees that are deeper than the default."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lambda_latency.testing.expected import spans_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lambda_latency.testing.expected import Child
    from lambda_latency.testing.node import Node

FRAMES = 24  # stack frames per level of a tree, with a reserve


@contextmanager
def room_for(nodes: Sequence[Node], expected: Sequence[Child]) -> Iterator[None]:
    """A context with a recursion limit for the depth of both trees."""
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
