"""OTLP/JSON lines read for speed: of each span its ids and times, and a shape that stands for all the rest of it.

A line that does not fit the types here is left to the tolerant reader, which names what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lambda_latency.trace.pairs import QUOTE, are_texts
from lambda_latency.trace.shapes import Group, Shape, Shapes
from lambda_latency.trace.span import Span
from lambda_latency.trace.wire import NONE, UNREADABLE, WIDTH, LeanSpan, Rows, columns, decode, pack, together

__all__ = ["LeanReader", "Shape"]


NO_ID = "0" * 16
NO_TRACE = "0" * 32
DIGITS = b"0123456789abcdef"


class LeanReader:
    """Reads lines into spans by trace; `keys` are the attributes, `codes` the error codes that rules ask for.

    Of `addresses` only what comes before the path is told apart, of `presence` only whether they are there. `parts`
    are the spans of each trace, line by line; packed, for so they take a fifth of the room.
    """

    def __init__(
        self, keys: Iterable[str], *, addresses: Iterable[str], presence: Iterable[str], codes: Iterable[str]
    ) -> None:
        self._known = Shapes(keys, addresses=addresses, presence=presence, codes=codes)
        self.shapes: list[Shape] = self._known.found
        self.parts: dict[str, list[bytes]] = {}

    def read(self, lines: Sequence[bytes]) -> list[tuple[str, ...] | None]:
        """Add the spans of some export requests; of each the ids of its traces.

        None of one that needs the tolerant reader, of which nothing is added.
        """
        told: list[tuple[str, ...] | None] = []
        found: list[tuple[str, bytes]] = []
        ids: list[str] = []
        groups, add = self._known.groups, self._add
        for line in lines:
            inside: tuple[str, ...] = ()
            before = len(found), len(ids)
            try:
                for group in decode(line).resourceSpans:
                    for members in group.scopeSpans:
                        if members.spans:
                            key = b"".join((group.resource, members.scope))
                            alike = groups.get(key) or self._known.group(key, group.resource, members.scope)
                            inside += add(alike, members.spans, ids, found)
                told.append(inside)
            except UNREADABLE:
                told.append(None)
                del found[before[0] :], ids[before[1] :]
        if not _are_ids(ids, [trace_id for trace_id, _ in found]):
            return [None] if len(lines) == 1 else [self.read([line])[0] for line in lines]
        parts = self.parts
        for trace_id, packed in found:
            known = parts.get(trace_id)
            if known is None:
                parts[trace_id] = [packed]
            else:
                known.append(packed)
        return told

    def take(self) -> Iterator[tuple[str, Rows]]:
        """The spans of each trace, which are let go."""
        for trace_id in list(self.parts):
            yield trace_id, together(self.parts.pop(trace_id))

    @property
    def keys(self) -> frozenset[str]:
        """The attributes that are kept."""
        return frozenset(self._known.how)

    def full(self, trace_id: str, rows: Rows) -> list[Span]:
        """The spans of a trace as the others are, with the attributes that rules read."""
        found: list[Span] = []
        for span_id, parent_id, start_ns, end_ns, shape in zip(*columns(rows), strict=True):
            told = self.shapes[shape].span
            found.append(
                Span(
                    trace_id=trace_id,
                    span_id=span_id,
                    parent_id=parent_id or None,
                    parent_remote=told.parent_remote if parent_id else None,
                    name=told.name,
                    kind=told.kind,
                    start_ns=start_ns,
                    end_ns=end_ns or None,
                    status=told.status,
                    attributes=told.attributes,
                    events=told.events,
                    resource=told.resource,
                    scope=told.scope,
                )
            )
        return found

    def _add(  # noqa: C901 - a call in it is what the time would go to
        self, group: Group, spans: list[LeanSpan], ids: list[str], found: list[tuple[str, bytes]]
    ) -> tuple[str, ...]:
        """Add the spans of a resource and a scope to those that were `found`; the ids of their traces.

        The ids of spans, which are to be looked at, are added to `ids`.
        """
        latest, known = group.latest, self._known
        trace_id, above = spans[0].trace_id, ""
        rows: Rows = []
        others: dict[str, Rows] = {}
        for span in spans:
            parent, name, kind, status, flags = span.parent_id, span.name, span.kind, span.status, 0
            if parent:
                if parent == above:
                    parent, flags = above, span.flags  # one text for all that are below it, looked at once
                elif parent == NO_ID:
                    parent = ""
                elif len(parent) == 16:
                    above, flags = parent, span.flags
                    ids.append(parent)
                else:
                    raise ValueError("an id is no id")
            try:
                place = latest[name]
                if kind != place.kind or status.code != place.status or flags != place.flags:
                    place = known.place(group, name, kind, status.code, flags)
            except KeyError:
                place = known.place(group, name, kind, status.code, flags)
            text = span.attributes
            if (status.message or span.events is not NONE) and (codes := known.codes_of(span)):
                number = known.number(group, place, span, codes)
            elif place.cuts:
                for cut, begin, end, between, shape in place.cuts.get(len(text), ()):
                    first, inside, last = cut(text)
                    if (
                        first == begin
                        and last == end
                        and (are_texts(inside, between) if between else QUOTE not in inside)
                    ):
                        number = shape  # whatever the texts say
                        break
                else:
                    number = known.number(group, place, span)
            elif text == place.text:
                number = place.shape
            else:
                number = known.number(group, place, span)
            if span.trace_id == trace_id:
                rows += (span.span_id, parent, span.start_ns, span.end_ns, number)
            else:
                others.setdefault(span.trace_id, []).extend((span.span_id, parent, span.start_ns, span.end_ns, number))
        ids += rows[::WIDTH]
        found.append((trace_id, pack(rows)))
        if not others:  # as in most lines
            return (trace_id,)
        for other, more in others.items():
            ids += more[::WIDTH]
            found.append((other, pack(more)))
        return (trace_id, *others)


def _are_ids(ids: Sequence[str], trace_ids: Sequence[str]) -> bool:
    """Lower-case hex, and no zeros? Asked of all together: one by one it would take longer than the rest."""
    text = "".join(ids)
    if text.encode().translate(None, DIGITS) or "".join(trace_ids).encode().translate(None, DIGITS):
        return False
    return (NO_ID not in text or NO_ID not in ids) and NO_TRACE not in trace_ids
