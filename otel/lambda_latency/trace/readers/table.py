"""The table of shapes: readers find the shape of a span by numbers that represent its attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lambda_latency.trace.model.keys import READ, ROUTE, read_resource, reduced
from lambda_latency.trace.model.platform import READ_NAMES
from lambda_latency.trace.model.shape import Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lambda_latency.trace.model.span import SpanKind, Status

MOST_VALUES = 4096  # encoded values of one attribute, whose numbers are cached
MOST_SHAPES = 20_000  # and numbers: an attribute with more values than this holds ids
MOST_GROUPS = 4096


class Values(dict[Any, int]):
    """The numbers of the values of one attribute, by the encoded value of a format: most values repeat.

    `decode` turns an encoded value into a value. A value that it cannot decode counts as None.
    """

    def __init__(self, table: ShapeTable, key: str, decode: Callable[[Any], object]) -> None:
        self._table, self._key, self._decode = table, key, decode

    def __missing__(self, written: Any) -> int:
        try:
            value = self._decode(written)
        except (ValueError, TypeError, AttributeError, RecursionError):
            value = None
        number = self._table.number(self._key, value)
        if len(self) >= MOST_VALUES:
            self.clear()
        self[written] = number
        return number


class About(NamedTuple):
    """What a shape needs of a span beside its attributes. `attempts`: its events show how its call was retried."""

    name: str
    scope: str
    kind: SpanKind
    status: Status
    remote: bool | None
    codes: frozenset[str]
    attempts: bool


class Group(NamedTuple):
    """A scope's name and the part of a resource that rules read, with the shapes of their spans.

    `shapes` finds a shape by the key of a reader; by the span's name and the key if rules read the name. `known` finds
    it by its content, which does not depend on the reader.
    """

    scope: str
    resource: Mapping[str, object]
    shapes: dict[tuple[Any, ...], Shape]
    known: dict[tuple[Any, ...], Shape]


class ShapeTable:
    """Finds the shape of a span. `routes` has the text of each route by its number, which is negative."""

    def __init__(self) -> None:
        self._groups: dict[tuple[Any, ...], Group] = {}
        self._numbers: dict[tuple[str, type, object], int] = {}
        self._facts: list[tuple[str, object]] = []  # the key and the value of each number
        self._spellings: list[Values] = []
        self._shapes = 0
        self.written: dict[object, Group] = {}  # groups by their encoded resource and scope
        self.routes: dict[int, str] = {}

    def values(self, decode: Callable[[Any], object]) -> dict[str, Values]:
        """Empty caches of numbers for one encoding, by key: for the attributes that rules read."""
        found = {key: Values(self, key, decode) for key in READ}
        self._spellings += found.values()
        return found

    def group(self, scope: str, resource: Mapping[str, object]) -> Group:
        """The group of a scope's name and of the attributes of a resource that rules read."""
        read = read_resource(resource)
        key = (scope, *((name, repr(value)) for name, value in read.items()))
        found = self._groups.get(key)
        if found is None:
            found = self._groups[key] = Group(scope, read, {}, {})
        return found

    def find(self, group: Group, key: tuple[Any, ...], numbers: Sequence[int], about: About) -> Shape:
        """The shape of a span that `group.shapes` has neither under `key` nor under the span's name and `key`.

        `numbers` are the numbers of its attributes in their order; if an attribute occurs twice, the last value counts.
        `group.shapes` gets the shape unless an attribute occurs twice, because a key does not keep their order. A key
        must contain the name of the span if rules read it.
        """
        last = {self._facts[number][0]: number for number in numbers if number >= 0}
        counted = sorted(number for name, number in last.items() if name in READ)
        content = (*about[1:], *counted)
        shape = group.known.get(content) if about.name not in READ_NAMES else None
        if shape is None or shape.by_name:
            shape = group.known.get((about.name, content))
        if shape is None:
            values = dict(self._facts[number] for number in counted)
            name, scope, kind, status, remote, codes, attempts = about
            shape = Shape(name, kind, status, remote, scope, group.resource, values, codes, attempts=attempts)
            group.known[content if name not in READ_NAMES else (name, content)] = shape
            if shape.by_name:
                group.known[name, content] = shape
            self._shapes += 1
        if len(last) == sum(number >= 0 for number in numbers):
            group.shapes[(about.name, key) if shape.by_name else key] = shape
        return shape

    def number(self, key: str, value: object) -> int:
        """The number of an attribute, equal for values that rules cannot distinguish; a route gets a negative one."""
        if key == ROUTE:
            number = -1 - len(self.routes)
            self.routes[number] = value if isinstance(value, str) else ""
            return number
        kept = reduced(key, value) if key in READ and value is not None else value
        fact = (key, type(kept), kept)
        known = self._numbers.get(fact)
        if known is None:
            known = self._numbers[fact] = len(self._facts)
            self._facts.append((key, kept))
        return known

    def forget(self) -> None:
        """Clear the table if it has grown too large. Rows keep their shapes."""
        if max(self._shapes, len(self._facts), len(self.routes)) <= MOST_SHAPES and len(self.written) <= MOST_GROUPS:
            return
        tables: list[dict[Any, Any]] = [self._groups, self.written, self._numbers, self.routes, *self._spellings]
        for each in tables:
            each.clear()
        self._facts.clear()
        self._shapes = 0
