"""The one table of shapes: readers look the shape of a span up by numbers that stand for its attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lambda_latency.trace.keys import READ, RESOURCE_KEYS, ROUTE, reduced
from lambda_latency.trace.platform import READ_NAMES
from lambda_latency.trace.shape import Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lambda_latency.trace.span import SpanKind, Status

__all__ = ["About", "Group", "ShapeTable", "Values"]

MOST_VALUES = 4096  # of one attribute that are remembered by how they are written
MOST_SHAPES = 20_000  # and numbers: a read attribute with more values than this holds ids
MOST_GROUPS = 4096


class Values(dict[Any, int]):
    """The numbers of the values of one attribute, by how a format writes them: most values repeat.

    `decode` turns what is written into a value; what it cannot decode counts as None.
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
    """What a span says of itself beside its attributes. `attempts`: its events tell how its call was tried again."""

    name: str
    scope: str
    kind: SpanKind
    status: Status
    remote: bool | None
    codes: frozenset[str]
    attempts: bool


class Group(NamedTuple):
    """A scope's name and a resource as rules see them, with the shapes of their spans.

    `shapes` are by how a format writes a span, those by name under the pair of name and that; `known` by what it is.
    """

    scope: str
    resource: Mapping[str, object]
    shapes: dict[tuple[Any, ...], Shape]
    known: dict[tuple[Any, ...], Shape]


class ShapeTable:
    """Finds the shape of a span. `routes` are texts by their negative numbers."""

    def __init__(self) -> None:
        self._groups: dict[tuple[Any, ...], Group] = {}
        self._numbers: dict[tuple[str, type, object], int] = {}
        self._facts: list[tuple[str, object]] = []  # by number
        self._spellings: list[Values] = []
        self._shapes = 0
        self.written: dict[object, Group] = {}  # groups by how a format writes them
        self.routes: dict[int, str] = {}

    def values(
        self, decode: Callable[[Any], object], told: Mapping[str, Callable[[Any], object]] | None = None
    ) -> dict[str, Values]:
        """For one way to write values, the numbers of each read attribute's, and of what a reader is `told` besides."""
        decoders = {**dict.fromkeys(READ, decode), **(told or {})}
        found = {key: Values(self, key, one) for key, one in decoders.items()}
        self._spellings += found.values()
        return found

    def group(self, scope: str, resource: Mapping[str, object]) -> Group:
        """The group of a scope's name and a resource, of which the read attributes count."""
        read = {key: resource[key] for key in RESOURCE_KEYS if key in resource}
        key = (scope, *((name, repr(value)) for name, value in read.items()))
        found = self._groups.get(key)
        if found is None:
            found = self._groups[key] = Group(scope, read, {}, {})
        return found

    def find(self, group: Group, key: tuple[Any, ...], numbers: Sequence[int], about: About) -> Shape:
        """The shape of a span that is not in `group.shapes`, neither by its `key` nor by its name and its `key`.

        `numbers` are those of its attributes in their order: of an attribute that stands twice the last one counts. It
        is remembered by its key, if that tells all that counts. A key must hold a name that rules read.
        """
        last = {self._facts[number][0]: number for number in numbers if number >= 0}
        counted = sorted(number for name, number in last.items() if name in READ)
        what = (*about[1:], *counted)
        shape = group.known.get(what) if about.name not in READ_NAMES else None
        if shape is None or shape.by_name:
            shape = group.known.get((about.name, what))
        if shape is None:
            values = dict(self._facts[number] for number in counted)
            name, scope, kind, status, remote, codes, attempts = about
            shape = Shape(name, kind, status, remote, scope, group.resource, values, codes, attempts=attempts)
            group.known[what if name not in READ_NAMES else (name, what)] = shape
            if shape.by_name:
                group.known[name, what] = shape
            self._shapes += 1
        if len(last) == sum(number >= 0 for number in numbers):
            group.shapes[(about.name, key) if shape.by_name else key] = shape
        return shape

    def facts(self, numbers: Sequence[int]) -> dict[str, object]:
        """What some numbers stand for: keys and values, of routes nothing."""
        return dict(self._facts[number] for number in numbers if number >= 0)

    def number(self, key: str, value: object) -> int:
        """The number of an attribute, the same for values that rules cannot tell apart; of a route a negative one."""
        if key == ROUTE:
            number = -1 - len(self.routes)
            self.routes[number] = value if isinstance(value, str) else ""
            return number
        kept = reduced(key, value) if key in READ and value is not None else value
        about = (key, type(kept), kept)
        known = self._numbers.get(about)
        if known is None:
            known = self._numbers[about] = len(self._facts)
            self._facts.append((key, kept))
        return known

    def forget(self) -> None:
        """Let go of what is remembered where it has become too much; rows keep their shapes."""
        if max(self._shapes, len(self._facts), len(self.routes)) <= MOST_SHAPES and len(self.written) <= MOST_GROUPS:
            return
        tables: list[dict[Any, Any]] = [self._groups, self.written, self._numbers, self.routes, *self._spellings]
        for one in tables:
            one.clear()
        self._facts.clear()
        self._shapes = 0
