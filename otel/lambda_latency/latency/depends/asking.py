"""Asks which values set the slow requests of a question apart; chance is controlled over everything that is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import log
from typing import TYPE_CHECKING, NamedTuple

from lambda_latency.latency.depends.attribute_sets import Facts, bits
from lambda_latency.latency.depends.evidence import Sides
from lambda_latency.latency.depends.ranges import QUESTIONS, best_range
from lambda_latency.latency.depends.value import ABSENT, Finding, Value

if TYPE_CHECKING:
    from lambda_latency.latency.depends.question import Question

CHANCE = 0.001  # of any false finding in a report
LEAST_SEEN = 4  # slow requests with a value
LEAST_MORE = 0.15  # the share of slow requests with a value must be larger by this, or so many times as large:
LEAST_TIMES = 5
MOST_TOLD = 3  # findings of a question
MOST_PAIRED = 12  # values that are tried together
FEW_NATS = 3.0  # of a value that is worth a second look
SAME = 0.9  # two values of this share of requests, together, are told as the same
LEAST_NUMBERS = 8  # requests with a number
TOGETHER_NATS = 7.0  # of each of two values among the requests that have the other one


@dataclass(frozen=True, slots=True)
class Asked:
    """Something that may set requests apart: values, the requests that have them, and those that may have them."""

    values: tuple[Value, ...]
    have: int
    able: int


class _Found(NamedTuple):
    nats: float
    asked: Asked


def candidates(facts: Facts, everyone: int) -> tuple[list[Asked], int]:
    """Everything that is asked about the requests of a sample, and how many questions that is."""
    found: list[Asked] = []
    count = 0
    for key in sorted({*facts.texts, *facts.numbers}):
        able = facts.able(key) & everyone
        if facts.is_duration(key):
            continue
        present = bits({place for places in facts.texts.get(key, {}).values() for place in places})
        for text, places in facts.values(key, LEAST_SEEN).items():
            found.append(Asked((Value(*key, text),), bits(places), able))
            count += 1
        present |= bits(facts.numbers.get(key, ()))
        if (able & ~present).bit_count() >= LEAST_SEEN:
            found.append(Asked((Value(*key, ABSENT),), able & ~present, able))
            count += 1
        if facts.has_ranges(key):
            count += QUESTIONS
    return found, count


def findings(question: Question, asked: Sequence[Asked], facts: Facts, least: float) -> list[Finding]:
    """What sets the slow requests apart, the surest first. `least`: the nats that make a finding."""
    sides_of = _Sides(question)
    found = [_Found(nats, one) for one in asked if (nats := _nats(sides_of(one.able), one.have)) >= FEW_NATS]
    found += _ranges(facts, sides_of)
    found.sort(key=_surest_first)
    found += _pairs(found, sides_of)
    found.sort(key=_surest_first)
    told: list[Finding] = []
    known: list[tuple[Asked, list[Value]]] = []
    for nats, one in found:
        if nats < least:
            break
        sides = sides_of(one.able)
        if not _is_felt(sides, one.have) or nats * min(2 * sides.scatter(one.have), 1) < least:
            continue
        repeated = next((each for each in known if _repeats(one, each[0], sides, least)), None)
        if repeated is not None:
            if _is_same(one, repeated[0], sides):
                repeated[1].extend(one.values)
            continue
        if len(known) < MOST_TOLD:
            known.append((one, []))
            told.append(_finding(nats, one, sides))
    return [_with_same(one, same) for one, (_, same) in zip(told, known, strict=True)]


class _Sides(dict[int, Sides]):
    """The sides of a question by the requests that are able to have a value."""

    def __init__(self, question: Question) -> None:
        self._question = question

    def __missing__(self, able: int) -> Sides:
        self[able] = found = Sides(self._question, able)
        return found

    __call__ = dict.__getitem__


def _surest_first(one: _Found) -> tuple[float, int, list[tuple[str, str, bool, str, float]]]:
    return -round(one.nats, 6), len(one.asked.values), [value.order for value in one.asked.values]


def _nats(sides: Sides, have: int) -> float:
    """The nats of a value; 0 if few slow requests have it or a first look says that it is no reason."""
    if sides.tally(have)[0] < LEAST_SEEN or sides.rough_nats(have) < FEW_NATS:
        return 0.0
    return sides.nats(have)


def _is_felt(sides: Sides, have: int) -> bool:
    """Whether the difference of the shares is worth telling, however sure it is."""
    slow, others = sides.tally(have)
    mine, its = slow / max(sides.counts[0], 1), (others + 0.5) / (sides.counts[1] + 1)
    return mine - others / max(sides.counts[1], 1) >= LEAST_MORE or mine >= LEAST_TIMES * its


def _repeats(one: Asked, known: Asked, sides: Sides, least: float) -> bool:
    """Whether a value says nothing beside one that is known: it sets nothing apart among those that have it or not."""
    if set(one.values) & set(known.values) or {_key(value) for value in one.values} & set(map(_key, known.values)):
        return True
    return sides.nats(one.have, within=(known.have, ~known.have)) < least


def _key(value: Value) -> tuple[str, str]:
    return value.service, value.attribute


def _is_same(one: Asked, known: Asked, sides: Sides) -> bool:
    if {_key(value) for value in one.values} & set(map(_key, known.values)) or len(one.values) > 1:
        return False
    inside = sides.slow | sides.others
    mine, its = one.have & inside, known.have & inside
    return (mine & its).bit_count() >= SAME * (mine | its).bit_count()


def _finding(nats: float, one: Asked, sides: Sides) -> Finding:
    slow, others = sides.tally(one.have)
    return Finding(one.values, (slow, sides.counts[0]), (others, sides.counts[1]), nats)


def _with_same(one: Finding, same: Sequence[Value]) -> Finding:
    """The finding with other values of the same requests. Spans of several services may have the same value."""
    told = {(value.attribute, value.text) for value in one.values}
    others = {(value.attribute, value.text): value for value in reversed(same)}
    kept = tuple([value for value in same if others.get((value.attribute, value.text)) is value])
    return replace(one, same=tuple([value for value in kept if (value.attribute, value.text) not in told]))


def _pairs(found: Sequence[_Found], sides_of: _Sides) -> Iterator[_Found]:
    """Two values together, where each of them sets requests apart among those that have the other one."""
    margin = log(MOST_PAIRED * (MOST_PAIRED - 1) / 2)
    for first, second in combinations([one for one in found[:MOST_PAIRED] if len(one.asked.values) == 1], 2):
        a, b = first.asked, second.asked
        if _key(a.values[0]) == _key(b.values[0]):
            continue
        both = Asked((*a.values, *b.values), a.have & b.have, a.able & b.able)
        sides = sides_of(both.able)
        nats = _nats(sides, both.have) - margin
        if nats <= max(first.nats, second.nats) or not _is_felt(sides, both.have):
            continue
        if min(sides.nats(b.have, within=(a.have,)), sides.nats(a.have, within=(b.have,))) >= TOGETHER_NATS:
            yield _Found(nats, both)


def _ranges(facts: Facts, sides_of: _Sides) -> Iterator[_Found]:
    """The range of each attribute with numbers that sets the slow requests apart most, if any does."""
    for key, numbers in facts.numbers.items():
        if not facts.has_ranges(key):
            continue
        able = facts.able(key)
        sides = sides_of(able)
        both = sides.slow | sides.others
        known = sorted([(number, place) for place, number in numbers.items() if both >> place & 1])
        best = best_range(key, known, sides, FEW_NATS) if len(known) >= LEAST_NUMBERS else None
        if best is not None and (nats := _nats(sides, best[1])) >= FEW_NATS:
            yield _Found(nats, Asked((best[0],), best[1], able))
