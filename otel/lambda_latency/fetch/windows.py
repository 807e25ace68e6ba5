"""Splits a time range into windows that X-Ray accepts: GetTraceSummaries refuses more than six hours."""

from __future__ import annotations

from typing import NamedTuple

LONGEST_S = 6 * 3600
SECOND_NS = 1_000_000_000


class Window(NamedTuple):
    """A window between two whole seconds, as X-Ray needs them."""

    start_s: int
    end_s: int


def windows(since_ns: int, until_ns: int, longest_s: int = LONGEST_S) -> list[Window]:
    """Windows, the newest first; each ends in the second in which the one before it begins.

    Due to the overlap of one second no trace is missed, whichever window X-Ray assigns that second to.
    """
    start, end = since_ns // SECOND_NS, -(-until_ns // SECOND_NS)
    found: list[Window] = []
    while end > start:
        found.append(Window(max(start, end - longest_s), end))
        end = found[-1].start_s
    return found
