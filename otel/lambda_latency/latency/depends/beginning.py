"""What begins when requests become slow: a version, a deployment, an instance, a flag that is switched on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lambda_latency.latency.depends.attribute_sets import bits
from lambda_latency.latency.depends.value import Since, Value
from lambda_latency.latency.judge.slowness import PIECES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambda_latency.latency.accounts.columns import Accounts
    from lambda_latency.latency.depends.attribute_sets import Facts

__all__ = ["Around", "around", "beginning"]

NEXT = 50  # requests that are read right before a change, and after it
EARLIER = 30  # of all requests before it
ALL, NONE = 0.9, 0.05  # shares after and before
LEAST = 6  # requests on either side
MOST = 3  # values that are told
DATE = re.compile(r"\d{4}-\d\d|\d\d:\d\d|\d{9,}")
SORTS = (  # which of the values that begin at one time is the reason, most likely
    re.compile(r"version|release|build|commit|revision|git|sha\b|image|tag", re.IGNORECASE),
    re.compile(r"deploy|rollout|flag|feature|config|experiment|variant|canary|colou?r|slot", re.IGNORECASE),
    re.compile(r"instance|pod|host|node|container|machine|server|replica", re.IGNORECASE),
)


class Around(NamedTuple):
    """Requests before a change and after it, by index."""

    since: Since
    before: tuple[int, ...]
    after: tuple[int, ...]


def around(every: Accounts, one: Since, slow: set[int]) -> Around:
    """The requests to read: those right before the change, earlier ones, and those after it; of these the slow ones, if
    some are."""
    kinds = list(every.kinds)
    starts = every.starts_ns
    same = [at for at in every.order() if kinds[every.kind_of[at]].route in one.routes]
    within_ns = (starts[same[-1]] - starts[same[0]]) // PIECES  # the time of the change is not known better
    before = [at for at in same if starts[at] < one.start_ns - within_ns]
    after = [at for at in same if one.start_ns <= starts[at] and (one.end_ns is None or starts[at] <= one.end_ns)]
    after = [at for at in after if at in slow] or after
    return Around(
        since=one,
        before=tuple(sorted({*before[-NEXT:], *before[:: max(len(before) // EARLIER, 1)]})),
        after=tuple([*after[: NEXT // 2], *after[NEXT // 2 :: max(len(after) // NEXT, 1)]][:NEXT]),
    )


def beginning(facts: Facts, one: Around, places: Mapping[int, int]) -> tuple[Value, ...]:
    """The values that nearly all requests after a change have and nearly none before it.

    `places` are those of the requests in `facts`, as far as they could be read.
    """
    then, now = (_read(side, places) for side in (one.before, one.after))
    found: list[tuple[int, float, Value]] = []
    for key in facts.texts:
        able = facts.able(key)
        mine, its = now & able, then & able
        if min(mine.bit_count(), its.bit_count()) < LEAST:
            continue
        for text, having in facts.values(key, LEAST).items():
            if DATE.search(text) is not None:
                continue
            have = bits(having)
            share, old = (have & mine).bit_count() / mine.bit_count(), (have & its).bit_count() / its.bit_count()
            if share >= ALL and old <= NONE:
                found.append((_sort(key[1]), old - share, Value(*key, text)))
    found.sort(key=lambda one: (*one[:2], one[2].order))
    first = {(value.attribute, value.text): value for _, _, value in reversed(found)}  # services begin it together
    return tuple([value for _, _, value in found if first[value.attribute, value.text] is value][:MOST])


def _read(side: Sequence[int], places: Mapping[int, int]) -> int:
    return bits(places[at] for at in side if at in places)


def _sort(attribute: str) -> int:
    return next((at for at, sort in enumerate(SORTS) if sort.search(attribute)), len(SORTS))
