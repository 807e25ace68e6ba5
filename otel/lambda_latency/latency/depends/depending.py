"""What slow requests depend on: reads some again, and asks which attribute values set them apart, and since when."""

from __future__ import annotations

from dataclasses import replace
from math import log
from typing import TYPE_CHECKING

from lambda_latency.latency.depends.asking import CHANCE, Asked, candidates, findings
from lambda_latency.latency.depends.attribute_sets import Facts, bits
from lambda_latency.latency.depends.beginning import Around, around, beginning
from lambda_latency.latency.depends.question import sample
from lambda_latency.latency.depends.since import since_of_class, since_of_routes
from lambda_latency.latency.depends.value import NOTHING, Depends, Finding, OfRoutes, Since

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lambda_latency.latency.accounts.columns import Accounts
    from lambda_latency.latency.depends.question import Sample
    from lambda_latency.latency.depends.value import ReadSpans
    from lambda_latency.latency.judge.classes import Classes

__all__ = ["depends"]


def depends(every: Accounts, found: Classes, read: ReadSpans) -> Depends:
    """Ask about each class and about all slow requests of their routes together, and find out since when they are slow.

    Reads some hundred requests; none if no request is slow, and no route became slow.
    """
    of_classes = [since_of_class(every, one) for one in found.found]
    of_routes = [one for one in since_of_routes(every, found.slowness.judged) if not _is_told(one, of_classes)]
    changes: list[Around] = []
    for one, change in zip(found.found, of_classes, strict=True):
        if change is not None and change.kind != "drift":
            changes.append(around(every, change, set(one.members)))
    changes += [around(every, change, set()) for change in of_routes if change.kind != "drift"]
    chosen = sample(every, found)
    wanted = list(dict.fromkeys([*chosen.read, *(at for one in changes for at in (*one.before, *one.after))]))
    if not wanted:
        return replace(NOTHING, since=tuple(of_classes), since_routes=tuple(of_routes))
    facts, places = _facts(every, wanted, read)
    values = {id(one.since): beginning(facts, one, places) for one in changes}
    asked, count = candidates(facts, bits(range(len(chosen.read))))
    told_classes, told_routes = _answers(chosen, facts, asked, count, len(found.found))
    return Depends(
        of_classes=told_classes,
        of_routes=told_routes,
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
    chosen: Sample, facts: Facts, asked: Sequence[Asked], count: int, classes: int
) -> tuple[tuple[tuple[Finding, ...], ...], tuple[OfRoutes, ...]]:
    least = log(max(count * len(chosen.questions), 1) / CHANCE)
    of_classes: list[tuple[Finding, ...]] = [() for _ in range(classes)]
    of_routes: list[OfRoutes] = []
    for question in chosen.questions:
        told = findings(question, asked, facts, least)
        if question.of is not None:
            of_classes[question.of] = tuple(told)
        else:
            known = {one.values for some in of_classes for one in some} | {one.finding.values for one in of_routes}
            of_routes += [OfRoutes(question.routes, one) for one in told if one.values not in known]
    return tuple(of_classes), tuple(of_routes)
