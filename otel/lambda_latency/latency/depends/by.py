"""Requests by the values of one attribute: how many, how long they take, how many are slow, and where the time goes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lambda_latency.latency.accounts.choice import ReportError
from lambda_latency.latency.accounts.totals import at_rank
from lambda_latency.latency.depends.attribute_sets import Facts
from lambda_latency.latency.depends.ranges import value_of_range
from lambda_latency.latency.depends.value import ABSENT, By, ByValue, Value
from lambda_latency.spelling import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lambda_latency.latency.accounts.columns import Accounts
    from lambda_latency.latency.depends.value import ReadSpans

MOST_READ = 100_000  # requests, evenly spaced
MOST_VALUES = 12  # rows; the other values are one row
MOST_PARTS = 3
RANGES = 6
OF_KIND = ("route", "function", "status", "cold start")  # that accounts have without spans
LOOKED_AT = 200  # requests whose attributes are proposed in place of one that no request has


def by_attribute(every: Accounts, slow: Iterable[int], name: str, read: ReadSpans) -> By:
    """The requests by the values of an attribute of any span or resource, or by route, function, status, cold start.

    Numbers with many values are divided into ranges. Raises `ReportError` if no request has the attribute.
    """
    if name in OF_KIND:
        groups = _of_kind(every, name)
        chosen = range(len(every))
    else:
        step = max(-(-len(every) // MOST_READ), 1)
        chosen = range(0, len(every), step)
        groups = _of_spans(every, chosen, name, read)
    late = set(slow)
    ranked = sorted(groups.items(), key=lambda one: (-len(late.intersection(one[1])), -len(one[1]), one[0].order))
    if any(value.text is None for value in groups):
        ranked.sort(key=lambda one: (one[0].text is not None, one[0].low or float("-inf")))
    rest = [at for _, members in ranked[MOST_VALUES:] for at in members]
    rows = [_row(every, value, members, late) for value, members in ranked[:MOST_VALUES]]
    if rest:
        rows.append(_row(every, None, sorted(set(rest)), late))
    return By(name, tuple(rows), len(chosen), len(ranked[MOST_VALUES:]))


def _of_kind(every: Accounts, name: str) -> dict[Value, list[int]]:
    values = [
        Value("", name, {"route": kind.route, "function": kind.function, "status": str(kind.status_code or ""),
                         "cold start": "yes" if kind.cold_start else "no"}[name])
        for kind in every.kinds
    ]  # fmt: skip
    groups: dict[Value, list[int]] = {}
    for at, kind in enumerate(every.kind_of):
        groups.setdefault(values[kind], []).append(at)
    return groups


def _of_spans(every: Accounts, chosen: Sequence[int], name: str, read: ReadSpans) -> dict[Value, list[int]]:
    place_of = {every.trace_id(at): place for place, at in enumerate(chosen)}
    facts = Facts([every.walls_ns[at] for at in chosen], only=name)
    for span in read(place_of.keys()):
        place = place_of.get(span.trace_id)
        if place is not None:
            facts.add(place, span)
    coverage = Counter[tuple[str, str]]()
    for key in sorted({*facts.texts, *facts.numbers}):
        coverage[key] = len(
            {*facts.numbers.get(key, ()), *(at for some in facts.texts.get(key, {}).values() for at in some)}
        )
    if not coverage:
        raise ReportError(f"no span has the attribute {name!r}", _proposed(every, name, read))
    key, _ = max(coverage.items(), key=lambda one: (one[1], one[0]))
    texts = facts.values(key, 1)
    numbers: dict[int, float] = facts.numbers.get(key, {})
    groups: dict[Value, list[int]] = {}
    if len(set(numbers.values())) > MOST_VALUES and facts.has_ranges(key):
        for value, places in _ranges(key, numbers):
            groups[value] = [chosen[place] for place in places]
        having = set(numbers)
    else:
        groups = {Value(*key, text): [chosen[place] for place in sorted(places)] for text, places in texts.items()}
        if not texts:  # numbers that are not whole, of few values
            for place, number in numbers.items():
                groups.setdefault(Value(*key, f"{number:g}"), []).append(chosen[place])
        having = {place for places in texts.values() for place in places} | set(numbers)
    absent = [at for place, at in enumerate(chosen) if place not in having]
    return {**groups, **({Value(*key, ABSENT): absent} if absent else {})}


def _ranges(key: tuple[str, str], numbers: dict[int, float]) -> Iterable[tuple[Value, list[int]]]:
    ordered = sorted(numbers.values())
    distinct = sorted(set(ordered))
    cuts = sorted({ordered[len(ordered) * at // RANGES] for at in range(1, RANGES)} - {distinct[0]})
    for low, high in zip([None, *cuts], [*cuts, None], strict=True):
        places = [at for at, one in sorted(numbers.items())
                  if (low is None or one >= low) and (high is None or one < high)]  # fmt: skip
        yield value_of_range(key, distinct, low if low is not None else distinct[0], high), places


def _row(every: Accounts, value: Value | None, members: Sequence[int], slow: set[int]) -> ByValue:
    walls = sorted([every.walls_ns[at] for at in members])
    sums = every.sums_ns(members)
    most = sorted(sums.items(), key=lambda one: (-one[1], one[0].label))[:MOST_PARTS]
    return ByValue(
        value=value,
        requests=len(members),
        p50_ns=at_rank(walls, 50),
        p95_ns=at_rank(walls, 95),
        slow=sum(at in slow for at in members),
        parts=tuple((part, ns // len(members)) for part, ns in most),
    )


def _proposed(every: Accounts, name: str, read: ReadSpans) -> str:
    step = max(len(every) // LOOKED_AT, 1)
    known = set(OF_KIND)
    for span in read([every.trace_id(at) for at in range(0, len(every), step)]):
        known |= {*span.attributes, *span.resource}
    return did_you_mean(name, sorted(known), f"some that they have: {', '.join(sorted(known)[:8])}")
