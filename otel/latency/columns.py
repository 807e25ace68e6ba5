"""Columns in another order, a few values at a time: as numbers of Python's own all of them take four times the room."""

from __future__ import annotations

from array import array
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ends_of", "inside", "pieces", "taken"]

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


def inside(ends: array[int], order: Sequence[int], column: array[int] | None = None) -> array[int]:
    """The places of all that each has, in an order of them; or what a column has at these places."""
    found = array("I" if column is None else column.typecode)
    for first in range(0, len(order), FEW):
        places = [place for at in order[first : first + FEW] for place in range(ends[at], ends[at + 1])]
        found.fromlist(places if column is None else [column[place] for place in places])
    return found


def ends_of(ends: array[int], order: Sequence[int]) -> array[int]:
    """Where what each has ends, in an order of them; with a 0 before the first, as `ends` has it."""
    found = array("I", [0])
    for first in range(0, len(order), FEW):
        lengths = [ends[at + 1] - ends[at] for at in order[first : first + FEW]]
        found.fromlist(list(accumulate(lengths, initial=found[-1]))[1:])
    return found
