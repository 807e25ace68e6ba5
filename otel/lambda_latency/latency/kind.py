"""The kinds of requests: what requests have in common that differ in their times."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ABSENT_PARENT", "LEFT_OUT", "SKEWED", "Kind"]

# Bits of `flaws`: what makes an account less sure.
SKEWED = 1  # clocks of its services differed, and were corrected
ABSENT_PARENT = 2  # the span that called the others was not recorded
LEFT_OUT = 4  # spans of the trace are outside of the request, because their parent was not recorded


class Kind(NamedTuple):
    """What an account says of a request beside its times: there are few of them."""

    route: str
    function: str
    status_code: int | None
    cold_start: bool
    error: bool
    timed_out: bool
    flaws: int = 0
