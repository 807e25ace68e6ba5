"""OTLP/JSON lines read for speed: of each span its times and ids, and a shape that stands for all the rest of it.

A few hundred shapes stand for any number of spans, so attributes are decoded once a shape. A line that does not fit the
types here is left to the tolerant reader, which names what is wrong with it. msgspec is imported here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated

import msgspec
from msgspec import Meta, Raw, Struct, field

from otel.trace.anyvalue import read_attributes
from otel.trace.attributes import EMPTY, Attributes
from otel.trace.codes import TOLD_BY, codes_in
from otel.trace.otlp import HAS_REMOTE, IS_REMOTE
from otel.trace.pairs import Pairs, before_path, present, whole
from otel.trace.span import Event, Scope, Span, SpanKind, Status

__all__ = ["LeanReader", "LeanSpan", "Shape"]

NONE = Raw(b"[]")
NO_ID = "0" * 16
NO_TRACE = "0" * 32
DIGITS = b"0123456789abcdef"
MOST_SHAPES = 20_000  # names with ids in them would fill the memory: then what was remembered is forgotten
RESOURCE_KEYS = ("faas.name", "service.name")
KINDS = {kind.value: kind for kind in SpanKind}
STATUSES = {status.value: status for status in Status}

Instant = Annotated[int, Meta(ge=1, le=2**63 - 1)]


class RawStatus(Struct, frozen=True, gc=False):
    code: int = 0
    message: str = ""


UNSET = RawStatus()


class LeanSpan(Struct, gc=False):
    """A span of a line: `parent_id` is empty and `end_ns` 0 where there is none. `below` is room for who reads it."""

    trace_id: Annotated[str, Meta(min_length=32, max_length=32)] = field(name="traceId")
    span_id: Annotated[str, Meta(min_length=16, max_length=16)] = field(name="spanId")
    start_ns: Instant = field(name="startTimeUnixNano")
    end_ns: Annotated[int, Meta(ge=0, le=2**63 - 1)] = field(name="endTimeUnixNano", default=0)
    parent_id: str = field(name="parentSpanId", default="")
    name: str = ""
    kind: int = 0
    flags: int = 0
    status: RawStatus = UNSET
    attributes: Raw = NONE
    events: Raw = NONE
    shape: int = field(name="(shape)", default=0)
    below: list[LeanSpan] | None = field(name="(below)", default=None)


class RawScopeSpans(Struct, gc=False):
    spans: list[LeanSpan] = []
    scope: Raw = Raw(b"{}")


class RawResourceSpans(Struct, gc=False):
    scopeSpans: list[RawScopeSpans] = []
    resource: Raw = Raw(b"{}")


class RawRequest(Struct, gc=False):
    resourceSpans: list[RawResourceSpans]


class RawScope(Struct, frozen=True, gc=False):
    name: str = ""


class Pair(Struct, gc=False):
    key: str
    value: Raw = Raw(b"null")


class RawEvent(Struct, gc=False):
    name: str = ""
    attributes: Raw = NONE


class Shape:
    """All that rules know of a span: scope, name, kind, status, some attributes, error codes, its parent's side.

    `number` counts up from 0; `span` is a span of that shape, whose ids and times mean nothing.
    """

    __slots__ = ("number", "span")

    def __init__(self, number: int, span: Span) -> None:
        self.number, self.span = number, span


_decode = msgspec.json.Decoder(RawRequest, strict=False).decode
_pairs = msgspec.json.Decoder(list[Pair]).decode
_events = msgspec.json.Decoder(list[RawEvent]).decode
_scope = msgspec.json.Decoder(RawScope).decode
_plain = msgspec.json.Decoder().decode


class LeanReader:
    """Reads lines into spans by trace; `keys` are the attributes, `codes` the error codes that rules ask for.

    `last` are the ids of the traces in the line that was read last.
    Of `addresses` only what comes before the path is told apart, of `presence` only whether they are there.
    """

    def __init__(
        self, keys: Iterable[str], *, addresses: Iterable[str], presence: Iterable[str], codes: Iterable[str]
    ) -> None:
        self.shapes: list[Shape] = []
        self.traces: dict[str, list[LeanSpan]] = {}
        self.last: set[str] = set()
        self._codes = frozenset(codes)
        self._known: dict[object, int] = {}
        self._groups: dict[tuple[bytes, bytes], int] = {}
        self._told: list[tuple[Scope, Attributes]] = []
        self._how: dict[str, Callable[[bytes], object]] = dict.fromkeys(presence, present)
        self._how |= dict.fromkeys(keys, whole)
        self._how |= dict.fromkeys(addresses, before_path)
        self._how["error.type"] = self._code
        self._pairs = Pairs(self._how, lambda text: [(pair.key, bytes(pair.value)) for pair in _pairs(text)])

    def read(self, line: bytes) -> bool:
        """Add the spans of one export request; False, and nothing added, if it needs the tolerant reader."""
        try:
            request = _decode(line)
            found = [
                (group.resource, members.scope, members.spans)
                for group in request.resourceSpans
                for members in group.scopeSpans
                if members.spans
            ]
            spans = found[0][2] if len(found) == 1 else [span for _, _, some in found for span in some]
            self.last = {span.trace_id for span in spans}
            # Lower-case hex? Asked of all together: one by one it would take longer than the rest.
            ids = "".join([*self.last, *[span.span_id + span.parent_id for span in spans]])
            if ids.encode().translate(None, DIGITS) or NO_TRACE in self.last:
                return False
            for resource, scope, some in found:
                self._shape(self._group(bytes(resource), bytes(scope)), some)
        except (msgspec.MsgspecError, ValueError, TypeError, AttributeError, RecursionError):
            return False
        self._keep(spans)
        return True

    @property
    def keys(self) -> frozenset[str]:
        """The attributes that are kept."""
        return frozenset(self._how)

    def full(self, span: LeanSpan) -> Span:
        """A span of ours as the others are, with the attributes that rules read."""
        told = self.shapes[span.shape].span
        return Span(
            trace_id=span.trace_id,
            span_id=span.span_id,
            parent_id=span.parent_id or None,
            parent_remote=told.parent_remote if span.parent_id else None,
            name=told.name,
            kind=told.kind,
            start_ns=span.start_ns,
            end_ns=span.end_ns or None,
            status=told.status,
            attributes=told.attributes,
            events=told.events,
            resource=told.resource,
            scope=told.scope,
        )

    def _keep(self, spans: list[LeanSpan]) -> None:
        """Put each span with those of its trace."""
        by_trace: dict[str, list[LeanSpan]] = {}
        if len(self.last) == 1:  # as in most lines
            by_trace[spans[0].trace_id] = spans
        else:
            for span in spans:
                by_trace.setdefault(span.trace_id, []).append(span)
        for trace_id, some in by_trace.items():
            self._extend(trace_id, some)

    def _extend(self, trace_id: str, spans: list[LeanSpan]) -> None:
        members = self.traces.get(trace_id)
        if members is None:
            members = self.traces[trace_id] = []
        else:
            trace_id = members[0].trace_id
        for span in spans:
            span.trace_id = trace_id  # one text for all of them
        members += spans

    def _shape(self, group: int, spans: list[LeanSpan]) -> None:
        """Give each span its shape, and let go of the line that it was read from."""
        known, values_of = self._known, self._pairs.values
        for span in spans:
            parent = span.parent_id
            if parent == NO_ID:
                parent = span.parent_id = ""
            if span.span_id == NO_ID or (parent and len(parent) != 16):
                raise ValueError("an id is no id")
            # Two bits of the flags count, and those only where there is a parent.
            side = span.flags & 0x300 if parent else 0
            codes = self._codes_of(span) if span.status.message or span.events is not NONE else ()
            values = values_of(bytes(span.attributes), span.name) if span.attributes is not NONE else 0
            key = (group, span.name, span.kind, span.status.code, side, codes, values)
            number = known.get(key)
            if number is None:
                number = self._new(group, span, side, codes)
                if len(known) >= MOST_SHAPES:
                    known.clear()
                known[key] = number
            span.shape = number
            span.name = ""
            span.attributes = NONE
            span.status = UNSET
            if span.events is not NONE:
                span.events = NONE

    def _new(self, group: int, span: LeanSpan, side: int, codes: tuple[str, ...]) -> int:
        """A shape that was not seen before: the slow way, once."""
        scope, resource = self._told[group]
        read = read_attributes(_plain(span.attributes))
        attributes = {key: value for key, value in read.items() if key in self._how}
        attributes |= {key: True for key in attributes if self._how[key] is present}
        events = tuple(Event("exception", 0, {TOLD_BY[0]: code}) for code in codes)
        told = Span(
            trace_id=span.trace_id,
            span_id=span.span_id,
            parent_id=span.parent_id or None,
            parent_remote=bool(side & IS_REMOTE) if side & HAS_REMOTE else None,
            name=span.name,
            kind=KINDS.get(span.kind, SpanKind.INTERNAL),
            start_ns=0,
            status=STATUSES.get(span.status.code, Status.UNSET),
            attributes=attributes,
            events=events,
            resource=resource,
            scope=scope,
        )
        self.shapes.append(Shape(len(self.shapes), told))
        return len(self.shapes) - 1

    def _group(self, resource: bytes, scope: bytes) -> int:
        """The number of a resource and a scope: of both the rules know only names."""
        number = self._groups.get((resource, scope))
        if number is None:
            told = _plain(resource) or {}
            read = read_attributes(told.get("attributes"))
            names = Attributes({key: read[key] for key in RESOURCE_KEYS if key in read})
            self._told.append((Scope(_scope(scope).name) if scope != b"null" else Scope(), names or EMPTY))
            number = self._groups[resource, scope] = len(self._told) - 1
        return number

    def _codes_of(self, span: LeanSpan) -> tuple[str, ...]:
        texts = [span.status.message] if span.status.message else []
        if len(bytes(span.events)) > 2:
            for event in _events(span.events):
                if event.name == "exception":
                    read = read_attributes(_plain(event.attributes))
                    texts += [str(read.get(key, "")) for key in TOLD_BY]
        return tuple(sorted(codes_in(texts) & self._codes)) if texts else ()

    def _code(self, value: bytes) -> object:
        """An `error.type` that names a code that rules ask for; there may be as many others as there are errors."""
        return value if any(code.encode() in value for code in self._codes) else None
