"""OTLP/JSON lines read for speed: of each span its times and ids, and a shape that stands for all the rest of it.

A few hundred shapes stand for any number of spans, so attributes are decoded once a shape. A line that does not fit the
types here is left to the tolerant reader, which names what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from otel.trace.anyvalue import read_attributes
from otel.trace.attributes import EMPTY, Attributes
from otel.trace.codes import TOLD_BY, codes_in
from otel.trace.otlp import HAS_REMOTE, IS_REMOTE
from otel.trace.pairs import Pairs, Seen, before_path, present, whole
from otel.trace.span import Event, Scope, Span, SpanKind, Status
from otel.trace.wire import (
    NONE,
    UNREADABLE,
    UNSET,
    LeanSpan,
    decode,
    decode_any,
    decode_events,
    decode_pairs,
    decode_scope,
)

__all__ = ["LeanReader", "LeanSpan", "Shape"]

NO_ID = "0" * 16
NO_TRACE = "0" * 32
DIGITS = b"0123456789abcdef"
MOST_PLACES = 20_000  # names with ids in them would fill the memory: then what was remembered is forgotten
RESOURCE_KEYS = ("faas.name", "service.name")
KINDS = {kind.value: kind for kind in SpanKind}
STATUSES = {status.value: status for status in Status}


class Shape:
    """All that rules know of a span: scope, name, kind, status, some attributes, error codes, its parent's side.

    `number` counts up from 0; `span` is a span of that shape, whose ids and times mean nothing.
    """

    __slots__ = ("number", "span")

    def __init__(self, number: int, span: Span) -> None:
        self.number, self.span = number, span


class Place(Seen):
    """Spans that differ in attributes and error codes alone: the numbers of their shapes, by these.

    `shape` is that of `text`, the attributes that were seen last there, without any error code.
    """

    __slots__ = ("shape", "shapes", "text")

    def __init__(self) -> None:
        super().__init__()
        self.shapes: dict[object, int] = {}
        self.text, self.shape = b"", 0


class Group:
    """A resource and a scope: of both the rules know only names.

    `places` are by name, kind, status and parent's side.
    """

    __slots__ = ("attributes", "places", "scope")

    def __init__(self, attributes: Attributes, scope: Scope) -> None:
        self.attributes, self.scope = attributes, scope
        self.places: dict[tuple[str, int, int, int], Place] = {}


class LeanReader:
    """Reads lines into spans by trace; `keys` are the attributes, `codes` the error codes that rules ask for.

    Of `addresses` only what comes before the path is told apart, of `presence` only whether they are there.
    """

    def __init__(
        self, keys: Iterable[str], *, addresses: Iterable[str], presence: Iterable[str], codes: Iterable[str]
    ) -> None:
        self.shapes: list[Shape] = []
        self.traces: dict[str, list[LeanSpan]] = {}
        self._codes = frozenset(codes)
        self._groups: dict[tuple[bytes, bytes], Group] = {}
        self._places = 0
        self._how: dict[str, Callable[[bytes], object]] = dict.fromkeys(presence, present)
        self._how |= dict.fromkeys(keys, whole)
        self._how |= dict.fromkeys(addresses, before_path)
        self._how["error.type"] = self._code
        self._pairs = Pairs(self._how, lambda text: [(pair.key, bytes(pair.value)) for pair in decode_pairs(text)])

    def read(self, lines: Sequence[bytes]) -> list[tuple[str, ...] | None]:
        """Add the spans of some export requests; of each the ids of its traces.

        None of one that needs the tolerant reader, of which nothing is added.
        """
        told: list[tuple[str, ...] | None] = []
        found: list[tuple[str, list[LeanSpan]]] = []
        ids: list[str] = []
        for line in lines:
            inside: tuple[str, ...] = ()
            before = len(found), len(ids)
            try:
                for group in decode(line).resourceSpans:
                    for members in group.scopeSpans:
                        if members.spans:
                            known = self._group(bytes(group.resource), bytes(members.scope))
                            inside += self._shape(known, members.spans, ids, found)
                told.append(inside)
            except UNREADABLE:
                told.append(None)
                del found[before[0] :], ids[before[1] :]
        # Lower-case hex? Asked of all together: one by one it would take longer than the rest.
        if "".join(ids).encode().translate(None, DIGITS) or NO_ID in ids or NO_TRACE in ids:
            return [None] if len(lines) == 1 else [self.read([line])[0] for line in lines]
        traces = self.traces
        for trace_id, spans in found:
            if trace_id in traces:
                traces[trace_id] += spans
            else:
                traces[trace_id] = spans
        return told

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

    def _shape(  # noqa: C901 - a call in it is what the time would go to
        self, group: Group, spans: list[LeanSpan], ids: list[str], found: list[tuple[str, list[LeanSpan]]]
    ) -> tuple[str, ...]:
        """Give each span its shape, and let go of the line that it was read from; the ids of their traces.

        All their ids, which are to be looked at, are added to `ids`, and the spans of each trace to `found`.
        """
        places, values_of = group.places, self._pairs.values
        trace_id = spans[0].trace_id
        known = self.traces.get(trace_id)
        if known is not None:
            trace_id = known[0].trace_id  # one text for all of them
        others: set[str] = set()
        for span in spans:
            if span.trace_id == trace_id:
                span.trace_id = trace_id
            else:
                others.add(span.trace_id)
            parent, side = span.parent_id, 0
            if parent:
                if parent == NO_ID:
                    span.parent_id = ""
                elif len(parent) == 16:
                    side = span.flags & (HAS_REMOTE | IS_REMOTE)
                    ids.append(parent)
                else:
                    raise ValueError("an id is no id")
            ids.append(span.span_id)
            status = span.status
            key = (span.name, span.kind, status.code, side)
            place = places.get(key)
            if place is None:
                place = self._place(group, key)
            text = bytes(span.attributes)
            codes = self._codes_of(span) if status.message or span.events is not NONE else ()
            if text == place.text and not codes:
                number = place.shape
            else:
                values = values_of(text, place)
                known_as = (values, codes) if codes else values
                number = place.shapes.get(known_as, -1)
                if number < 0:
                    number = place.shapes[known_as] = self._new(group, span, side, codes)
                if not (codes or place.frames or place.doubles):  # which come with texts that are new each time
                    place.text, place.shape = text, number
            span.shape = number
            span.name = ""
            span.attributes = NONE
            span.status = UNSET
            if span.events is not NONE:
                span.events = NONE
        ids.append(trace_id)
        if not others:  # as in most lines
            found.append((trace_id, spans))
            return (trace_id,)
        ids += others
        found += [(span.trace_id, [span]) for span in spans]
        return (trace_id, *others)

    def _new(self, group: Group, span: LeanSpan, side: int, codes: tuple[str, ...]) -> int:
        """A shape that was not seen before: the slow way, once."""
        read = read_attributes(decode_any(span.attributes))
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
            resource=group.attributes,
            scope=group.scope,
        )
        self.shapes.append(Shape(len(self.shapes), told))
        return len(self.shapes) - 1

    def _place(self, group: Group, key: tuple[str, int, int, int]) -> Place:
        """Where spans of a name, kind, status and parent's side are remembered."""
        if self._places >= MOST_PLACES:
            self._places = 0
            for one in self._groups.values():
                one.places.clear()
        self._places += 1
        place = group.places[key] = Place()
        return place

    def _group(self, resource: bytes, scope: bytes) -> Group:
        """What is known of a resource and a scope."""
        group = self._groups.get((resource, scope))
        if group is None:
            told = decode_any(resource) or {}
            read = read_attributes(told.get("attributes"))
            names = Attributes({key: read[key] for key in RESOURCE_KEYS if key in read})
            name = decode_scope(scope).name if scope != b"null" else ""
            group = self._groups[resource, scope] = Group(names or EMPTY, Scope(name))
        return group

    def _codes_of(self, span: LeanSpan) -> tuple[str, ...]:
        texts = [span.status.message] if span.status.message else []
        if len(bytes(span.events)) > 2:
            for event in decode_events(span.events):
                if event.name == "attempt":
                    raise ValueError("whose instants are asked for")
                if event.name == "exception":
                    read = read_attributes(decode_any(event.attributes))
                    texts += [str(read.get(key, "")) for key in TOLD_BY]
        return tuple(sorted(codes_in(texts) & self._codes)) if texts else ()

    def _code(self, value: bytes) -> object:
        """An `error.type` that names a code that rules ask for; there may be as many others as there are errors."""
        return value if any(code.encode() in value for code in self._codes) else None
