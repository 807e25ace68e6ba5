"""Attributes that nobody can change: what spans, events, links, scopes and resources carry.

`MappingProxyType` cannot be copied deeply, pickled or hashed; traces go through all three (snapshots, process pools,
sets).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

__all__ = ["EMPTY", "Attributes", "Value", "freeze"]

Value: TypeAlias = "str | bool | int | float | bytes | tuple[Value, ...] | Attributes | None"
D = TypeVar("D")


class Attributes(Mapping[str, Value]):
    """A mapping of names to values; lists become tuples, mappings become `Attributes`."""

    __slots__ = ("_items",)
    _items: dict[str, Value]

    def __init__(self, items: Mapping[str, object] | None = None) -> None:
        self._items = {str(key): freeze(value) for key, value in items.items()} if items else {}

    def __getitem__(self, key: str) -> Value:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def get(self, key: str, default: D | None = None) -> Any:
        """The value of a key or the default, without the exception that `Mapping.get` pays for an absent key."""
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
    """A value as it can be kept: lists as tuples, mappings as `Attributes`, what OTLP does not know as its text."""
    if value is None or isinstance(value, (str, bool, int, float, bytes, Attributes)):
        return value
    if isinstance(value, Mapping):
        return Attributes(value)
    if isinstance(value, Sequence):
        return tuple(freeze(item) for item in value)
    return str(value)


EMPTY = Attributes()
