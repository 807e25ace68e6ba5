"""The expected tree as plain values, matchers for them, and the comparison of a value with a recorded one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import EllipsisType
from typing import Any, TypeAlias

from lambda_latency.trace import SpanKind, Status

# These types are compared by type, too (`1 == True`, `200 == 200.0`); other objects are matchers with their own `==`.
PLAIN = (bool, int, float, str, bytes, type(None))
NS = 1_000_000


class Anything:
    """The type of ANYTHING, which matches every value; it has one instance."""

    def __repr__(self) -> str:
        return "ANYTHING"

    def __reduce__(self) -> str:
        return "ANYTHING"


ANYTHING = Anything()


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
    # Whether more than name, kind, status and attributes is compared
    says_more: bool = False
    # Of all descendants; ANYTHING for names that are matchers
    names: frozenset[object] = frozenset()


@dataclass(frozen=True, slots=True)
class ExpectedSet:
    """Children in any order; `overlapping`: they all overlap in time, pairwise."""

    members: tuple[ExpectedSpan, ...]
    overlapping: bool = False

    @property
    def size(self) -> int:
        """The number of spans in this set."""
        return sum(member.size for member in self.members)

    @property
    def exact(self) -> bool:
        """Whether no `...` is in this set."""
        return all(member.exact for member in self.members)


Child: TypeAlias = "ExpectedSpan | ExpectedSet | EllipsisType"


def with_children(parent: ExpectedSpan, children: tuple[Child, ...]) -> ExpectedSpan:
    """A copy of a span with these children."""
    return replace(
        parent,
        children=children,
        size=1 + sum(child.size for child in children if not isinstance(child, EllipsisType)),
        exact=all(not isinstance(child, EllipsisType) and child.exact for child in children),
        names=frozenset().union(*(names_in(child) for child in spans_of(children))),
    )


def spans_of(children: Iterable[Child]) -> list[ExpectedSpan]:
    """The spans among children, including those of sets."""
    spans: list[ExpectedSpan] = []
    for child in children:
        if isinstance(child, ExpectedSpan):
            spans.append(child)
        elif isinstance(child, ExpectedSet):
            spans += child.members
    return spans


def names_in(span: ExpectedSpan) -> frozenset[object]:
    """The names of a span and of its descendants."""
    return span.names | {span.name if isinstance(span.name, str) else ANYTHING}


@dataclass(frozen=True, slots=True)
class Remote:
    """A span of another process, by hex ids or matchers of ids."""

    trace_id: object = ANYTHING
    span_id: object = ANYTHING

    def __repr__(self) -> str:
        ids = () if self.trace_id is ANYTHING and self.span_id is ANYTHING else (self.trace_id, self.span_id)
        return f"remote({', '.join(map(repr, ids))})"


def remote(trace_id: object = ANYTHING, span_id: object = ANYTHING) -> Remote:
    """A span of another process, for `parent=` and `links=`. Ids in hex; by default any."""
    return Remote(trace_id, span_id)


@dataclass(frozen=True, slots=True)
class UpTo:
    """Matches durations up to a limit, in nanoseconds."""

    longest_ns: int

    def __eq__(self, other: object) -> bool:
        if isinstance(other, UpTo):
            return self.longest_ns == other.longest_ns
        return isinstance(other, int) and other <= self.longest_ns

    def __hash__(self) -> int:
        return hash(self.longest_ns)

    def __repr__(self) -> str:
        return f"at_most(ms={self.longest_ns / NS:g})"

    def __str__(self) -> str:
        return f"at most {shown_ns(self.longest_ns)}"


@dataclass(frozen=True, slots=True)
class Exactly:
    """Matches one duration, in nanoseconds."""

    ns: int

    def __eq__(self, other: object) -> bool:
        return other.ns == self.ns if isinstance(other, Exactly) else other == self.ns

    def __hash__(self) -> int:
        return hash(self.ns)

    def __repr__(self) -> str:
        return f"ms({self.ns / NS:g})"

    def __str__(self) -> str:
        return shown_ns(self.ns)


def at_most(*, ms: float) -> UpTo:
    """At most this many milliseconds, for `took=`."""
    return UpTo(round(ms * NS))


def ms(milliseconds: float) -> Exactly:
    """Exactly this many milliseconds, for `took=` under the fake clock."""
    return Exactly(round(milliseconds * NS))


def shown_ns(ns: int) -> str:
    """A duration as text in milliseconds."""
    return f"{ns / NS:,.3f}".rstrip("0").rstrip(".") + " ms"


def equal(expected: Any, recorded: object) -> bool:
    """Whether a value is the expected one: plain values by type and value, lists by item, matchers by their `==`."""
    if expected is ANYTHING:
        return True
    kind = type(expected)
    if kind in PLAIN:
        return type(recorded) is kind and bool(expected == recorded or (expected != expected and recorded != recorded))
    if kind in (list, tuple):
        if not isinstance(recorded, (list, tuple)) or len(expected) != len(recorded):
            return False
        return all(map(equal, expected, recorded))
    return _are_equal(expected, recorded) if isinstance(expected, Mapping) else bool(expected == recorded)


def _are_equal(expected: Mapping[Any, object], recorded: object) -> bool:
    if not isinstance(recorded, Mapping) or expected.keys() != recorded.keys():
        return False
    return all(equal(matcher, recorded[key]) for key, matcher in expected.items())
