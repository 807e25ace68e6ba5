"""What slow requests depend on: reads some again, and finds the attribute values that set them apart, and since when.

Values that begin then are reported too: a version, a deployment, an instance, a flag that is switched on.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import chain, combinations, takewhile
from math import log
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from lambda_latency.latency.analysis.cause_groups import CauseGroups
from lambda_latency.latency.analysis.slowness import PIECES
from lambda_latency.latency.breakdowns.columns import Breakdowns
from lambda_latency.latency.correlation.association import (
    ABSENT,
    Association,
    ChangeAssociation,
    Correlations,
    ReadSpans,
    RouteAssociation,
    Since,
    Value,
)
from lambda_latency.latency.correlation.attribute_sets import AttributeSets, bits, collected
from lambda_latency.latency.correlation.evidence import QUESTIONS, Groups, best_range
from lambda_latency.latency.correlation.question import ChangedRequests, Question, Sample
from lambda_latency.latency.correlation.since import since_of_group, since_of_routes

# Requests that are read right before a change, and after it
NEXT = 50
EARLIER = 30  # of all requests before it
ALL, NONE = 0.9, 0.05  # shares after and before
LEAST = 6  # requests in each group
MOST = 3  # values that are reported
DATE = re.compile(r"\d{4}-\d\d|\d\d:\d\d|\d{9,}")
# Which of the values that begin at one time is the reason, most likely
SORTS = (
    re.compile(r"version|release|build|commit|revision|git|sha\b|image|tag", re.IGNORECASE),
    re.compile(r"deploy|rollout|flag|feature|config|experiment|variant|canary|colou?r|slot", re.IGNORECASE),
    re.compile(r"instance|pod|host|node|container|machine|server|replica", re.IGNORECASE),
)


class Transition(NamedTuple):
    """Requests before a change and after it, by index."""

    since: Since
    earlier: tuple[int, ...]
    later: tuple[int, ...]


def transition(breakdowns: Breakdowns, since: Since, slow: set[int]) -> Transition:
    """Choose the requests to read: those right before the change, earlier ones, and those after it; of these the slow
    ones, if some are."""
    kinds = list(breakdowns.kinds)
    starts = breakdowns.starts_ns
    of_routes = [index for index in breakdowns.order() if kinds[breakdowns.kind_of[index]].route in since.routes]
    within_ns = (starts[of_routes[-1]] - starts[of_routes[0]]) // PIECES  # the time of the change is not known better
    earlier = of_routes[: bisect_left(of_routes, since.start_ns - within_ns, key=starts.__getitem__)]
    end = bisect_right(of_routes, since.end_ns, key=starts.__getitem__) if since.end_ns is not None else None
    later = of_routes[bisect_left(of_routes, since.start_ns, key=starts.__getitem__) : end]
    later = [index for index in later if index in slow] or later
    spaced = range(0, len(earlier), max(len(earlier) // EARLIER, 1))
    adjacent = range(max(len(earlier) - NEXT, 0), len(earlier))
    following = [*range(len(later[: NEXT // 2])), *range(NEXT // 2, len(later), max(len(later) // NEXT, 1))]
    return Transition(
        since=since,
        earlier=tuple(breakdowns.with_spans(earlier, sorted({*adjacent, *spaced}))),
        later=tuple(breakdowns.with_spans(later, following[:NEXT])),
    )


def new_values(attributes: AttributeSets, change: Transition, places: Mapping[int, int]) -> tuple[Value, ...]:
    """Return the values that nearly all requests after a change have and nearly none before it.

    `places` are those of the requests in `attributes`, as far as they could be read.
    """
    earlier, later = _set_of(change.earlier, places), _set_of(change.later, places)
    ranked: list[tuple[int, float, Value]] = []
    for key in attributes.values:
        eligible = attributes.eligible(key)
        old, new = earlier & eligible, later & eligible
        if min(new.bit_count(), old.bit_count()) < LEAST:
            continue
        for text, having in attributes.requests_by_text(key, LEAST).items():
            holders = bits(having)
            share = (holders & new).bit_count() / new.bit_count()
            old_share = (holders & old).bit_count() / old.bit_count()
            if share >= ALL and old_share <= NONE and DATE.search(text) is None:
                ranked.append((_sort(key[1]), old_share - share, Value(*key, text)))
    ranked.sort(key=lambda candidate: (*candidate[:2], candidate[2].order))
    return tuple(_distinct(value for _, _, value in ranked).values())[:MOST]


def _distinct(values: Iterable[Value]) -> dict[tuple[str, str | None], Value]:
    """The first value of each attribute and text: spans of several services may have the same value."""
    distinct: dict[tuple[str, str | None], Value] = {}
    for value in values:
        distinct.setdefault((value.attribute, value.text), value)
    return distinct


def _set_of(indices: Sequence[int], places: Mapping[int, int]) -> int:
    return bits(places[index] for index in indices if index in places)


def _sort(attribute: str) -> int:
    return next((number for number, sort in enumerate(SORTS) if sort.search(attribute)), len(SORTS))


def correlations(
    breakdowns: Breakdowns, groups: CauseGroups, read: ReadSpans, changes: Sequence[ChangedRequests] = ()
) -> Correlations:
    """Ask about each cause group, about all slow requests of their routes together, and about the requests of each
    change; and find out since when requests are slow.

    Reads some hundred requests; none if no request is slow, no route became slow, and nothing changed.
    """
    of_groups = [since_of_group(breakdowns, group) for group in groups.groups]
    of_routes = since_of_routes(breakdowns, groups.slowness.comparable)
    of_routes = [since for since in of_routes if not _is_reported(since, of_groups)]
    transitions = list(_transitions(breakdowns, groups, of_groups, of_routes))
    sample = Sample(breakdowns, groups, changes)
    around = chain.from_iterable((*change.earlier, *change.later) for change in transitions)
    indices = list(dict.fromkeys(chain(sample.read, around)))
    if not indices:
        return Correlations(since=tuple(of_groups), since_routes=tuple(of_routes))
    attributes, places = collected(breakdowns, indices, read)
    values = {id(change.since): new_values(attributes, change, places) for change in transitions}

    def with_values(since: Since) -> Since:
        return replace(since, values=values.get(id(since), ()))

    questions = sample.questions()
    tested, count = candidates(attributes, bits(range(len(sample.read))))
    count *= len(questions)
    least = log(max(count, 1) / CHANCE)
    answers = [(question, findings(question, tested, attributes, least)) for question in questions]
    return replace(
        _reported(answers, changes, len(of_groups)),
        since=tuple(since and with_values(since) for since in of_groups),
        since_routes=tuple(map(with_values, of_routes)),
        tested=count,
        read=len(places),
    )


def _is_reported(since: Since, of_groups: Iterable[Since | None]) -> bool:
    """Whether a cause group says since when a route is slow."""
    of_edge = [group for group in of_groups if group is not None and group.edge == since.edge]
    return any(set(since.routes) <= set(group.routes) for group in of_edge)


def _transitions(
    breakdowns: Breakdowns, groups: CauseGroups, of_groups: Sequence[Since | None], of_routes: Sequence[Since]
) -> Iterator[Transition]:
    slow = [set(group.members) for group in groups.groups] + [set[int]() for _ in of_routes]
    for since, members in zip([*of_groups, *of_routes], slow, strict=True):
        if since is not None and since.kind != "drift":
            yield transition(breakdowns, since, members)


def _reported(
    answers: Iterable[tuple[Question, list[Association]]], changes: Sequence[ChangedRequests], groups: int
) -> Correlations:
    """Report the findings about so many cause groups, about routes and about changes, each finding once."""
    of_groups: list[tuple[Association, ...]] = [()] * groups
    of_routes: list[RouteAssociation] = []
    of_changes: list[ChangeAssociation] = []
    reported, reported_of_changes = set[tuple[Value, ...]](), set[tuple[Value, ...]]()
    for question, answer in answers:
        earlier = reported if question.change is None else reported_of_changes
        new = [finding for finding in answer if finding.values not in earlier]
        earlier.update(finding.values for finding in answer)
        if question.cause_group is not None:
            of_groups[question.cause_group] = tuple(answer)
        elif question.change is not None:
            change = changes[question.change]
            of_changes += [ChangeAssociation(finding, change.edge, change.callee, change.lacks) for finding in new]
        else:
            of_routes += [RouteAssociation(question.routes, finding) for finding in new]
    return Correlations(tuple(of_groups), tuple(of_routes), tuple(of_changes))


CHANCE = 0.001  # of any false finding in a report
LEAST_SLOW = 4  # slow requests with a value
# The share of slow requests with a value must be larger by this, or so many times as large:
LEAST_MORE = 0.15
LEAST_TIMES = 5
MOST_FINDINGS = 3  # of a question
MOST_PAIRED = 12  # values that are tried together
FEW_NATS = 3.0  # of a value that is worth a second look
# Two values of this share of requests, together, are reported as the same
SAME = 0.9
LEAST_NUMBERS = 8  # requests with a number
# Of each of two values among the requests that have the other one
TOGETHER_NATS = 7.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """Values that may set requests apart, the requests that have them (`holders`), and those that may have them."""

    values: tuple[Value, ...]
    holders: int
    eligible: int

    @property
    def attributes(self) -> set[tuple[str, str]]:
        """The services and the attributes of the values."""
        return {(value.service, value.attribute) for value in self.values}


GroupsOf: TypeAlias = "Callable[[int], Groups]"  # of a question, by the requests that are eligible to have a value


class _Scored(NamedTuple):
    nats: float
    candidate: Candidate


def candidates(attributes: AttributeSets, everyone: int) -> tuple[list[Candidate], int]:
    """Return all values that may set the requests of a sample apart, and the number of tests, of ranges too."""
    tested: list[Candidate] = []
    of_ranges = 0
    for key, values in sorted(attributes.values.items(), key=itemgetter(0)):
        if values.is_duration():
            continue
        eligible = attributes.eligible(key) & everyone
        for text, places in attributes.requests_by_text(key, LEAST_SLOW).items():
            tested.append(Candidate((Value(*key, text),), bits(places), eligible))
        absent = eligible & ~bits(values.present())
        if absent.bit_count() >= LEAST_SLOW:
            tested.append(Candidate((Value(*key, ABSENT),), absent, eligible))
        if values.has_ranges():
            of_ranges += QUESTIONS
    return tested, len(tested) + of_ranges


def findings(
    question: Question, tested: Sequence[Candidate], attributes: AttributeSets, least: float
) -> list[Association]:
    """Return what sets the slow requests apart, the surest first. `least`: the nats that make a finding."""
    groups_of: GroupsOf = cache(partial(Groups, question))
    nats_of = ((_nats(groups_of(candidate.eligible), candidate.holders), candidate) for candidate in tested)
    scored = [_Scored(nats, candidate) for nats, candidate in nats_of if nats >= FEW_NATS]
    scored += _ranges(attributes, groups_of)
    scored.sort(key=_surest_first)
    scored += _pairs(scored, groups_of)
    scored.sort(key=_surest_first)
    distinct = _reportable(scored, groups_of, least)
    return [_finding(score, repeated, groups_of(score.candidate.eligible)) for score, repeated in distinct]


def _reportable(scored: Sequence[_Scored], groups_of: GroupsOf, least: float) -> list[tuple[_Scored, list[Value]]]:
    """The values that each add something to surer ones, with other values of the same requests."""
    reported: list[tuple[_Scored, list[Value]]] = []
    for score in takewhile(lambda score: score.nats >= least, scored):
        candidate, groups = score.candidate, groups_of(score.candidate.eligible)
        likely = score.nats * min(2 * groups.scatter(candidate.holders), 1)
        if likely < least or not _is_felt(groups, candidate.holders):
            continue
        surer = next((pair for pair in reported if _repeats(candidate, pair[0].candidate, groups, least)), None)
        if surer is None and len(reported) < MOST_FINDINGS:
            reported.append((score, []))
        elif surer is not None and _is_same(candidate, surer[0].candidate, groups):
            surer[1].extend(candidate.values)
    return reported


def _surest_first(score: _Scored) -> tuple[float, int, list[tuple[str, str, bool, str, float]]]:
    values = score.candidate.values
    return -round(score.nats, 6), len(values), [value.order for value in values]


def _nats(groups: Groups, holders: int) -> float:
    """The nats of a value; 0 if few slow requests have it or a first look says that it is no reason."""
    if groups.tally(holders)[0] < LEAST_SLOW or groups.rough_nats(holders) < FEW_NATS:
        return 0.0
    return groups.nats(holders)


def _is_felt(groups: Groups, holders: int) -> bool:
    """Whether the difference of the shares is worth reporting, however sure it is."""
    slow, controls = groups.tally(holders)
    share, control_share = slow / max(groups.counts[0], 1), controls / max(groups.counts[1], 1)
    return share - control_share >= LEAST_MORE or share >= LEAST_TIMES * ((controls + 0.5) / (groups.counts[1] + 1))


def _repeats(candidate: Candidate, surer: Candidate, groups: Groups, least: float) -> bool:
    """Whether a value adds nothing to a surer one: it sets nothing apart among those that have that one or not."""
    if candidate.attributes & surer.attributes:
        return True
    return groups.nats(candidate.holders, within=(surer.holders, ~surer.holders)) < least


def _is_same(candidate: Candidate, surer: Candidate, groups: Groups) -> bool:
    if candidate.attributes & surer.attributes or len(candidate.values) > 1:
        return False
    inside = groups.slow | groups.controls
    holders, surer_holders = candidate.holders & inside, surer.holders & inside
    return (holders & surer_holders).bit_count() >= SAME * (holders | surer_holders).bit_count()


def _finding(score: _Scored, repeated: Sequence[Value], groups: Groups) -> Association:
    """The finding with other values of the same requests."""
    values, (slow, controls) = score.candidate.values, groups.tally(score.candidate.holders)
    named = _distinct(values)
    repeated = [value for key, value in _distinct(repeated).items() if key not in named]
    return Association(values, (slow, groups.counts[0]), (controls, groups.counts[1]), score.nats, tuple(repeated))


def _pairs(scored: Sequence[_Scored], groups_of: GroupsOf) -> Iterator[_Scored]:
    """Yield two values together, where each of them sets requests apart among those that have the other one."""
    margin = log(MOST_PAIRED * (MOST_PAIRED - 1) / 2)
    singles = [score for score in scored[:MOST_PAIRED] if len(score.candidate.values) == 1]
    for (nats_a, a), (nats_b, b) in combinations(singles, 2):
        if a.attributes == b.attributes:
            continue
        both = Candidate((*a.values, *b.values), a.holders & b.holders, a.eligible & b.eligible)
        groups = groups_of(both.eligible)
        nats = _nats(groups, both.holders) - margin
        if nats <= max(nats_a, nats_b) or not _is_felt(groups, both.holders):
            continue
        b_among_a = groups.nats(b.holders, within=(a.holders,))
        if min(b_among_a, groups.nats(a.holders, within=(b.holders,))) >= TOGETHER_NATS:
            yield _Scored(nats, both)


def _ranges(attributes: AttributeSets, groups_of: GroupsOf) -> Iterator[_Scored]:
    """Yield the range of each attribute with numbers that sets the slow requests apart most, if any does."""
    for key, values in attributes.values.items():
        if not values.has_ranges():
            continue
        eligible = attributes.eligible(key)
        groups = groups_of(eligible)
        both = groups.slow | groups.controls
        numbered = sorted([(number, place) for place, number in values.numbers.items() if both >> place & 1])
        best = best_range(key, numbered, groups, FEW_NATS) if len(numbered) >= LEAST_NUMBERS else None
        if best is not None and (nats := _nats(groups, best[1])) >= FEW_NATS:
            yield _Scored(nats, Candidate((best[0],), best[1], eligible))
