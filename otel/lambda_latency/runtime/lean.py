"""Spans that cost less, from the SDK's own provider: with its sampler, ids, resource, limits and processors.

With the recorder as the only processor, a span is a `LeanSpan`, which has no lock and copies nothing at its end. Once
the function adds a processor, of a tracer on which it sets anything, with a release of OpenTelemetry that the tests
have not run with, and wherever the SDK counts its spans, the SDK makes them. What is unusual about a span (values that
need cleaning, events, links, exceptions) is left to the SDK's own public classes and functions.
"""

from __future__ import annotations

import logging
import os
from copy import copy
from functools import partial
from time import time_ns
from types import MappingProxyType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.context import attach, detach
from opentelemetry.sdk import trace as sdk
from opentelemetry.sdk.util import BoundedList
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.propagation import get_current_span, set_span_in_context

from lambda_latency.runtime.coldstart import installed, is_tested
from lambda_latency.runtime.copies import copied
from lambda_latency.runtime.harmless import warn
from lambda_latency.runtime.propagation import INIT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from opentelemetry.context import Context
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import Event, ReadableSpan, SpanLimits, SpanProcessor
    from opentelemetry.trace import Span, Tracer
    from opentelemetry.util.types import Attributes, AttributeValue

    from lambda_latency.runtime.propagation import LambdaSampler
    from lambda_latency.runtime.recorder import Recorder

# A function that filters the SDK's warnings filters these too
LOG = logging.getLogger(sdk.__name__)
NOT_SAMPLED, SAMPLED = TraceFlags(TraceFlags.DEFAULT), TraceFlags(TraceFlags.SAMPLED)
RANDOM: int = getattr(TraceFlags, "RANDOM_TRACE_ID", 0)  # since SDK 1.42
# Python 3.11 searches for a member of an enumeration each time
OK, UNSET = StatusCode.OK, StatusCode.UNSET
NO_STATUS = Status()
TEXT = frozenset((str,))
NUMBERS, SEQUENCES = frozenset((int, bool, float)), frozenset((list, tuple))  # no subclass of them
CO_VARARGS = 0x04  # of `inspect`
COUNTS = "OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED"  # the SDK then counts the spans that it starts and ends


class LeanSpan(sdk.Span):
    """A recorded span. Each public name of the SDK's span is its own and means the same, or uses only such names."""

    # They take the place of the SDK's properties of these names. `_happened` and `_linked` are None while empty.
    __slots__ = ("_errors", "_happened", "_linked", "_values", "context", "end_time", "kind", "name", "parent",
                 "resource", "start_time", "status", "tracer")  # fmt: skip
    # Whether an exception that leaves the `with` block is recorded, and is the status
    _errors: tuple[bool, bool]
    _happened: BoundedList[Event] | None
    _linked: BoundedList[Link] | None
    _values: dict[str, Any] | BoundedAttributes  # the second as soon as anything unusual is among them
    context: SpanContext
    end_time: int | None
    kind: SpanKind
    name: str
    parent: SpanContext | None
    resource: Resource
    start_time: int
    status: Status
    tracer: LeanTracer

    def __getattr__(self, name: str) -> Any:
        """Return what only the SDK's span has, from a copy: code that reads its private fields finds them."""
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.readable(), name)

    def readable(self) -> ReadableSpan:
        """Return a copy by the SDK's public class."""
        return copied(self, self._values, instrumentation_info=self.tracer.sdk_tracer.instrumentation_info)

    @property
    def attributes(self) -> Mapping[str, Any]:
        return MappingProxyType(self._values)

    @property
    def events(self) -> Sequence[Event]:
        return () if self._happened is None else tuple(self._happened)

    @property
    def links(self) -> Sequence[Link]:
        return () if self._linked is None else tuple(self._linked)

    @property
    def dropped_attributes(self) -> int:
        # An abstract class takes long to say that a dictionary is none
        values = self._values
        return 0 if type(values) is dict else values.dropped  # type: ignore[union-attr]

    @property
    def dropped_events(self) -> int:
        return 0 if self._happened is None else self._happened.dropped

    @property
    def dropped_links(self) -> int:
        return 0 if self._linked is None else self._linked.dropped

    @property
    def instrumentation_scope(self) -> InstrumentationScope:
        return self.tracer.scope

    def to_json(self, indent: int | None = 4) -> str:
        return str(self.readable().to_json(indent))

    def get_span_context(self) -> SpanContext:
        return self.context

    def is_recording(self) -> bool:
        return self.end_time is None

    def start(self, start_time: int | None = None, parent_context: Context | None = None) -> None:  # noqa: ARG002
        """Too late: the tracer has started it."""
        LOG.warning("Calling start() on a started span.")

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        if self.end_time is not None:
            LOG.warning("Setting attribute on ended span.")
            return
        values, tracer, kind = self._values, self.tracer, type(value)
        if (
            type(values) is dict
            and type(key) is str
            and key
            and (len(value) <= tracer.longest if kind is str else kind in NUMBERS)  # type: ignore[arg-type]
            and (key in values or len(values) < tracer.most)
        ):
            values.pop(key, None)  # the SDK moves it to the end
            values[key] = value
        else:
            self._bounded()[key] = value

    def set_attributes(self, attributes: Mapping[str, AttributeValue]) -> None:
        if self.end_time is not None:
            LOG.warning("Setting attribute on ended span.")
            return
        values, tracer = self._values, self.tracer
        accepted = plain(attributes, tracer.most - len(values), tracer.longest) if type(values) is dict else None
        if accepted is None:
            # As the SDK does: all are cleaned, then each is set.
            cleaned = BoundedAttributes(None, attributes, immutable=False, max_value_len=tracer.longest)
            into = self._bounded()
            into.dropped += cleaned.dropped
            into.update(cleaned)
            return
        for key, value in accepted.items():
            values.pop(key, None)
            values[key] = value

    def _bounded(self) -> BoundedAttributes:
        """Return the attributes as the SDK keeps them, from now on."""
        if not isinstance(self._values, BoundedAttributes):
            self._values = self.tracer.bounded(self._values)
        return self._values

    def add_event(self, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        """Add an event, now or at `timestamp` (nanoseconds since 1970)."""
        limits = self.tracer.provider.limits
        bounded = BoundedAttributes(limits.max_event_attributes, attributes, True, limits.max_attribute_length)
        event = sdk.Event(name, bounded, timestamp)
        if self.end_time is not None:
            LOG.warning("Tried calling %s on an ended span.", "_add_event")
            return
        if self._happened is None:
            self._happened = BoundedList(limits.max_events)
        self._happened.append(event)

    def add_link(self, context: SpanContext | None, attributes: Attributes = None) -> None:
        """Add a link, unless it says nothing."""
        if not (context and (context.is_valid or attributes or context.trace_state)):
            return
        limits = self.tracer.provider.limits
        bounded = BoundedAttributes(limits.max_link_attributes, attributes, True, limits.max_attribute_length)
        if self.end_time is not None:
            LOG.warning("Tried calling %s on an ended span.", "_add_link")
            return
        if self._linked is None:
            self._linked = BoundedList(limits.max_links)
        self._linked.append(Link(context, bounded))

    def update_name(self, name: str) -> None:
        if self.end_time is None:
            self.name = name
        else:
            LOG.warning("Tried calling %s on an ended span.", "update_name")

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Set the status. OK is final, and UNSET changes nothing."""
        if self.end_time is not None:
            LOG.warning("Tried calling %s on an ended span.", "set_status")
            return
        code: object = status.status_code if isinstance(status, Status) else status
        if not isinstance(code, StatusCode) or self.status.status_code is OK or code is UNSET:
            return
        if isinstance(status, Status):
            if description is not None:
                LOG.warning("Description %s ignored. Use either `Status` or `(StatusCode, Description)`", description)
            self.status = status
        else:
            self.status = Status(status, description)

    def end(self, end_time: int | None = None) -> None:
        """End the span, now or at `end_time` (nanoseconds since 1970)."""
        if self.end_time is not None:
            LOG.warning("Calling end() on an ended span.")
            return
        self.end_time = time_ns() if end_time is None else end_time
        provider = self.tracer.provider
        provider.recorder.on_end(self)
        # Added while the span was open, without its start
        for processor in provider.other_processors:
            processor.on_end(self.readable())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        if error is not None and self.end_time is None:
            recorded, is_status = self._errors
            if recorded:
                self.record_exception(error, escaped=True)
            if is_status:
                self.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
        self.end()


def plain(attributes: Mapping[str, Any], limit: int, longest: int) -> dict[str, Any] | None:
    """Return the attributes, if none needs cleaning and all fit; else None."""
    accepted = dict(attributes)
    if len(accepted) > limit:
        return None
    for key, value in attributes.items():
        kind = type(value)
        if type(key) is not str or not key:
            return None
        if kind is str:
            fits = len(value) <= longest
        elif kind in SEQUENCES:
            fits = TEXT.issuperset(map(type, value)) and max(map(len, value), default=0) <= longest
            accepted[key] = tuple(value)
        else:
            fits = kind in NUMBERS
        if not fits:
            return None
    return accepted


class Current:
    """What `start_as_current_span` returns: a span as the current one of a block, or of each call of a function."""

    __slots__ = ("_args", "_ends", "_kwargs", "_span", "_token", "_tracer")

    def __init__(self, tracer: LeanTracer, /, *args: Any, **kwargs: Any) -> None:
        self._ends = args[8] if len(args) > 8 else kwargs.pop("end_on_exit", True)
        self._tracer, self._args, self._kwargs = tracer, args[:8], kwargs

    def __call__(self, function: Any) -> Any:
        return self._by_sdk(self._tracer)(function)

    def _by_sdk(self, tracer: Any) -> Any:
        by_sdk: Any = sdk.Tracer.start_as_current_span
        return by_sdk(tracer, *self._args, **self._kwargs, end_on_exit=self._ends)

    def __enter__(self) -> Span:
        self._span = self._tracer.start_span(*self._args, **self._kwargs)
        self._token = attach(set_span_in_context(self._span))
        return self._span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> bool | None:
        detach(self._token)
        if error is None:
            if self._ends:
                self._span.end()
            return None
        started = SimpleNamespace(start_span=lambda **_: self._span)
        # It records the exception, with its own frames in the stack
        manager = self._by_sdk(started)
        manager.__enter__()
        return bool(manager.__exit__(kind, error, frames))


class LeanTracer(sdk.Tracer):
    """Starts spans as `sdk_tracer`, the provider's, does, and has its other names too."""

    # Starts a span that is the current one of a block, or of a decorated function's calls. A method is a call more.
    start_as_current_span: Any = None
    is_lean: bool
    provider: Provider
    sdk_tracer: sdk.Tracer
    scope: InstrumentationScope
    most: int
    longest: int

    # Without the SDK's `__init__`: what that sets is read from `sdk_tracer`.
    def __init__(self, provider: Provider, sdk_tracer: sdk.Tracer, scope: InstrumentationScope) -> None:
        limits = provider.limits
        vars(self).update(
            is_lean=True, provider=provider, sdk_tracer=sdk_tracer, scope=scope,
            most=limits.max_span_attributes or 0, longest=limits.max_span_attribute_length or 0,
            start_as_current_span=partial(Current, self),
        )  # fmt: skip

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sdk_tracer, name)

    def __setattr__(self, name: str, value: object) -> None:
        """Set what the SDK's tracer has on that one, such as its sampler: from then on it makes the spans."""
        if name in vars(self.sdk_tracer):
            vars(self)["is_lean"] = False
            setattr(self.sdk_tracer, name, value)
        else:
            vars(self)[name] = value

    def __reduce__(self) -> Any:
        """Be copied as the SDK's tracer is: the copy is one."""
        return copy, (self.sdk_tracer,)

    def bounded(self, attributes: Attributes) -> BoundedAttributes:
        """Return attributes as the SDK's span has them."""
        return BoundedAttributes(self.most, attributes, immutable=False, max_value_len=self.longest)

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = (),
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> Span:
        """Start a span below the current one, or the one of `context`. What fails here is left to the SDK."""
        errors, failure = (record_exception, set_status_on_exception), None
        if self.is_lean and self.provider.is_lean:
            try:
                parent = get_current_span(context).get_span_context()
                if type(parent) is SpanContext:
                    return self._started(name, context, parent, kind, attributes, links, start_time, errors)
            except Exception as error:  # noqa: BLE001 - the SDK raises it too, or makes the span
                failure = error
        span = self.sdk_tracer.start_span(name, context, kind, attributes, links, start_time, *errors)
        if failure is not None:
            self.provider.give_up(failure)
        return span

    def _started(
        self,
        name: str,
        context: Context | None,
        parent: SpanContext,
        kind: SpanKind,
        attributes: Attributes,
        links: Sequence[Link] | None,
        start_time: int | None,
        errors: tuple[bool, bool],
    ) -> Span:
        provider, sdk_tracer = self.provider, self.sdk_tracer
        ids = provider.id_generator
        # Not by its properties, which are Python code. Of another kind of context, the SDK makes the spans
        trace_id, _, _, parent_flags, state, is_valid, *_ = parent
        if is_valid:  # as the sampler has it
            random, sampled = parent_flags & RANDOM, parent_flags & SAMPLED
            recorded = sampled or provider.decider.decision == INIT
        else:
            trace_id, random = ids.generate_trace_id(), RANDOM and ids.is_trace_id_random()
            sampled, recorded = provider.decider.decide(parent, context, trace_id)
        flags = SAMPLED if sampled else NOT_SAMPLED
        if random:
            flags = TraceFlags(flags | RANDOM)
        if not recorded:
            return NonRecordingSpan(SpanContext(trace_id, ids.generate_span_id(), False, flags))
        # First what may be wrong in the function's call: the SDK, which then makes the span, draws the ids
        accepted = plain(attributes, self.most, self.longest) if attributes else {}
        values = self.bounded(attributes) if accepted is None else accepted
        pairs = [(link.context, link.attributes) for link in filter(None, links)] if links else ()
        span: LeanSpan = object.__new__(LeanSpan)
        span.tracer, span.resource, span.name, span.kind, span.status = self, sdk_tracer.resource, name, kind, NO_STATUS
        span.context = SpanContext(trace_id, ids.generate_span_id(), False, flags, state)
        span.parent = parent if is_valid else None
        span._happened = span._linked = None
        span._errors, span._values = errors, values
        span.start_time, span.end_time = time_ns() if start_time is None else start_time, None
        for pair in pairs:
            span.add_link(*pair)
        provider.recorder.on_start(span, context)
        return span


# Public names that the SDK's class has and the lean one inherits: they use public names only.
INHERITED = frozenset(("instrumentation_info", "record_exception"))


def is_alike(lean: type, original: type) -> bool:
    """Whether each public name of the SDK's class is the lean one's own, with the same parameters."""
    members = vars(lean)
    names = {name for name in dir(original) if not name.startswith("_")} - INHERITED
    expected = {name: parameters(getattr(original, name)) for name in names}
    return names <= members.keys() and all(
        parameters(members[name]) == expected[name] for name in names if expected[name]
    )


def parameters(member: Any) -> tuple[str, ...]:
    """Return the names of a function's parameters; none of what is no function, or takes any."""
    code = getattr(member, "__code__", None)
    return () if code is None or code.co_flags & CO_VARARGS else code.co_varnames[: code.co_argcount]


class Provider(sdk.TracerProvider):
    """The SDK's provider whose tracers make lean spans while `recorder` is its only processor.

    `other_processors` are those that the function adds. `limits` has a number for each limit, as the settings do.
    """

    def __init__(self, recorder: Recorder, decider: LambdaSampler, limits: SpanLimits, **options: Any) -> None:
        # Lambda gives a process no time to exit.
        super().__init__(decider, shutdown_on_exit=False, span_limits=limits, **options)
        self.recorder, self.decider, self.limits = recorder, decider, limits
        self.is_lean, self.on_trial = is_tested(installed()), False
        self.other_processors: list[SpanProcessor] = []
        super().add_span_processor(recorder)

    def add_span_processor(self, span_processor: SpanProcessor) -> None:
        """Add a processor. Spans that start from now on are the SDK's."""
        super().add_span_processor(span_processor)
        self.other_processors.append(span_processor)
        self.is_lean = False

    def check_names(self) -> None:
        """Raise `TypeError` if a public name of the SDK's classes is not that of lean ones."""
        if self.is_lean and not (is_alike(LeanSpan, sdk.Span) and is_alike(LeanTracer, sdk.Tracer)):
            raise TypeError("the SDK's classes have other names")

    def give_up(self, error: Exception) -> None:
        """Have the SDK make all spans from now on, because a lean one failed. `on_trial`: raise the error instead."""
        self.is_lean = False
        if self.on_trial:
            raise error
        warn(f"the SDK makes the spans, and requests take longer: a lean one failed ({type(error).__name__}: {error})")

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes = None,
    ) -> Tracer:
        """The tracer of a scope: the SDK's own if it does more than to start spans, or none (OTEL_SDK_DISABLED)."""
        version = instrumenting_library_version
        sdk_tracer = super().get_tracer(instrumenting_module_name, version, schema_url, attributes)
        if not isinstance(sdk_tracer, sdk.Tracer):
            return sdk_tracer
        # The SDK has one tracer for each scope. What the first thread decides for one counts for all.
        decided: Tracer | None = vars(sdk_tracer).get("decided")
        if decided is None:
            is_counting = os.environ.get(COUNTS, "").strip().lower() == "true"
            decided = sdk_tracer
            if self.is_lean and not is_counting and sdk_tracer.sampler is self.decider:
                scope = InstrumentationScope(instrumenting_module_name or "", version or "", schema_url, attributes)
                decided = LeanTracer(self, sdk_tracer, scope)
            decided = vars(sdk_tracer).setdefault("decided", decided)
        return decided
