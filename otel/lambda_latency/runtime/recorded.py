"""The SDK's spans as copies of a tracer's first one.

Attributes that have to be checked, cut or counted go the SDK's way. Where the first span is not as known here, which
another version of the SDK may make so, there are no copies.
"""

from __future__ import annotations

from threading import Lock
from time import time_ns
from typing import TYPE_CHECKING, Any

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import Span
from opentelemetry.sdk.util import BoundedList

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk.trace import Event
    from opentelemetry.trace import Link, SpanContext, SpanKind
    from opentelemetry.util.types import AttributeValue

__all__ = ["First", "Recorded", "first_of"]

FIELDS = frozenset((
    "_name", "_context", "_parent", "_kind", "_resource", "_start_time", "_end_time", "_attributes", "_events",
    "_links", "_lock", "_limits", "_status",
))  # fmt: skip
"""Of a span: those that are written anew, or that the first span must have as it was made with."""
ATTRIBUTES = frozenset(("maxlen", "max_value_len", "dropped", "_dict", "_lock", "_immutable"))
LISTS = ("_events", "_links")
NUMBERS = frozenset((int, bool, float))


class First:
    """What the SDK has made of a tracer's first span."""

    __slots__ = ("_attributes", "_longest", "_most", "_span")

    def __init__(self, span: dict[str, Any]) -> None:
        # Nothing is counted, or there would be no tracer of this kind: so nothing has to be told of an end.
        self._span = {key: value for key, value in span.items() if key not in LISTS} | {"_record_end_metrics": None}
        self._attributes = vars(span["_attributes"])
        self._most: int = span["_attributes"].maxlen
        self._longest: int = span["_attributes"].max_value_len

    def another(
        self,
        name: str,
        context: SpanContext,
        parent: SpanContext,
        kind: SpanKind,
        resource: object,
        attributes: Mapping[str, AttributeValue] | None,
    ) -> Recorded:
        """A span like it, begun now."""
        plain = as_they_are(attributes, self._most, self._longest) if attributes else {}
        values: Attributes = object.__new__(Attributes)
        values.__dict__ = {**self._attributes, "_dict": plain or {}, "_lock": Lock(), "dropped": 0, "_immutable": False}
        if plain is None:
            values._set_items(attributes)
        span: Recorded = object.__new__(Recorded)
        span.__dict__ = {
            **self._span,
            "_name": name, "_context": context, "_parent": parent, "_kind": kind, "_resource": resource,
            "_attributes": values, "_lock": Lock(), "_start_time": time_ns(),
        }  # fmt: skip
        return span


def first_of(span: Span) -> First | None:
    """The pattern that a span is, where it is as this module knows spans."""
    fields = dict(vars(span))
    known = (
        fields.keys() >= FIELDS
        and fields["_end_time"] is None
        and fields["_status"].is_unset
        and type(fields["_attributes"]) is BoundedAttributes
        and vars(fields["_attributes"]).keys() >= ATTRIBUTES
        and isinstance(fields["_attributes"].maxlen, int)
        and isinstance(fields["_attributes"].max_value_len, int)
        and type(fields["_events"]) is type(fields["_links"]) is BoundedList
    )
    return First(fields) if known else None


class List:
    """A list of a span's, which is made when something is put into it: most spans have neither events nor links."""

    def __init__(self, name: str, limit: str) -> None:
        self._name = name
        self._limit = limit

    def __get__(self, span: Recorded, _owner: type) -> BoundedList[Any]:
        made: BoundedList[Any] = BoundedList(getattr(span._limits, self._limit))
        span.__dict__[self._name] = made  # and from here on found there
        return made


class Recorded(Span):
    """A span of the SDK's. What has ended is not copied: nothing changes it any more."""

    _events: Any = List("_events", "max_events")
    _links: Any = List("_links", "max_links")

    def end(self, end_time: int | None = None) -> None:
        """As the SDK's, where nobody but the runtime is told of it."""
        processor = self._span_processor
        attributes: Any = self._attributes
        if end_time is None and getattr(processor, "alone", False):
            with self._lock:
                first = self._end_time is None
                if first:
                    self._end_time = time_ns()
                    attributes._immutable = True
            if first:
                processor.on_end(self)
                return
        super().end(end_time)

    def get_span_context(self) -> SpanContext:
        """Who it is."""
        return self._context  # type: ignore[return-value]

    @property
    def events(self) -> tuple[Event, ...]:
        """What has happened in it."""
        return tuple(self.__dict__.get("_events", ()))

    @property
    def links(self) -> tuple[Link, ...]:
        """What it is linked to."""
        return tuple(self.__dict__.get("_links", ()))

    @property
    def dropped_events(self) -> int:
        """How many were too many."""
        return super().dropped_events if "_events" in self.__dict__ else 0

    @property
    def dropped_links(self) -> int:
        """How many were too many."""
        return super().dropped_links if "_links" in self.__dict__ else 0

    def _readable_span(self) -> Recorded:
        return self


class Attributes(BoundedAttributes):
    """The SDK's. What it would keep as it is goes in at once; the rest goes its way."""

    def __setitem__(self, key: str, value: Any) -> None:
        kind, mine = type(value), self._dict
        plain = (kind is str and len(value) <= self.max_value_len) or kind in NUMBERS  # type: ignore[operator]
        if not plain or type(key) is not str or not key or self._immutable or len(mine) >= self.maxlen:  # type: ignore[operator]
            super().__setitem__(key, value)
            return
        if key in mine:  # what is set again comes last
            with self._lock:
                del mine[key]
                mine[key] = value
        else:
            mine[key] = value

    def _set_items(self, attributes: Any) -> None:
        for key, value in attributes.items():
            self[key] = value

    def get(self, key: Any, default: Any = None) -> Any:
        """One of them."""
        return self._dict.get(key, default)

    def items(self) -> Any:
        """Not one by one: they are read after the response, when none is added any more."""
        return self._dict.items() if self._immutable else super().items()


def as_they_are(values: Mapping[str, Any], most: int, longest: int) -> dict[str, Any] | None:
    """The values, where the SDK would neither refuse nor cut any of them."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        kind = type(value)
        if kind is str:
            if len(value) > longest:
                return None
        elif kind is list or kind is tuple:
            for one in value:
                if type(one) is not str or len(one) > longest:
                    return None
            value = tuple(value)  # noqa: PLW2901 - the list is whoever gave it's
        elif kind not in NUMBERS:
            return None
        if type(key) is not str or not key:
            return None
        found[key] = value
    return found if len(found) <= most else None
