"""AWS's outer spans have whole milliseconds, cut off. What ends inside them says how much was cut off.

A handler that ends at 900.4 ms in a service's segment that ends at "900" ms would lose the end of what it did last: no
span is longer than what holds it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lambda_latency.trace.platform import FUNCTION, OUTER

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["restore_fractions"]

MILLISECOND = Decimal("0.001")
Document = dict[str, Any]


def restore_fractions(segments: list[Document]) -> list[Document]:
    """The segments of one trace, in their order; AWS's own end as late as the invocation and its spans show.

    An end in whole milliseconds is moved by less than one; an Overhead that begins there begins with it.
    """
    shown = sorted({end for one in segments if one.get("origin") == FUNCTION for end in _shown(one, segments)})
    if not shown:
        return segments
    return [_moved(one, shown) if one.get("origin") in OUTER else one for one in segments]


def _shown(function: Document, segments: list[Document]) -> Iterator[Decimal]:
    """The end of the invocation, if it has its fraction, and of what hangs on it and ends in its last millisecond."""
    invocations = [one for one in _below(function) if one.get("name") == "Invocation"]
    holders = {one.get("id") for one in (function, *invocations)}
    cut = (invocations or [function])[0].get("end_time")
    if isinstance(cut, Decimal) and cut % MILLISECOND:
        yield cut
    for one in segments:
        end = one.get("end_time")
        if one.get("parent_id") in holders and isinstance(end, Decimal) and _is_cut(cut, end):
            yield end


def _moved(document: Document, shown: list[Decimal]) -> Document:
    changed: Document = {}
    for end in shown:  # the last one of a millisecond wins
        if _is_cut(document.get("end_time"), end):
            changed["end_time"] = end
        if document.get("name") == "Overhead" and _is_cut(document.get("start_time"), end):
            changed["start_time"] = end
    if isinstance(below := document.get("subsegments"), list):
        changed["subsegments"] = [_moved(one, shown) if isinstance(one, dict) else one for one in below]
    return {**document, **changed} if changed else document


def _is_cut(time: object, at: Decimal) -> bool:
    """Is it a whole number of milliseconds, with `at` inside the one that it begins?"""
    return isinstance(time, int | Decimal) and time % MILLISECOND == 0 and 0 < at - time < MILLISECOND


def _below(document: Document) -> list[Document]:
    below = document.get("subsegments")
    return [one for one in below if isinstance(one, dict)] if isinstance(below, list) else []
