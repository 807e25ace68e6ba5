"""The attributes of some requests, from all spans and resources, as sets of requests by value.

A set of requests is an integer: bit `n` stands for the n-th request.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

from lambda_latency.latency.depends.keys import is_asked
from lambda_latency.runtime.redact import REDACTED, SECRET, clean, secrecy

if TYPE_CHECKING:
    from lambda_latency.trace import Span

Key: TypeAlias = tuple[str, str]  # a service and an attribute
Carrier: TypeAlias = tuple[str, ...]  # a service, and the kind and the name of a span of it; or a service's resource

LONGEST = 120  # characters of a value
MOST_OF_LIST = 16  # values of a list
DEEPEST = 3  # mappings inside of mappings
UNITS = (1, 1_000, 1_000_000, 1_000_000_000)  # of a duration, in nanoseconds
NEAR = 0.02  # a number is a duration if it is that of its span or its request, give or take this share
NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,9})?\Z")
VARYING = re.compile(r"\d+|\b[0-9a-f]{8,}\b")
PARAMETER = re.compile(r"\{([^{}/]+)\}|(?<=/):(\w+)|<(?:\w+:)?(\w+)>")
DERIVED = ("{", "?")  # the first letter of parameters of routes and queries, which are parts of an attribute
PATHS = ("url.path", "http.target", "url.full", "http.url", "http.path")
QUERIES = ("url.query", "http.target", "url.full", "http.url")


def bits(places: Iterable[int]) -> int:
    """A set of requests as an integer."""
    found = 0
    for place in places:
        found |= 1 << place
    return found


def without_secrets(attribute: str, text: str) -> str:
    """The text of a value as it may be told."""
    name = attribute.rpartition(".")[2] if attribute.startswith("http.re") else attribute.lstrip("?{").rstrip("}")
    return REDACTED if secrecy(name) == SECRET else clean(text, ())


class Facts:
    """Collects the attributes of requests. `walls_ns` are the durations of the requests, in their order.

    `only`: of one attribute, whatever it tells.
    """

    def __init__(self, walls_ns: Sequence[int], only: str = "") -> None:
        self._walls_ns, self._only = walls_ns, only
        self.texts: defaultdict[Key, defaultdict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
        self.numbers: defaultdict[Key, dict[int, float]] = defaultdict(dict)
        self._durations: defaultdict[Key, set[int]] = defaultdict(set)
        self._carriers: defaultdict[Carrier, set[int]] = defaultdict(set)
        self._carried: defaultdict[Key, set[Carrier]] = defaultdict(set)
        self._able: dict[frozenset[Carrier], int] = {}
        self._textual: defaultdict[Key, set[int]] = defaultdict(set)  # requests with a text that is no number
        self._resource: tuple[int, object] = (-1, None)

    def add(self, place: int, span: Span) -> None:
        """Add a span of the request at this place."""
        resource = span.resource
        service = str(resource.get("service.name", ""))
        carrier = (service, span.kind.name, VARYING.sub("#", span.name))
        self._carriers[carrier].add(place)
        took_ns = (span.end_ns or span.start_ns) - span.start_ns
        if span.attributes:
            self._add(place, service, carrier, span.attributes, took_ns)
        if self._resource[0] != place or self._resource[1] is not resource:
            self._resource = (place, resource)
            self._carriers[service,].add(place)
            self._add(place, service, (service,), resource, 0)

    def values(self, key: Key, least: int) -> dict[str, set[int]]:
        """The requests with each text of an attribute, secrets redacted; texts of fewer than `least` are absent.

        Different texts may become one: their requests are counted together.
        """
        found: dict[str, set[int]] = {}
        for text, places in self.texts.get(key, {}).items():
            if len(places) >= least:
                found.setdefault(without_secrets(key[1], text), set()).update(places)
        return found

    def able(self, key: Key) -> int:
        """The requests that have a span that may carry the attribute: one of a service, kind and name that does."""
        carriers = frozenset(self._carried[key])
        found = self._able.get(carriers)
        if found is None:
            found = self._able[carriers] = bits({place for one in carriers for place in self._carriers[one]})
        return found

    def is_duration(self, key: Key) -> bool:
        """Whether the values of an attribute are the durations of its spans or of the requests."""
        numbers = self.numbers.get(key, {})
        return 2 * len(self._durations.get(key, ())) > len(numbers) > 0

    def has_ranges(self, key: Key) -> bool:
        """Whether an attribute has numbers, and not mostly texts."""
        numbers = self.numbers.get(key, {})
        if 2 * len(numbers) < len(self._textual.get(key, ())):
            return False
        return bool(numbers) and not self.is_duration(key)

    def _add(self, place: int, service: str, carrier: Carrier, attributes: Mapping[str, object], took_ns: int) -> None:
        only = self._only
        if only and only in attributes:
            items: Iterable[tuple[str, object]] = [(only, attributes[only])]
        elif only and not only.startswith(DERIVED):
            return
        else:
            items = (*attributes.items(), *_parameters(attributes))
        for name, value in items:
            if name != only if only else not _is_asked(name):
                continue
            for attribute, one in _flat(name, value):
                key = service, attribute
                self._carried[key].add(carrier)
                if one is True or one is False:
                    self.texts[key]["true" if one else "false"].add(place)
                elif isinstance(one, str):
                    self.texts[key][one[:LONGEST]].add(place)
                    if NUMBER.match(one):
                        self._number(place, key, float(one), took_ns)
                    else:
                        self._textual[key].add(place)
                else:
                    if isinstance(one, int):
                        self.texts[key][str(one)].add(place)
                    self._number(place, key, float(one), took_ns)

    def _number(self, place: int, key: Key, number: float, took_ns: int) -> None:
        numbers = self.numbers[key]
        numbers[place] = max(number, numbers.get(place, number))
        for ns in (took_ns, self._walls_ns[place]):
            if ns and any(abs(number * unit - ns) <= NEAR * ns for unit in UNITS):
                self._durations[key].add(place)


_is_asked = lru_cache(maxsize=4096)(is_asked)


def _flat(name: str, value: object, depth: int = 0) -> Iterator[tuple[str, str | bool | int | float]]:
    """The single values of an attribute: each of a list, and those of a mapping under longer names."""
    if isinstance(value, str | bool | int | float):
        if value == value and value not in ("", float("inf"), float("-inf")):
            yield name, value
    elif isinstance(value, Mapping):
        if depth < DEEPEST:
            for key, one in value.items():
                yield from _flat(f"{name}.{key}", one, depth + 1)
    elif isinstance(value, tuple):
        for one in value[:MOST_OF_LIST]:
            yield from _flat(name, one, depth + 1)


def _parameters(attributes: Mapping[str, object]) -> list[tuple[str, str]]:
    """The parameters in the path of a route, as `{name}`, and those of its query, as `?name`."""
    route = attributes.get("http.route")
    found: list[tuple[str, str]] = []
    if isinstance(route, str) and PARAMETER.search(route) is not None:
        path = next((str(attributes[key]) for key in PATHS if attributes.get(key)), "")
        found += _of_route(route, path) if path else []
    query = next((str(attributes[key]) for key in QUERIES if attributes.get(key)), "")
    if "=" in query:
        asked = query.partition("?")[2] if "?" in query or "/" in query else query
        try:
            found += [(f"?{name}", value) for name, value in parse_qsl(asked, max_num_fields=MOST_OF_LIST)]
        except ValueError:  # more fields
            return found
    return found


def _of_route(route: str, path: str) -> list[tuple[str, str]]:
    try:
        path = urlsplit(path).path
    except ValueError:
        return []
    matched = _pattern(route).search(path)
    names = [next(filter(None, one)) for one in PARAMETER.findall(route)]
    if matched is None:
        return []
    return [(f"{{{name}}}", unquote(value)) for name, value in zip(names, matched.groups(), strict=True) if value]


@lru_cache(maxsize=256)
def _pattern(route: str) -> re.Pattern[str]:
    parts: list[str] = []
    end = 0
    for one in PARAMETER.finditer(route):
        rest = ".+" if one[0].startswith("{") and one[0].endswith("+}") else "[^/]+"
        parts += [re.escape(route[end : one.start()]), f"({rest})"]
        end = one.end()
    return re.compile("".join([*parts, re.escape(route[end:])]) + r"/?\Z")
