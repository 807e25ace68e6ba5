"""A span as an immutable value, whatever it was read from: the SDK, OTLP/JSON, Jaeger JSON or an X-Ray document.

It holds no lock and no reference to the SDK, so it can be compared, copied, pickled and put into sets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from lambda_latency.trace.model.attributes import EMPTY, Attributes


class SpanKind(Enum):
    """OpenTelemetry's span kinds; the values are OTLP's numbers."""

    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    PRODUCER = 4
    CONSUMER = 5

    # A member equals only itself; Enum's own __hash__ is Python code, and slow
    __hash__ = object.__hash__


class Status(Enum):
    """OpenTelemetry's span status; the values are OTLP's numbers."""

    UNSET = 0
    OK = 1
    ERROR = 2

    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True)
class Scope:
    """The instrumentation scope that created a span."""

    name: str = ""
    version: str = ""
    attributes: Mapping[str, object] = EMPTY

    def __post_init__(self) -> None:
        _freeze(self, "attributes")


@dataclass(frozen=True, slots=True)
class Event:
    """An event of a span, at one instant (nanoseconds since 1970)."""

    name: str
    time_ns: int
    attributes: Mapping[str, object] = EMPTY

    def __post_init__(self) -> None:
        _freeze(self, "attributes")


@dataclass(frozen=True, slots=True)
class Link:
    """A link to a span of the same trace or of another one (ids in hex)."""

    trace_id: str
    span_id: str
    attributes: Mapping[str, object] = EMPTY

    def __post_init__(self) -> None:
        _freeze(self, "attributes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One span: ids in lower-case hex, times in integer nanoseconds since 1970.

    `parent_remote` is None if the source does not say. `end_ns` is None for a span that was left open. `origin` and
    `provisional` come from the attributes `aws.xray.origin` and `lambda.provisional`.
    """

    trace_id: str
    span_id: str
    parent_id: str | None = None
    parent_remote: bool | None = None
    name: str
    kind: SpanKind = SpanKind.INTERNAL
    start_ns: int
    end_ns: int | None = None
    status: Status = Status.UNSET
    status_message: str = ""
    attributes: Mapping[str, object] = EMPTY
    events: Sequence[Event] = ()
    links: Sequence[Link] = ()
    resource: Mapping[str, object] = EMPTY
    scope: Scope = field(default_factory=Scope)
    origin: str | None = field(init=False)
    provisional: bool = field(init=False)

    def __post_init__(self) -> None:
        _freeze(self, "attributes")
        _freeze(self, "resource")
        object.__setattr__(self, "events", tuple(self.events))
        object.__setattr__(self, "links", tuple(self.links))
        # These two are derived, so that a span and its attributes cannot contradict each other.
        origin = self.attributes.get("aws.xray.origin")
        object.__setattr__(self, "origin", origin if isinstance(origin, str) else None)
        object.__setattr__(self, "provisional", self.attributes.get("lambda.provisional") is True)


class AttributedSpan(NamedTuple):
    """The attributes of a span that were asked for, and all of its resource's, with the names of a `Span`'s fields."""

    trace_id: str
    name: str
    kind: SpanKind
    start_ns: int
    end_ns: int | None
    attributes: Mapping[str, object]
    resource: Mapping[str, object]


def _freeze(owner: object, name: str) -> None:
    mapping = getattr(owner, name)
    if not isinstance(mapping, Attributes):
        object.__setattr__(owner, name, Attributes(mapping))
