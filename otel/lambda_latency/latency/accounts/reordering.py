"""Reordering of columns in chunks: a list of all values as Python integers takes four times the memory.

In a column with several values per request, `ends` has the end of each request's values, after a leading 0.
"""

from __future__ import annotations

from array import array
from itertools import accumulate, chain, count, islice, repeat
from operator import sub
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CHUNK = 10_000


def taken(column: array[int], indices: Sequence[int]) -> array[int]:
    """The values at these indices."""
    found = array(column.typecode)
    for first in range(0, len(indices), CHUNK):
        found.fromlist([column[at] for at in indices[first : first + CHUNK]])
    return found


def pieces(column: bytearray, width: int, indices: Sequence[int]) -> bytearray:
    """As `taken`, for values of `width` bytes each."""
    found, values = bytearray(), bytes(column)  # a slice of bytes takes half the memory of a slice of a bytearray
    for first in range(0, len(indices), CHUNK):
        found += b"".join([values[at * width : at * width + width] for at in indices[first : first + CHUNK]])
    return found


def runs(column: array[int], ends: Sequence[int], indices: Sequence[int]) -> array[int]:
    """All values of the requests at these indices."""
    found = array(column.typecode)
    for at in indices:
        found += column[ends[at] : ends[at + 1]]
    return found


def lengths(ends: array[int]) -> array[int]:
    """The number of values of each request."""
    return array("I", map(sub, islice(ends, 1, None), ends))


def members(ends: array[int]) -> Iterator[int]:
    """The index of the request of each value."""
    return chain.from_iterable(map(repeat, count(), lengths(ends)))


def summed(counts: array[int]) -> array[int]:
    """The `ends` of requests with these numbers of values."""
    return array("I", accumulate(counts, initial=0))
