"""Requests by the values of one attribute: how many, how long they take, how many are slow, and where the time goes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from lambda_latency.latency.breakdowns.breakdown import Kind
from lambda_latency.latency.breakdowns.choice import ReportError
from lambda_latency.latency.breakdowns.columns import Breakdowns
from lambda_latency.latency.breakdowns.totals import at_rank
from lambda_latency.latency.correlation.association import ABSENT, By, ByValue, ReadSpans, Value
from lambda_latency.latency.correlation.attribute_sets import AttributeSets, collected
from lambda_latency.latency.correlation.evidence import value_of_range
from lambda_latency.spelling import did_you_mean

MOST_READ = 100_000  # requests, evenly spaced
MOST_VALUES = 12  # values with statistics of their own; the others are taken together
MOST_COMPONENTS = 3
RANGES = 6
# Attributes that breakdowns have without spans, and their texts
OF_KIND: Mapping[str, Callable[[Kind], str]] = {
    "route": lambda kind: kind.route,
    "function": lambda kind: kind.function,
    "status": lambda kind: str(kind.status_code or ""),
    "cold start": lambda kind: "yes" if kind.cold_start else "no",
}
# Requests whose attributes are proposed in place of one that no request has
LOOKED_AT = 200


def by_attribute(breakdowns: Breakdowns, slow: Iterable[int], name: str, read: ReadSpans) -> By:
    """Group requests by an attribute of any span or resource, or by route, function, status or cold start.

    Numbers with many values are divided into ranges. Raises `ReportError` if no request has the attribute.
    """
    if name in OF_KIND:
        groups = _by_kind(breakdowns, name)
        chosen = range(len(breakdowns))
    else:
        step = max(-(-len(breakdowns) // MOST_READ), 1)
        chosen = range(0, len(breakdowns), step)
        groups = _by_span_attribute(breakdowns, chosen, name, read)
    slow_set = set(slow)
    ranked = sorted(
        groups.items(), key=lambda pair: (-len(slow_set.intersection(pair[1])), -len(pair[1]), pair[0].order)
    )
    if any(value.text is None for value in groups):
        ranked.sort(key=lambda pair: (pair[0].text is not None, pair[0].low or float("-inf")))
    spans = [_statistics(breakdowns, value, members, slow_set) for value, members in ranked[:MOST_VALUES]]
    if len(ranked) > MOST_VALUES:
        further = set[int]().union(*(members for _, members in ranked[MOST_VALUES:]))
        spans.append(_statistics(breakdowns, None, sorted(further), slow_set))
    return By(name, tuple(spans), len(chosen), len(ranked[MOST_VALUES:]))


def _by_kind(breakdowns: Breakdowns, name: str) -> dict[Value, list[int]]:
    values = [Value("", name, OF_KIND[name](kind)) for kind in breakdowns.kinds]
    groups: dict[Value, list[int]] = {}
    for index, kind in enumerate(breakdowns.kind_of):
        groups.setdefault(values[kind], []).append(index)
    return groups


def _by_span_attribute(
    breakdowns: Breakdowns, chosen: Sequence[int], name: str, read: ReadSpans
) -> dict[Value, list[int]]:
    """Group requests by the attribute of the service in which most of them have it."""
    attributes, _ = collected(breakdowns, chosen, read, name)
    key = max(attributes.values, key=lambda key: (len(attributes.values[key].present()), key), default=None)
    if key is None:
        raise ReportError(f"no span has the attribute {name!r}", _proposed(breakdowns, name, read))
    places_of = _places_of(attributes, key)
    groups = {value: [chosen[place] for place in places] for value, places in places_of.items()}
    present = set(attributes.values[key].numbers).union(*places_of.values())
    absent = [index for place, index in enumerate(chosen) if place not in present]
    return {**groups, Value(*key, ABSENT): absent} if absent else groups


def _places_of(attributes: AttributeSets, key: tuple[str, str]) -> Mapping[Value, Sequence[int]]:
    """Return the requests with each value of an attribute, numbers with many values in ranges."""
    values = attributes.values[key]
    if len(set(values.numbers.values())) > MOST_VALUES and values.has_ranges():
        return dict(_ranges(key, values.numbers))
    texts = attributes.requests_by_text(key, 1)
    if texts:
        return {Value(*key, text): sorted(places) for text, places in texts.items()}
    by_value: dict[Value, list[int]] = {}
    for place, number in values.numbers.items():  # numbers that are not whole, of few values
        by_value.setdefault(Value(*key, f"{number:.15g}"), []).append(place)
    return by_value


def _ranges(key: tuple[str, str], numbers: dict[int, float]) -> Iterable[tuple[Value, list[int]]]:
    ordered = sorted(numbers.values())
    distinct = sorted(set(ordered))
    cuts = sorted({ordered[len(ordered) * cut // RANGES] for cut in range(1, RANGES)} - {distinct[0]})
    for low, high in zip([distinct[0], *cuts], [*cuts, None], strict=True):
        places = [place for place, number in sorted(numbers.items())
                  if low <= number and (high is None or number < high)]  # fmt: skip
        yield value_of_range(key, distinct, low, high), places


def _statistics(breakdowns: Breakdowns, value: Value | None, members: Sequence[int], slow: set[int]) -> ByValue:
    walls = sorted([breakdowns.walls_ns[index] for index in members])
    sums = sorted(breakdowns.sums_ns(members).items(), key=lambda pair: (-pair[1], pair[0].label))
    return ByValue(
        value=value,
        requests=len(members),
        p50_ns=at_rank(walls, 50),
        p95_ns=at_rank(walls, 95),
        slow=sum(index in slow for index in members),
        components=tuple((component, ns // len(members)) for component, ns in sums[:MOST_COMPONENTS]),
    )


def _proposed(breakdowns: Breakdowns, name: str, read: ReadSpans) -> str:
    step = max(len(breakdowns) // LOOKED_AT, 1)
    names = set(OF_KIND)
    for span in read([breakdowns.trace_id(index) for index in range(0, len(breakdowns), step)]):
        names |= {*span.attributes, *span.resource}
    return did_you_mean(name, sorted(names), f"some that they have: {', '.join(sorted(names)[:8])}")
