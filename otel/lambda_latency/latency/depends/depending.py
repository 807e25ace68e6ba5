"""What slow requests depend on: reads some again, and asks which attribute values set them apart, and since when.

What begins then is told too: a version, a deployment, an instance, a flag that is switched on.
"""

from __future__ import annotations

import re
from dataclasses import replace
from math import log
from typing import TYPE_CHECKING, NamedTuple

from lambda_latency.latency.depends.asking import CHANCE, Asked, candidates, findings
from lambda_latency.latency.depends.attribute_sets import Facts, bits
from lambda_latency.latency.depends.question import sample
from lambda_latency.latency.depends.since import since_of_class, since_of_routes
from lambda_latency.latency.depends.value import NOTHING, Depends, Finding, OfChange, OfRoutes, Since, Value
from lambda_latency.latency.judge.slowness import PIECES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lambda_latency.latency.accounts.columns import Accounts
    from lambda_latency.latency.depends.changes import ChangedRequests
    from lambda_latency.latency.depends.question import Sample
    from lambda_latency.latency.depends.value import ReadSpans
    from lambda_latency.latency.judge.classes import Classes

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


def depends(every: Accounts, found: Classes, read: ReadSpans, changes: Sequence[ChangedRequests] = ()) -> Depends:
    """Ask about each class, about all slow requests of their routes together, and about the requests of each change;
    and find out since when requests are slow.

    Reads some hundred requests; none if no request is slow, no route became slow, and nothing changed.
    """
    of_classes = [since_of_class(every, one) for one in found.found]
    of_routes = [one for one in since_of_routes(every, found.slowness.judged) if not _is_told(one, of_classes)]
    begun: list[Around] = []
    for one, change in zip(found.found, of_classes, strict=True):
        if change is not None and change.kind != "drift":
            begun.append(around(every, change, set(one.members)))
    begun += [around(every, change, set()) for change in of_routes if change.kind != "drift"]
    chosen = sample(every, found, changes)
    wanted = list(dict.fromkeys([*chosen.read, *(at for one in begun for at in (*one.before, *one.after))]))
    if not wanted:
        return replace(NOTHING, since=tuple(of_classes), since_routes=tuple(of_routes))
    facts, places = _facts(every, wanted, read)
    values = {id(one.since): beginning(facts, one, places) for one in begun}
    asked, count = candidates(facts, bits(range(len(chosen.read))))
    told_classes, told_routes, told_changes = _answers(chosen, facts, asked, count, len(found.found), changes)
    return Depends(
        of_classes=told_classes,
        of_routes=told_routes,
        of_changes=told_changes,
        since=tuple(one and replace(one, values=values.get(id(one), ())) for one in of_classes),
        since_routes=tuple(replace(one, values=values.get(id(one), ())) for one in of_routes),
        asked=count * len(chosen.questions),
        read=len(places),
    )


def _is_told(one: Since, of_classes: Iterable[Since | None]) -> bool:
    """Whether a class says since when a route is slow."""
    return any(other is not None and set(one.routes) <= set(other.routes) and one.cell == other.cell
               for other in of_classes)  # fmt: skip


def _facts(every: Accounts, wanted: Sequence[int], read: ReadSpans) -> tuple[Facts, dict[int, int]]:
    """The attributes of requests by their places in `wanted`, and the places of those that could be read."""
    place_of = {every.trace_id(at): place for place, at in enumerate(wanted)}
    facts = Facts([every.walls_ns[at] for at in wanted])
    seen: set[int] = set()
    for span in read(place_of.keys()):
        place = place_of.get(span.trace_id)
        if place is not None:
            seen.add(place)
            facts.add(place, span)
    return facts, {wanted[place]: place for place in seen}


def _answers(
    chosen: Sample, facts: Facts, asked: Sequence[Asked], count: int, classes: int, changes: Sequence[ChangedRequests]
) -> tuple[tuple[tuple[Finding, ...], ...], tuple[OfRoutes, ...], tuple[OfChange, ...]]:
    least = log(max(count * len(chosen.questions), 1) / CHANCE)
    of_classes: list[tuple[Finding, ...]] = [() for _ in range(classes)]
    of_routes: list[OfRoutes] = []
    of_changes: list[OfChange] = []
    for question in chosen.questions:
        told = findings(question, asked, facts, least)
        if question.of is not None:
            of_classes[question.of] = tuple(told)
        elif question.change is not None:
            one = changes[question.change]
            values = {each.finding.values for each in of_changes}
            new = [each for each in told if each.values not in values]
            of_changes += [OfChange(each, one.cell, one.callee, one.lacks) for each in new]
        else:
            known = {one.values for some in of_classes for one in some} | {one.finding.values for one in of_routes}
            of_routes += [OfRoutes(question.routes, one) for one in told if one.values not in known]
    return tuple(of_classes), tuple(of_routes), tuple(of_changes)
