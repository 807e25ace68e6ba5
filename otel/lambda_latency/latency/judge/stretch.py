"""Stretches: an interval of consecutive requests that holds most of the slow ones."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PIECES", "Scan", "scan"]

PIECES = 40  # of consecutive requests


class Scan(NamedTuple):
    """The interval with the most slow requests: pieces from `first` up to, not including, `last`.

    `ratio` is the logarithm of its likelihood ratio against "evenly spread". `inside` of the `every` slow requests lie
    in it, among `seen` of all requests.
    """

    ratio: float
    first: int
    last: int
    inside: int
    every: int
    seen: int


def scan(slow: Sequence[int], seen: Sequence[int]) -> Scan:
    """Find the interval; `slow` and `seen` have the number of slow and of all requests in each piece."""
    whole, every = sum(seen), sum(slow)
    best = Scan(0.0, 0, 0, 0, every, 0)
    if not whole or not every:
        return best
    base = _information(every, whole)
    for first in range(len(seen)):
        requests = inside = 0
        for last in range(first, len(seen)):
            requests += seen[last]
            inside += slow[last]
            if 0 < requests < whole and inside * (whole - requests) > (every - inside) * requests:
                ratio = _information(inside, requests) + _information(every - inside, whole - requests) - base
                if ratio > best.ratio:
                    best = Scan(ratio, first, last + 1, inside, every, requests)
    return best


def _information(some: int, of: int) -> float:
    """The logarithm of the likelihood of `some` of `of`, at their own share."""
    found = some * log(some / of) if some else 0.0
    return found + ((of - some) * log((of - some) / of) if of > some else 0.0)
