"""The expected tree as plain values, shared by expectations and comparisons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import EllipsisType
from typing import TypeAlias

from lambda_latency.testing.matchers import ANYTHING
from lambda_latency.trace import SpanKind, Status


@dataclass(frozen=True, slots=True)
class ExpectedEvent:
    """An event by its name, and some of its attributes."""

    name: object
    attributes: Mapping[str, object] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"event({self.name!r}{f', {dict(self.attributes)!r}' if self.attributes else ''})"


@dataclass(frozen=True, slots=True)
class ExpectedSpan:
    """One span and its children. `expectation.span` documents the fields; None and ANYTHING are not compared."""

    name: object
    kind: SpanKind = SpanKind.INTERNAL
    attributes: Mapping[str, object] = field(default_factory=dict)
    status: Status | None = None
    raised: object = ANYTHING
    parent: object = ANYTHING
    took: object = ANYTHING
    service: object = ANYTHING
    links: tuple[object, ...] | None = None
    events: tuple[object, ...] | None = None
    children: tuple[Child, ...] = ()
    size: int = 1  # spans in this tree
    exact: bool = True  # whether no `...` is in this tree
    says_more: bool = False  # whether more than name, kind, status and attributes is compared
    names: frozenset[object] = frozenset()  # of all descendants; ANYTHING for names that are matchers


@dataclass(frozen=True, slots=True)
class ExpectedSet:
    """Children in any order; `overlapping`: they all overlap in time, pairwise."""

    members: tuple[ExpectedSpan, ...]
    overlapping: bool = False

    @property
    def size(self) -> int:
        """The number of spans in this set."""
        return sum(one.size for one in self.members)

    @property
    def exact(self) -> bool:
        """Whether no `...` is in this set."""
        return all(one.exact for one in self.members)


Child: TypeAlias = "ExpectedSpan | ExpectedSet | EllipsisType"


def with_children(parent: ExpectedSpan, children: tuple[Child, ...]) -> ExpectedSpan:
    """A copy of a span with these children."""
    return replace(
        parent,
        children=children,
        size=1 + sum(one.size for one in children if not isinstance(one, EllipsisType)),
        exact=all(not isinstance(one, EllipsisType) and one.exact for one in children),
        names=frozenset().union(*(names_in(one) for one in spans_of(children))),
    )


def spans_of(children: Iterable[Child]) -> list[ExpectedSpan]:
    """The spans among children, including those of sets."""
    found: list[ExpectedSpan] = []
    for one in children:
        if isinstance(one, ExpectedSpan):
            found.append(one)
        elif isinstance(one, ExpectedSet):
            found += one.members
    return found


def names_in(one: ExpectedSpan) -> frozenset[object]:
    """The names of a span and of its descendants."""
    return one.names | {one.name if isinstance(one.name, str) else ANYTHING}
