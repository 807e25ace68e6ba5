"""What a test expects: a tree of spans, written as a literal and compared with what was recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from types import EllipsisType
from typing import Any, TypeAlias, TypeVar

from lambda_latency.testing.matchers import ANYTHING, Remote
from lambda_latency.trace import SpanKind, Status, Trace

__all__ = ["AnyOrder", "Child", "Expectation", "ExpectedEvent", "any_order", "concurrent", "event", "span", "spans_of"]

E = TypeVar("E", bound=Enum)


@dataclass(frozen=True, slots=True)
class ExpectedEvent:
    """An event by its name, and some of its attributes."""

    name: object
    attributes: Mapping[str, object] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"event({self.name!r}{f', {dict(self.attributes)!r}' if self.attributes else ''})"


@dataclass(frozen=True, slots=True, eq=False)
class Expectation:
    """One span and what is below it; made by `span`. What is not said about a span stands in `span`."""

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
    size: int = 1  # spans in here
    exact: bool = True  # whether nothing in here stands for any number of spans
    says_more: bool = False  # than name, kind, status and attributes
    names: frozenset[object] = frozenset()  # of all below; ANYTHING stands for names that are matchers

    def __getitem__(self, children: Child | tuple[Child, ...]) -> Expectation:
        """The same span with these children."""
        below = checked(children if isinstance(children, tuple) else (children,))
        return replace(
            self,
            children=below,
            size=1 + sum(one.size for one in below if not isinstance(one, EllipsisType)),
            exact=all(not isinstance(one, EllipsisType) and one.exact for one in below),
            names=frozenset().union(*(names_in(one) for one in spans_of(below))),
        )

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Expectation):
            return self._values() == other._values()
        if isinstance(other, Trace):
            from lambda_latency.testing.comparison import compare

            return compare(self, other).holds
        return NotImplemented

    __hash__ = None  # type: ignore[assignment] # it holds matchers and mappings

    def __repr__(self) -> str:
        from lambda_latency.testing.code import code_of

        return code_of(self)

    def _values(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.__slots__)


@dataclass(frozen=True, slots=True)
class AnyOrder:
    """Children whose order does not matter; `overlapping`: every two of them run at the same time."""

    members: tuple[Expectation, ...]
    overlapping: bool = False

    @property
    def size(self) -> int:
        """Spans in here."""
        return sum(one.size for one in self.members)

    @property
    def exact(self) -> bool:
        """Whether nothing in here stands for any number of spans."""
        return all(one.exact for one in self.members)

    def __repr__(self) -> str:
        from lambda_latency.testing.code import code_of

        return code_of(self)


Child: TypeAlias = "Expectation | AnyOrder | EllipsisType"


def span(
    name: object,
    kind: object = SpanKind.INTERNAL,
    *,
    attributes: Mapping[str, object] | None = None,
    status: object = None,
    raised: object = ANYTHING,
    parent: object = ANYTHING,
    took: object = ANYTHING,
    service: object = ANYTHING,
    links: Iterable[object] | None = None,
    events: Iterable[object] | None = None,
) -> Expectation:
    """A span that is expected; its children follow in brackets, and without them it has none.

    `name`, attribute values and `service` may be any object with `==`. `status`: not ERROR unless said. `raised`: the
    exception that was recorded, a class or its name; the status is ERROR then, unless said. `parent`: `remote(...)`, or
    None for a root. `took`: `at_most(ms=...)`, `ms(...)`, or any object that equals a duration in nanoseconds.
    `service`: its process's `service.name`. `links`: `remote(...)` each. `events`: a name or `event(...)` each, in
    order; `...` among them stands for others. Raises `TypeError` for what can be none of these.
    """
    if not (parent is None or parent is ANYTHING or isinstance(parent, Remote)):
        raise TypeError(f"parent must be remote(...) or None, got {parent!r}")
    for link in links or ():
        if link is not ... and not isinstance(link, Remote):
            raise TypeError(f"a link must be remote(trace_id, span_id) or ..., got {link!r}")
    stated = None if status is None else member(status, Status, "status")
    said = (
        raised, parent, took, service,
        ANYTHING if links is None else links,
        ANYTHING if events is None else events,
    )  # fmt: skip
    return Expectation(
        name=name,
        kind=member(kind, SpanKind, "kind"),
        attributes=dict(attributes or {}),
        status=Status.ERROR if stated is None and raised is not ANYTHING else stated,
        raised=raised,
        parent=parent,
        took=took,
        service=service,
        links=None if links is None else tuple(links),
        events=None if events is None else tuple(events),
        says_more=any(value is not ANYTHING for value in said),
    )


def any_order(*spans: Expectation) -> AnyOrder:
    """Children in whichever order."""
    return AnyOrder(only_spans(spans, "any_order"))


def concurrent(*spans: Expectation) -> AnyOrder:
    """Children in whichever order, every two of which run at the same time."""
    return AnyOrder(only_spans(spans, "concurrent"), overlapping=True)


def event(name: object, attributes: Mapping[str, object] | None = None) -> ExpectedEvent:
    """An event that is expected in `events=`, with some of its attributes."""
    return ExpectedEvent(name, dict(attributes or {}))


def spans_of(children: Iterable[Child]) -> list[Expectation]:
    """The spans among children, those of sets too."""
    found: list[Expectation] = []
    for one in children:
        if isinstance(one, Expectation):
            found.append(one)
        elif isinstance(one, AnyOrder):
            found += one.members
    return found


def names_in(one: Expectation) -> frozenset[object]:
    """The name of a span, and those below it."""
    return one.names | {one.name if isinstance(one.name, str) else ANYTHING}


def checked(children: Sequence[Any]) -> tuple[Child, ...]:
    """What may stand in brackets. Raises `TypeError` for anything else."""
    for one in children:
        if not isinstance(one, (Expectation, AnyOrder, EllipsisType)):
            raise TypeError(f"a child must be span(...), any_order(...), concurrent(...) or ..., got {one!r}")
    return tuple(children)


def only_spans(spans: tuple[Any, ...], where: str) -> tuple[Expectation, ...]:
    for one in spans:
        if not isinstance(one, Expectation):
            raise TypeError(f"{where}() takes span(...), got {one!r}")
    return spans


def member(value: object, enum: type[E], name: str) -> E:
    """A kind or a status, ours or OpenTelemetry's own."""
    if isinstance(value, enum):
        return value
    found = enum.__members__.get(value.name) if isinstance(value, Enum) else None
    if found is None:
        raise TypeError(f"{name} must be {', '.join(enum.__members__)}, got {value!r}")
    return found
