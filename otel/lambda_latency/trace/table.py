"""The one table of shapes: what readers look up for each span, by small numbers that stand for its read attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lambda_latency.trace.keys import INVOCATION_KEYS, READ, RESOURCE_KEYS, ROUTE, reduced
from lambda_latency.trace.platform import READ_NAMES, RUNTIME_SCOPES
from lambda_latency.trace.shape import Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lambda_latency.trace.span import SpanKind, Status

__all__ = ["Group", "ShapeTable", "Values"]

MOST_VALUES = 4096  # of one attribute that are remembered by how they are written
MOST_SHAPES = 20_000  # and numbers: a read attribute with more values than this holds ids
MOST_GROUPS = 4096


class Values(dict[Any, int]):
    """The numbers of the values of one attribute, by how a format writes them: most values repeat.

    `decode` turns such a spelling into a value; what it cannot decode counts as None.
    """

    def __init__(self, table: ShapeTable, key: str, decode: Callable[[Any], object]) -> None:
        self._table, self._key, self._decode = table, key, decode
        self._ids = key in INVOCATION_KEYS and key != "faas.coldstart"  # of which rules ask only whether they are there

    def __missing__(self, written: Any) -> int:
        if self._ids:
            written = b""
            number = self.get(written)
            if number is not None:
                return number
        try:
            value = self._decode(written) if not self._ids else ""
        except (ValueError, TypeError, AttributeError, RecursionError):
            value = None
        number = self._table.route(value) if self._key == ROUTE else self._table.number(self._key, value)
        if len(self) >= MOST_VALUES:
            self.clear()
        self[written] = number
        return number


class Group(NamedTuple):
    """A resource and scope as rules see them: `own` is the kit's scope, whose spans' names are read.

    `shapes` are by how a format writes a span, `known` by what it is.
    """

    scope: str
    resource: Mapping[str, object]
    own: bool
    shapes: dict[tuple[Any, ...], Shape]
    known: dict[tuple[Any, ...], Shape]


class ShapeTable:
    """Finds the shape of a span. `routes` are texts by negative numbers: a route is in the row, not in its shape."""

    def __init__(self) -> None:
        self._groups: dict[tuple[Any, ...], Group] = {}
        self._numbers: dict[tuple[str, type, object], int] = {}
        self._facts: list[tuple[str, object]] = []  # by number
        self._spellings: list[dict[str, Values]] = []
        self._shapes = 0
        self.written: dict[object, Group] = {}  # groups by how a format writes them
        self.routes: dict[int, str] = {}

    def values(self, decode: Callable[[Any], object]) -> dict[str, Values]:
        """For one way to write values, the numbers of each read attribute's."""
        found = {key: Values(self, key, decode) for key in READ}
        self._spellings.append(found)
        return found

    def group(self, scope: str, resource: Mapping[str, object]) -> Group:
        """The group of a scope's name and the read attributes of a resource."""
        key = (scope, *((name, resource.get(name)) for name in RESOURCE_KEYS))
        found = self._groups.get(key)
        if found is None:
            found = self._groups[key] = Group(scope, resource, scope in RUNTIME_SCOPES, {}, {})
        return found

    def find(
        self,
        group: Group,
        key: tuple[Any, ...],
        numbers: Sequence[int],
        name: str,
        kind: SpanKind,
        status: Status,
        remote: bool | None,
        codes: frozenset[str],
        *,
        attempts: bool,
        named: bool,
    ) -> Shape:
        """The shape of a span that is not in `group.shapes` by its `key`.

        `numbers` are those of its attributes in their order: of an attribute that stands twice the last one counts.
        `named` says that the key holds the name. A key that does not tell all that counts is not remembered.
        """
        last = {self._facts[number][0]: number for number in numbers if number >= 0}
        counted = sorted(last.values())
        what = (kind, status, remote, codes, attempts, *counted)

        def shape_for(about: tuple[Any, ...]) -> Shape:
            shape = group.known.get(about)
            if shape is None:
                values = dict(self._facts[number] for number in counted)
                shape = group.known[about] = Shape(
                    name, kind, status, remote, group.scope, group.resource, values, codes, attempts=attempts
                )
                self._shapes += 1
            return shape

        shape = shape_for((name, *what) if named else what)
        if shape.by_name and not named:
            shape = shape_for((name, *what))
        if len(counted) == sum(number >= 0 for number in numbers) and (named or not shape.by_name):
            group.shapes[key] = shape
        return shape

    def look_up(
        self,
        group: Group,
        told: tuple[Any, ...],
        numbers: Sequence[int],
        name: str,
        codes: frozenset[str],
        *,
        attempts: bool,
        about: Callable[[], tuple[SpanKind, Status]],
    ) -> tuple[Shape, str]:
        """The shape of a span of unknown parent, and its route. `told` decides what it is `about`: kind, status."""
        counted, route = sorted(numbers), ""
        if counted and counted[0] < 0:
            route = self.routes[counted.pop(0)]
        named = group.own or name in READ_NAMES
        key = (*told, codes, attempts, name if named else "", *counted)
        shape = group.shapes.get(key)
        if shape is None:
            kind, status = about()
            shape = self.find(group, key, numbers, name, kind, status, None, codes, attempts=attempts, named=named)
        return shape, route

    def number(self, key: str, value: object) -> int:
        """The number of a value of a read attribute, the same for values that rules cannot tell apart."""
        kept = reduced(key, value) if value is not None else None
        about = (key, type(kept), kept)
        number = self._numbers.get(about)
        if number is None:
            number = self._numbers[about] = len(self._facts)
            self._facts.append((key, kept))
        return number

    def route(self, value: object) -> int:
        """A negative number for a route."""
        number = -1 - len(self.routes)
        self.routes[number] = value if isinstance(value, str) else ""
        return number

    def forget(self) -> None:
        """Let go of what is remembered where it has become too much; rows keep their shapes."""
        if max(self._shapes, len(self._facts), len(self.routes)) <= MOST_SHAPES and len(self.written) <= MOST_GROUPS:
            return
        self._groups.clear()
        self.written.clear()
        self._numbers.clear()
        self._facts.clear()
        self.routes.clear()
        self._shapes = 0
        for spelling in self._spellings:
            for values in spelling.values():
                values.clear()
