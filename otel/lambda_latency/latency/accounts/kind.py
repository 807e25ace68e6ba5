"""Kinds of requests: what an account holds besides times."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ABSENT_PARENT", "LEFT_OUT", "OPEN", "RUNS_ON", "SKEWED", "Kind"]

# Bits of `flaws`: the reasons why an account is less certain.
SKEWED = 1  # the clocks of services differed and were corrected
ABSENT_PARENT = 2  # the common parent of several spans was not recorded
LEFT_OUT = 4  # spans of the trace are outside the request, because their parent was not recorded
RUNS_ON = 8  # work ends later after the request than the request is long
OPEN = 16  # the span of the request has no end, and not because of a timeout


class Kind(NamedTuple):
    """The properties of a request besides its times. Requests have few different kinds."""

    route: str
    function: str
    status_code: int | None
    cold_start: bool
    error: bool
    timed_out: bool
    flaws: int = 0
