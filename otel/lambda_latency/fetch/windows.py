"""Time in pieces that X-Ray takes: GetTraceSummaries refuses more than six hours at once."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["LONGEST_S", "Window", "windows"]

LONGEST_S = 6 * 3600
SECOND_NS = 1_000_000_000


class Window(NamedTuple):
    """From one second to another; X-Ray's times are whole seconds."""

    start_s: int
    end_s: int


def windows(since_ns: int, until_ns: int, longest_s: int = LONGEST_S) -> list[Window]:
    """The newest first, each ending in the very second in which the one before it begins.

    Whether X-Ray counts that second to one of them, to both or, in parts of a second, to either: none is left out.
    """
    start, end = since_ns // SECOND_NS, -(-until_ns // SECOND_NS)
    found: list[Window] = []
    while end > start:
        found.append(Window(max(start, end - longest_s), end))
        end = found[-1].start_s
    return found
