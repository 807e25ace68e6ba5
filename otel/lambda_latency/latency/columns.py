"""Columns in another order, a few values at a time: as numbers of Python's own all of them take four times the room.

Where each has several values, `ends` says where those of each end, with a 0 before the first.
"""

from __future__ import annotations

from array import array
from itertools import accumulate, islice
from operator import sub
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["lengths", "pieces", "runs", "summed", "taken"]

FEW = 10_000


def taken(column: array[int], places: Sequence[int]) -> array[int]:
    """The values at these places."""
    found = array(column.typecode)
    for first in range(0, len(places), FEW):
        found.fromlist([column[at] for at in places[first : first + FEW]])
    return found


def pieces(column: bytearray, width: int, places: Sequence[int]) -> bytearray:
    """As `taken`, of values that are so many bytes each."""
    found, values = bytearray(), bytes(column)  # whose parts take half as much as a bytearray's
    for first in range(0, len(places), FEW):
        found += b"".join([values[at * width : at * width + width] for at in places[first : first + FEW]])
    return found


def runs(column: array[int], ends: Sequence[int], places: Sequence[int]) -> array[int]:
    """All the values of each at these places."""
    found = array(column.typecode)
    for at in places:
        found += column[ends[at] : ends[at + 1]]
    return found


def lengths(ends: array[int]) -> array[int]:
    """How many values each has."""
    return array("I", map(sub, islice(ends, 1, None), ends))


def summed(counts: array[int]) -> array[int]:
    """Where the values of each end, of which each has so many."""
    return array("I", accumulate(counts, initial=0))
