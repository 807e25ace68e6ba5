"""The range of an attribute's numbers that sets slow requests apart most, with bounds in round numbers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lambda_latency.latency.depends.attribute_sets import bits
from lambda_latency.latency.depends.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lambda_latency.latency.depends.attribute_sets import Key
    from lambda_latency.latency.depends.evidence import Sides

CUTS = 16  # of the numbers of an attribute: ranges are between them
QUESTIONS = CUTS * (CUTS + 1) // 2  # that an attribute with numbers asks
NEIGHBOURS = 40  # numbers around a cut where the evidence may be larger


def best_range(key: Key, known: Sequence[tuple[float, int]], sides: Sides, least: float) -> tuple[Value, int] | None:
    """The range, and the requests with a number in it; None if a first look finds less than `least` nats.

    `known` are the numbers, ascending, each with its request.
    """
    numbers = [number for number, _ in known]
    from_cut = partial(_from, known)
    cuts = _cuts(known, sides.slow)
    sets = {cut: from_cut(cut) for cut in cuts}
    pairs = [(low, high) for at, low in enumerate(cuts) for high in (*cuts[at + 1 :], None)]
    pairs = [(low, high) for low, high in pairs if low > numbers[0] or high is not None]
    ranked = sorted(
        ((sides.rough_nats(_between(sets, low, high)), low, high) for low, high in pairs),
        key=lambda one: (-one[0], one[1]),
    )
    if not ranked or ranked[0][0] < least:
        return None
    _, low, high = ranked[0]
    distinct = sorted(set(numbers))
    low, high = _refined(distinct, cuts, low, high, lambda a, b: sides.rough_nats(_between_of(from_cut, a, b)))
    return value_of_range(key, distinct, low, high), _between_of(from_cut, low, high)


def _from(known: Sequence[tuple[float, int]], cut: float) -> int:
    return bits(place for number, place in known if number >= cut)


def _between(sets: dict[float, int], low: float, high: float | None) -> int:
    return sets[low] & ~sets[high] if high is not None else sets[low]


def _between_of(from_cut: Callable[[float], int], low: float, high: float | None) -> int:
    return from_cut(low) & ~from_cut(high) if high is not None else from_cut(low)


def _cuts(known: Sequence[tuple[float, int]], slow: int) -> list[float]:
    """Numbers that divide all requests, and the slow ones, evenly."""
    every = [number for number, _ in known]
    some = [number for number, place in known if slow >> place & 1] or every
    half = CUTS // 2
    return sorted({side[len(side) * at // half] for side in (every, some) for at in range(half)})


def _refined(
    distinct: Sequence[float],
    cuts: Sequence[float],
    low: float,
    high: float | None,
    nats: Callable[[float, float | None], float],
) -> tuple[float, float | None]:
    """The bounds moved, one after the other, between the neighbouring cuts to where the evidence is largest."""

    def around(cut: float) -> list[float]:
        before = max((one for one in cuts if one < cut), default=distinct[0])
        after = min((one for one in cuts if one > cut), default=distinct[-1])
        inside = [one for one in distinct if before <= one <= after]
        return inside[:: max(len(inside) // NEIGHBOURS, 1)]

    low = max(around(low), key=lambda one: (nats(one, high), -one) if high is None or one < high else (0.0, 0.0))
    if high is not None:
        high = max(around(high), key=lambda one: (nats(low, one), one) if one > low else (0.0, 0.0))
    return low, high


def value_of_range(key: Key, distinct: Sequence[float], low: float, high: float | None) -> Value:
    """The range in round numbers: any bound between the last number outside and the first inside says the same."""
    inside = [one for one in distinct if low <= one and (high is None or one < high)]
    if len(inside) == 1 and high is not None:
        return Value(*key, f"{inside[0]:g}")
    below = [one for one in distinct if one < low]
    begin = _round(below[-1], low) if below else None
    return Value(*key, None, begin, _round(inside[-1], high) if high is not None else None)


def _round(after: float, most: float) -> float:
    """The roundest number above `after`, up to `most`."""
    for digits in range(-15, 16):
        unit = 10.0**-digits
        for step in (5, 2, 1):
            found = (most // (unit * step)) * unit * step
            if after < found <= most:
                return round(found, max(digits, 0))
    return most
