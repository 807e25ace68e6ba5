"""Small frozen values. A dataclass would compile its methods at each cold start: 3 M instructions for each class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from typing_extensions import Self, dataclass_transform
else:

    def dataclass_transform(**_: object) -> Any:
        """A stand-in: only the type checker uses the real one."""
        return lambda value: value


@dataclass_transform(frozen_default=True)
class Frozen:
    """A frozen value. The annotations of a subclass are its fields, in order; class attributes are their defaults."""

    _fields: ClassVar[tuple[str, ...]] = ()
    _needed: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls) -> None:
        cls._fields = tuple(cls.__annotations__)
        cls._needed = frozenset(cls._fields).difference(vars(cls))

    def __init__(self, *values: object, **named: object) -> None:
        fields = self._fields
        members = self.__dict__
        members.update(zip(fields, values, strict=False), **named)
        exact = len(values) == len(fields) and not named
        if not exact and (len(values) > len(fields) or not self._needed <= members.keys() <= set(fields)):
            raise TypeError(f"{type(self).__name__} takes {', '.join(fields)}, got {', '.join(members)}")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: {name} stays as it is")

    def with_fields(self, **named: object) -> Self:
        """Return a copy with some fields replaced."""
        return type(self)(**{**self.__dict__, **named})

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._fields)
        return f"{type(self).__name__}({fields})"

    def _values(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self._fields)
