"""Immutable attributes of spans, events, links, scopes and resources.

`MappingProxyType` cannot be deep-copied, pickled or hashed. Traces need all three: for snapshots, process pools and
sets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

Value: TypeAlias = "str | bool | int | float | bytes | tuple[Value, ...] | Attributes | None"
D = TypeVar("D")


class Attributes(Mapping[str, Value]):
    """An immutable mapping of names to values. Lists become tuples, mappings become `Attributes`."""

    __slots__ = ("_items",)
    _items: dict[str, Value]

    def __init__(self, mapping: Mapping[str, object] | None = None) -> None:
        self._items = {str(key): freeze(value) for key, value in mapping.items()} if mapping else {}

    def __getitem__(self, key: str) -> Value:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def get(self, key: str, default: D | None = None) -> Any:
        """The value of a key, or `default`. `Mapping.get` is slower: it catches an exception for each absent key."""
        return self._items.get(key, default)

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return f"Attributes({self._items!r})"

    def __reduce__(self) -> tuple[type[Attributes], tuple[dict[str, Value]]]:
        return Attributes, (self._items,)

    def __copy__(self) -> Attributes:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Attributes:
        return self


def freeze(value: object) -> Value:
    """An immutable form of a value: lists as tuples, mappings as `Attributes`, types unknown to OTLP as text."""
    if value is None or isinstance(value, (str, bool, int, float, bytes, Attributes)):
        return value
    if isinstance(value, Mapping):
        return Attributes(value)
    if isinstance(value, Sequence):
        return tuple(map(freeze, value))
    return str(value)


EMPTY = Attributes()
