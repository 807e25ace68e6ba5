"""Spans of OpenTelemetry's SDK in a fraction of its time, for the handler's caller waits while they are made.

The first span of each tracer is the SDK's own. A later one begins as a copy of that, and only what differs from span to
span is written anew. All that is no everyday call goes the SDK's way: a parent that is not recorded, links, a start of
its own, attributes that have to be checked, cut or counted. So does everything where the first span is not as known
here, which another version of the SDK may make so. A test holds both kinds of spans against each other.
"""

from __future__ import annotations

import os
from threading import Lock
from time import time_ns
from typing import TYPE_CHECKING, Any

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.context import attach, detach
from opentelemetry.sdk.trace import Span, Tracer, TracerProvider
from opentelemetry.sdk.util import BoundedList
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, get_current_span, set_span_in_context

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextvars import Token

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import Event
    from opentelemetry.trace import Link
    from opentelemetry.trace import Span as AnySpan
    from opentelemetry.util.types import AttributeValue

__all__ = ["LambdaTracerProvider"]

FIELDS = frozenset((
    "_name", "_context", "_parent", "_kind", "_resource", "_start_time", "_end_time", "_attributes", "_events",
    "_links", "_lock", "_limits", "_status",
))  # fmt: skip
"""Of a span: those that are written anew, or that the first span must have as it was made with."""
ATTRIBUTES = frozenset(("maxlen", "max_value_len", "dropped", "_dict", "_lock", "_immutable"))
LISTS = ("_events", "_links")
NUMBERS = frozenset((int, bool, float))
FOLLOWED = (1, 3)  # flags of a parent that is recorded; the second bit says that the trace's id is a random one


class LambdaTracerProvider(TracerProvider):
    """The SDK's provider. Its sampler must be one that records whatever has a recorded parent."""

    def get_tracer(self, *args: Any, **kwargs: Any) -> Any:
        """As the SDK's: whoever asks for the same gets the same."""
        tracer = super().get_tracer(*args, **kwargs)
        # The SDK can be made to count its spans, and would not see these.
        if type(tracer) is Tracer and not os.environ.get("OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED"):
            tracer.__class__ = LambdaTracer  # it keeps what the SDK has given it
        return tracer


class LambdaTracer(Tracer):
    """The SDK's tracer with a shorter way."""

    _first: First | None = None

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, AttributeValue] | None = None,
        links: Any = (),
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> AnySpan:
        """As the SDK's."""
        first = self._first
        usual = start_time is None and not links and record_exception and set_status_on_exception
        if usual and first is not None and self._is_enabled():
            parent = get_current_span(context).get_span_context()
            if parent.is_valid and parent.trace_flags in FOLLOWED:
                own = SpanContext(
                    parent.trace_id, self.id_generator.generate_span_id(), False, parent.trace_flags, parent.trace_state
                )
                another = first.another(name, own, parent, kind, self.resource, attributes)
                self.span_processor.on_start(another, parent_context=context)
                return another
        span = super().start_span(
            name, context, kind, attributes, links, start_time, record_exception, set_status_on_exception
        )
        if usual and first is None and isinstance(span, Span):
            self._first = first_of(span)
        return span

    def start_as_current_span(  # type: ignore[override]
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, AttributeValue] | None = None,
        links: Any = (),
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
        end_on_exit: bool = True,
    ) -> Current:
        """As the SDK's; its generators would take longer than the span."""
        how = (name, context, kind, attributes, links, start_time, record_exception, set_status_on_exception)
        return Current(self, how, end_on_exit=end_on_exit)


class Current:
    """Makes a span the current one for as long as a block runs. It can be put on a function, as the SDK's can."""

    __slots__ = ("_end_on_exit", "_how", "_span", "_token", "_tracer")

    def __init__(self, tracer: LambdaTracer, how: tuple[Any, ...], *, end_on_exit: bool) -> None:
        self._tracer = tracer
        self._how = how
        self._end_on_exit = end_on_exit
        self._span: AnySpan
        self._token: Token[Context]

    def __enter__(self) -> AnySpan:
        span = self._span = self._tracer.start_span(*self._how)
        self._token = attach(set_span_in_context(span))
        return span

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        detach(self._token)
        span = self._span
        if isinstance(error, Exception) and span.is_recording():
            record, set_status = self._how[-2:]
            if record:
                span.record_exception(error)
            if set_status:
                span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
        if self._end_on_exit:
            span.end()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        original: Any = super(LambdaTracer, self._tracer).start_as_current_span
        decorated: Callable[..., Any] = original(*self._how, self._end_on_exit)(function)
        return decorated


class First:
    """What the SDK has made of a tracer's first span."""

    __slots__ = ("_attributes", "_longest", "_most", "_span")

    def __init__(self, span: dict[str, Any]) -> None:
        self._span = {key: value for key, value in span.items() if key not in LISTS}
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
