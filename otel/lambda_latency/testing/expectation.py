"""What a test expects: a tree of spans, written as a literal and compared with what was recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import EllipsisType
from typing import Any, TypeAlias, TypeVar

from lambda_latency.testing.code import code_of
from lambda_latency.testing.comparison import compare
from lambda_latency.testing.expected import Child, ExpectedEvent, ExpectedSet, ExpectedSpan, with_children
from lambda_latency.testing.matchers import ANYTHING, Remote
from lambda_latency.testing.node import forest
from lambda_latency.trace import SpanKind, Status, Trace

__all__ = ["AnyOrder", "ChildExpectation", "Expectation", "any_order", "concurrent", "event", "span", "tops_of"]

E = TypeVar("E", bound=Enum)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Expectation:
    """One span and what is below it; made by `span`. What is not said about a span stands in `span`."""

    tree: ExpectedSpan

    def __getitem__(self, children: ChildExpectation | tuple[ChildExpectation, ...]) -> Expectation:
        """The same span with these children. Raises `TypeError` for what can be no child."""
        below = children if isinstance(children, tuple) else (children,)
        return Expectation(with_children(self.tree, tuple(tree_of(one) for one in below)))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Expectation):
            return self.tree == other.tree
        if isinstance(other, Trace):
            return compare([self.tree], forest([other])).holds
        return NotImplemented

    __hash__ = None  # type: ignore[assignment] # it holds matchers and mappings

    def __repr__(self) -> str:
        return code_of(self.tree)


@dataclass(frozen=True, slots=True, repr=False)
class AnyOrder:
    """Children whose order does not matter; made by `any_order` and `concurrent`."""

    tree: ExpectedSet

    def __repr__(self) -> str:
        return code_of(self.tree)


ChildExpectation: TypeAlias = "Expectation | AnyOrder | EllipsisType"


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
        ExpectedSpan(
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
    )


def any_order(*spans: Expectation) -> AnyOrder:
    """Children in whichever order."""
    return AnyOrder(ExpectedSet(only_spans(spans, "any_order")))


def concurrent(*spans: Expectation) -> AnyOrder:
    """Children in whichever order, every two of which run at the same time."""
    return AnyOrder(ExpectedSet(only_spans(spans, "concurrent"), overlapping=True))


def event(name: object, attributes: Mapping[str, object] | None = None) -> ExpectedEvent:
    """An event that is expected in `events=`, with some of its attributes."""
    return ExpectedEvent(name, dict(attributes or {}))


def tops_of(value: object) -> list[Child] | None:
    """The expected side of a comparison, as trees without a parent; None if this is not one."""
    if isinstance(value, (Expectation, AnyOrder)):
        return [value.tree]
    if isinstance(value, list) and all(isinstance(one, (Expectation, AnyOrder, EllipsisType)) for one in value):
        return [tree_of(one) for one in value]
    return None


def tree_of(one: Any) -> Child:
    """What may stand in brackets, as a tree. Raises `TypeError` for anything else."""
    if isinstance(one, (Expectation, AnyOrder)):
        return one.tree
    if isinstance(one, EllipsisType):
        return one
    raise TypeError(f"a child must be span(...), any_order(...), concurrent(...) or ..., got {one!r}")


def only_spans(spans: tuple[Any, ...], where: str) -> tuple[ExpectedSpan, ...]:
    """The members of a set. Raises `TypeError` for what is no span."""
    for one in spans:
        if not isinstance(one, Expectation):
            raise TypeError(f"{where}() takes span(...), got {one!r}")
    return tuple(one.tree for one in spans)


def member(value: object, enum: type[E], name: str) -> E:
    """A kind or a status, ours or OpenTelemetry's own."""
    if isinstance(value, enum):
        return value
    found = enum.__members__.get(value.name) if isinstance(value, Enum) else None
    if found is None:
        raise TypeError(f"{name} must be {', '.join(enum.__members__)}, got {value!r}")
    return found
