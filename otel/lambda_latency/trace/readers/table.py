"""The table of signatures: readers find the signature of a span by numbers that represent its attributes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from lambda_latency.trace.model.keys import EXECUTION_ARN, EXECUTION_MARK, READ, ROUTED, read_resource
from lambda_latency.trace.model.platform import READ_NAMES
from lambda_latency.trace.model.signature import Signature, Traits

# Encoded values of one attribute, whose numbers are cached
MOST_VALUES = 4096
# And numbers: an attribute with more values than this holds ids
MOST_SHAPES = 20_000
MOST_GROUPS = 4096
FIRST = 10**9  # more than routes have numbers

Key: TypeAlias = "tuple[Any, ...]"


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


class Group(NamedTuple):
    """A scope's name and the part of a resource that rules read, with the signatures of their spans.

    `signatures` finds a signature by the key of a reader; by the span's name and the key if rules read the name.
    `by_content` finds it by its content, which does not depend on the reader.
    """

    scope: str
    resource: Mapping[str, object]
    signatures: dict[Key, Signature]
    by_content: dict[Key, Signature]


class ShapeTable:
    """Finds the signature of a span. `routes` has the text of each route by its number, which is negative.

    `has_executions`: a span of a durable execution was read.
    """

    def __init__(self) -> None:
        self._groups: dict[Key, Group] = {}
        self._numbers: dict[tuple[str, type, object], int] = {}
        self._facts: list[tuple[str, object]] = []  # the key and the value of each number
        self._spellings: list[Values] = []
        self._signatures = 0
        self.written: dict[object, Group] = {}  # groups by their encoded resource and scope
        self.routes: dict[int, str] = {}
        self.has_executions = False

    def values(self, decode: Callable[[Any], object]) -> dict[str, Values]:
        """Empty caches of numbers for one encoding, by key: for the attributes that rules read."""
        caches = {key: Values(self, key, decode) for key in READ}
        self._spellings += caches.values()
        return caches

    def group(self, scope: str, resource: Mapping[str, object]) -> Group:
        """The group of a scope's name and of the attributes of a resource that rules read."""
        read = read_resource(resource)
        key = (scope, *((name, repr(value)) for name, value in read.items()))
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(scope, read, {}, {})
        return group

    def find(self, group: Group, key: Key, numbers: Sequence[int], traits: Traits) -> Signature:
        """The signature of a span that `group.shapes` has neither under `key` nor under the span's name and `key`.

        `numbers` are the numbers of its attributes in their order; if an attribute occurs twice, the last value counts.
        `group.shapes` gets the signature unless an attribute occurs twice, because a key does not keep their order. A
        key must contain the name of the span if rules read it.
        """
        attributes = [number for number in numbers if number >= 0]  # a route is no part of a signature
        by_key = {self._facts[number][0]: number for number in attributes}
        counted = sorted(number for name, number in by_key.items() if name in READ)
        content = (*traits[1:], *counted)
        signature = group.by_content.get(content) if traits.name not in READ_NAMES else None
        if signature is None or signature.by_name:
            signature = group.by_content.get((traits.name, content))
        if signature is None:
            signature = self._add_signature(group, content, dict(map(self._facts.__getitem__, counted)), traits)
        if len(by_key) == len(attributes):
            group.signatures[(traits.name, key) if signature.by_name else key] = signature
        return signature

    def _add_signature(self, group: Group, content: Key, attributes: dict[str, object], traits: Traits) -> Signature:
        signature = Signature(traits, group.resource, attributes)
        if traits.name not in READ_NAMES:
            group.by_content[content] = signature
        if signature.by_name:
            group.by_content[traits.name, content] = signature
        self._signatures += 1
        return signature

    def number(self, key: str, value: object) -> int:
        """The number of an attribute, equal for values that rules cannot distinguish; a route gets a negative one."""
        if key in ROUTED:
            number = -1 - len(self.routes)
            if key == EXECUTION_ARN:  # comes before a route when numbers are sorted
                self.has_executions = True
                number -= FIRST
                value = f"{EXECUTION_MARK}{value}"
            self.routes[number] = value if isinstance(value, str) else ""
            return number
        reduced = READ[key](value) if key in READ and value is not None else value
        fact = (key, type(reduced), reduced)
        if fact not in self._numbers:
            self._numbers[fact] = len(self._facts)
            self._facts.append((key, reduced))
        return self._numbers[fact]

    def forget(self) -> None:
        """Clear the table if it has grown too large. Rows keep their signatures."""
        if (
            max(self._signatures, len(self._facts), len(self.routes)) <= MOST_SHAPES
            and len(self.written) <= MOST_GROUPS
        ):
            return
        tables: list[dict[Any, Any]] = [self._groups, self.written, self._numbers, self.routes, *self._spellings]
        for table in tables:
            table.clear()
        self._facts.clear()
        self._signatures = 0
