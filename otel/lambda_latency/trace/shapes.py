"""What rules know of spans, read once for all spans that they cannot tell apart.

A few hundred shapes stand for any number of spans: which one it is follows from a span's bytes, and only of the first
of each shape the attributes are decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from struct import Struct
from typing import TYPE_CHECKING

from lambda_latency.trace.anyvalue import read_attributes
from lambda_latency.trace.attributes import EMPTY, Attributes
from lambda_latency.trace.codes import TOLD_BY, codes_in
from lambda_latency.trace.otlp import HAS_REMOTE, IS_REMOTE
from lambda_latency.trace.pairs import LONG, MOST, MOST_LONG, Pairs, Seen, before_path, present, whole
from lambda_latency.trace.span import Event, Scope, Span, SpanKind, Status
from lambda_latency.trace.wire import Raw, decode_any, decode_events, decode_pairs, decode_scope

if TYPE_CHECKING:
    from lambda_latency.trace.wire import LeanSpan

__all__ = ["Group", "Place", "Shape", "Shapes"]

MOST_TEXTS = 8  # of one length, of which it is faster to look at each than to look one up
MOST_PLACES = 20_000  # names with ids in them would fill the memory: then what was remembered is forgotten
RESOURCE_KEYS = ("faas.name", "service.name")
KINDS = {kind.value: kind for kind in SpanKind}
STATUSES = {status.value: status for status in Status}

# Takes attributes of one length apart: what comes before the first text that no rule reads, it and all up to the end
# of the last such text, what comes after it.
Cut = Callable[[Raw], "tuple[bytes, bytes, bytes]"]


class Shape:
    """All that rules know of a span: scope, name, kind, status, some attributes, error codes, its parent's side.

    `number` counts up from 0; `span` is a span of that shape, whose ids and times mean nothing.
    """

    __slots__ = ("number", "span")

    def __init__(self, number: int, span: Span) -> None:
        self.number, self.span = number, span


class Place(Seen):
    """Spans that differ in attributes and error codes alone: the numbers of their shapes, by these.

    All have a name, a kind, a status and flags (of a span without a parent they count as 0). `shape` is that of `text`,
    the attributes that were seen last there, without any error code; `texts` are others, by their length. Where they
    hold ids, `cuts` has by their length how to cut these out, what has to be left, and the shape.
    """

    __slots__ = ("cuts", "flags", "kind", "shape", "shapes", "status", "text", "texts")

    def __init__(self, kind: int, status: int, flags: int) -> None:
        super().__init__()
        self.kind, self.status, self.flags = kind, status, flags
        self.shapes: dict[object, int] = {}
        self.text, self.shape = Raw(), 0
        self.texts: dict[int, tuple[tuple[Raw, int], ...]] = {}
        self.cuts: dict[int, tuple[tuple[Cut, bytes, bytes, tuple[bytes, ...], int], ...]] = {}


class Group:
    """A resource and a scope: of both the rules know only names.

    `places` are by name, kind, status and flags, `latest` by name those that were met last.
    """

    __slots__ = ("attributes", "latest", "places", "scope")

    def __init__(self, attributes: Attributes, scope: Scope) -> None:
        self.attributes, self.scope = attributes, scope
        self.places: dict[tuple[str, int, int, int], Place] = {}
        self.latest: dict[str, Place] = {}


class Shapes:
    """Finds the shapes of spans; `keys` are the attributes, `codes` the error codes that rules ask for.

    Of `addresses` only what comes before the path is told apart, of `presence` only whether they are there.
    """

    def __init__(
        self, keys: Iterable[str], *, addresses: Iterable[str], presence: Iterable[str], codes: Iterable[str]
    ) -> None:
        self.found: list[Shape] = []
        self._codes = frozenset(codes)
        self.groups: dict[bytes, Group] = {}  # by the bytes of both: where one ends is clear of itself
        self._places = self._cuts = self._texts = 0
        self.how: dict[str, Callable[[bytes], object]] = dict.fromkeys(presence, present)
        self.how |= dict.fromkeys(keys, whole)
        self.how |= dict.fromkeys(addresses, before_path)
        self.how["error.type"] = partial(_code, self._codes)
        self._pairs = Pairs(self.how, lambda text: [(pair.key, bytes(pair.value)) for pair in decode_pairs(text)])

    def group(self, key: bytes, resource: Raw, scope: Raw) -> Group:
        """What is known of a resource and a scope, the first time."""
        told = decode_any(resource) or {}
        read = read_attributes(told.get("attributes"))
        names = Attributes({key: read[key] for key in RESOURCE_KEYS if key in read})
        name = decode_scope(scope).name if bytes(scope) != b"null" else ""
        group = self.groups[key] = Group(names or EMPTY, Scope(name))
        return group

    def place(self, group: Group, name: str, kind: int, status: int, flags: int) -> Place:
        """Where spans of this name, kind, status and flags are remembered, if not where those of the name were last."""
        key = (name, kind, status, flags)
        place = group.places.get(key)
        if place is None:
            if self._places >= MOST_PLACES:
                self._places = 0
                for one in self.groups.values():
                    one.places.clear()
                    one.latest.clear()
            self._places += 1
            place = group.places[key] = Place(kind, status, flags)
        group.latest[name] = place
        return place

    def number(self, group: Group, place: Place, span: LeanSpan, codes: tuple[str, ...] = ()) -> int:
        """The number of the shape of a span that is not seen at once to be like others at its place."""
        size = len(span.attributes)
        others = place.texts.get(size, ())
        if not codes:
            for known, shape in others:
                if known == span.attributes:
                    place.text, place.shape = known, shape
                    return shape
        text = bytes(span.attributes)
        frame = self._pairs.frame(text, place)
        values = self._pairs.values(text, place) if frame is None else frame.values
        key = (values, codes) if codes else values
        number = place.shapes.get(key)
        if number is None:
            number = place.shapes[key] = self._new(group, place, span, codes)
        if codes:
            return number
        if frame is not None and self._cuts < MOST:
            self._cuts += 1
            before, after = len(frame.begin), len(frame.end)
            cut = Struct(f"{before}s{size - before - after}s{after}s").unpack
            place.cuts[size] = (*place.cuts.get(size, ()), (cut, frame.begin, frame.end, frame.between, number))
        elif not place.frames:  # which come with texts that are new each time
            place.text, place.shape = Raw(text), number
            if len(others) < MOST_TEXTS and size < LONG and self._texts < MOST_LONG:
                self._texts += 1
                place.texts[size] = (*others, (place.text, number))
        return number

    def codes_of(self, span: LeanSpan) -> tuple[str, ...]:
        """The error codes that rules ask for, of a span with a message or with events."""
        texts = [span.status.message] if span.status.message else []
        if len(bytes(span.events)) > 2:
            for event in decode_events(span.events):
                if event.name == "attempt":
                    raise ValueError("whose instants are asked for")
                if event.name == "exception":
                    read = read_attributes(decode_any(event.attributes))
                    texts += [str(read.get(key, "")) for key in TOLD_BY]
        return tuple(sorted(codes_in(texts) & self._codes)) if texts else ()

    def _new(self, group: Group, place: Place, span: LeanSpan, codes: tuple[str, ...]) -> int:
        """A shape that was not seen before: the slow way, once."""
        read = read_attributes(decode_any(span.attributes))
        attributes = {key: value for key, value in read.items() if key in self.how}
        attributes |= {key: True for key in attributes if self.how[key] is present}
        events = tuple(Event("exception", 0, {TOLD_BY[0]: code}) for code in codes)
        told = Span(
            trace_id=span.trace_id,
            span_id=span.span_id,
            parent_id=span.parent_id or None,
            parent_remote=bool(place.flags & IS_REMOTE) if place.flags & HAS_REMOTE else None,
            name=span.name,
            kind=KINDS.get(span.kind, SpanKind.INTERNAL),
            start_ns=0,
            status=STATUSES.get(span.status.code, Status.UNSET),
            attributes=attributes,
            events=events,
            resource=group.attributes,
            scope=group.scope,
        )
        self.found.append(Shape(len(self.found), told))
        return len(self.found) - 1


def _code(codes: Iterable[str], value: bytes) -> object:
    """An `error.type` that names a code that rules ask for; there may be as many others as there are errors."""
    return value if any(code.encode() in value for code in codes) else None
