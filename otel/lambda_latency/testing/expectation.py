"""Expectations: trees of spans as literals, compared with recorded spans."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import EllipsisType
from typing import Any, TypeAlias, TypeVar

from lambda_latency.testing.comparison import compare
from lambda_latency.testing.drawing import code_of
from lambda_latency.testing.expected import (
    ANYTHING,
    Child,
    ExpectedEvent,
    ExpectedSet,
    ExpectedSpan,
    Remote,
    with_children,
)
from lambda_latency.testing.node import forest
from lambda_latency.trace import SpanKind, Status, Trace

E = TypeVar("E", bound=Enum)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Expectation:
    """One span and its descendants; created by `span`, which documents the defaults."""

    tree: ExpectedSpan

    def __getitem__(self, children: ChildExpectation | tuple[ChildExpectation, ...]) -> Expectation:
        """A copy with these children. Raises `TypeError` for an invalid child."""
        below = children if isinstance(children, tuple) else (children,)
        return Expectation(with_children(self.tree, tuple(tree_of(child) for child in below)))

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
    """Children in any order; created by `any_order` and `concurrent`."""

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
    """An expected span. Its children follow in brackets; without brackets it is a leaf.

    `name`, attribute values and `service` may be any object with `==`. `status`: by default not ERROR. `raised`: the
    recorded exception, a class or its name; the status is then ERROR by default. `parent`: `remote(...)`, or
    None for a root. `took`: `at_most(ms=...)`, `ms(...)`, or any object that equals a duration in nanoseconds.
    `service`: the `service.name` of its process. `links`: a list of `remote(...)`. `events`: a list of names or
    `event(...)`, in order; `...` among them allows others. Raises `TypeError` for an invalid value.
    """
    _check_remotes(parent, links or ())
    default_status = None if raised is ANYTHING else Status.ERROR
    has_matcher = any(matcher is not ANYTHING for matcher in (raised, parent, took, service))
    says_more = has_matcher or links is not None or events is not None
    expected_status = default_status if status is None else member(status, Status, "status")
    return Expectation(
        ExpectedSpan(
            name=name,
            kind=member(kind, SpanKind, "kind"),
            attributes=dict(attributes or {}),
            status=expected_status,
            raised=raised,
            parent=parent,
            took=took,
            service=service,
            links=None if links is None else tuple(links),
            events=None if events is None else tuple(events),
            says_more=says_more,
        )
    )


def _check_remotes(parent: object, links: Iterable[object]) -> None:
    if not (parent is None or parent is ANYTHING or isinstance(parent, Remote)):
        raise TypeError(f"parent must be remote(...) or None, got {parent!r}")
    for link in links:
        if link is not ... and not isinstance(link, Remote):
            raise TypeError(f"a link must be remote(trace_id, span_id) or ..., got {link!r}")


def any_order(*spans: Expectation) -> AnyOrder:
    """Children in any order."""
    return AnyOrder(ExpectedSet(only_spans(spans, "any_order")))


def concurrent(*spans: Expectation) -> AnyOrder:
    """Children in any order that all overlap in time, pairwise."""
    return AnyOrder(ExpectedSet(only_spans(spans, "concurrent"), overlapping=True))


def event(name: object, attributes: Mapping[str, object] | None = None) -> ExpectedEvent:
    """An expected event for `events=`, with some of its attributes."""
    return ExpectedEvent(name, dict(attributes or {}))


def roots_of(expectation: object) -> list[Child] | None:
    """The expected side of a comparison as root trees; None if the value is not an expectation."""
    if isinstance(expectation, (Expectation, AnyOrder)):
        return [expectation.tree]
    if isinstance(expectation, list) and all(
        isinstance(child, (Expectation, AnyOrder, EllipsisType)) for child in expectation
    ):
        return [tree_of(child) for child in expectation]
    return None


def tree_of(child: Any) -> Child:
    """An item in brackets as a tree. Raises `TypeError` for an invalid item."""
    if isinstance(child, (Expectation, AnyOrder)):
        return child.tree
    if isinstance(child, EllipsisType):
        return child
    raise TypeError(f"a child must be span(...), any_order(...), concurrent(...) or ..., got {child!r}")


def only_spans(spans: tuple[Any, ...], where: str) -> tuple[ExpectedSpan, ...]:
    """The members of a set. Raises `TypeError` for a value that is not a span."""
    for span in spans:
        if not isinstance(span, Expectation):
            raise TypeError(f"{where}() takes span(...), got {span!r}")
    return tuple(span.tree for span in spans)


def member(given_member: object, enum: type[E], name: str) -> E:
    """A kind or a status, given as the kit's enum or OpenTelemetry's. Raises `TypeError` for another value."""
    if isinstance(given_member, enum):
        return given_member
    known_member = enum.__members__.get(given_member.name) if isinstance(given_member, Enum) else None
    if known_member is None:
        raise TypeError(f"{name} must be {', '.join(enum.__members__)}, got {given_member!r}")
    return known_member
