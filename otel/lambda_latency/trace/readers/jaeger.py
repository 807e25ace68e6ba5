"""Reads Jaeger's JSON, as its UI and its query API write it: `{"data": [{"traceID": ..., "spans": [...]}]}`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw, Struct, field

from lambda_latency.trace.model.ids import checked
from lambda_latency.trace.model.keys import FOLLOWS
from lambda_latency.trace.model.platform import READ_NAMES
from lambda_latency.trace.model.row import ATTEMPT, DELAY, Row, Rows, window_of, with_valid_ids
from lambda_latency.trace.model.shape import Shape, error_codes
from lambda_latency.trace.model.span import Span
from lambda_latency.trace.readers.documents import AT_ONCE, LARGE
from lambda_latency.trace.readers.jaeger_message import (
    FOLLOWS_FROM,
    MESSAGE,
    SCOPE_NAME,
    SHAPE_TAGS,
    Log,
    Process,
    RawSpan,
    decode_any,
    event_of,
    first_of,
    kind_of,
    nanoseconds,
    padded,
    parent_of,
    process_of,
    resource_of,
    span_of,
    status_of,
    value_of,
)
from lambda_latency.trace.readers.mistakes import reason_of
from lambda_latency.trace.readers.table import About, Group, ShapeTable

__all__ = ["JaegerReader"]


Problem = Callable[[str], object]


class SpanId(Struct, gc=False):
    """The trace id of a span. The other members are not decoded."""

    trace_id: str = field(name="traceID")


class TraceIds(Struct, gc=False):
    spans: list[SpanId]


class RawTrace(Struct, gc=False):
    spans: list[RawSpan]
    processes: dict[str, Process] | None = None


class Members(Struct, gc=False):
    """The members of an answer or of a trace, not yet decoded."""

    data: list[Raw] | None = None
    spans: list[Raw] | None = None
    processes: Raw = Raw(b"null")


class Batch(NamedTuple):
    """Spans of one trace and the processes that recorded them."""

    processes: Mapping[str, Process]
    spans: Sequence[RawSpan]


_decode_trace = msgspec.json.Decoder(RawTrace).decode
_decode_span = msgspec.json.Decoder(RawSpan).decode
_decode_ids = msgspec.json.Decoder(TraceIds).decode
_decode_parts = msgspec.json.Decoder(Members).decode
_decode_processes = msgspec.json.Decoder(dict[str, Process] | None).decode
_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_list = msgspec.json.Decoder(list[Raw]).decode
UNREADABLE = (msgspec.MsgspecError, ValueError, KeyError, RecursionError)
NO_CODES: frozenset[str] = frozenset()
NOTHING: tuple[frozenset[str], None] = (NO_CODES, None)


class JaegerReader:
    """Reads answers of Jaeger's query API, or single traces from them, as rows or as spans."""

    def __init__(self, table: ShapeTable) -> None:
        self._table = table
        self._values = table.values(value_of, {**dict.fromkeys(SHAPE_TAGS, value_of), MESSAGE: _codes})

    def whole(self, documents: Sequence[bytes]) -> list[Rows] | None:
        """The rows of each answer by trace id; None if a part of an answer cannot be read."""
        try:
            return with_valid_ids([self._read(_whole(document)) for document in documents])
        except UNREADABLE:
            return None

    def rows(self, document: bytes, problem: Problem) -> Rows:
        """The rows of an answer by trace id. `problem` is called with the reason for each part that is left out."""
        found = with_valid_ids([self._read(_piecewise(document, problem))])
        return found[0] if found is not None else {}

    def spans(self, document: bytes, problem: Problem, wanted: Collection[str] | None = None) -> Iterator[Span]:
        """The spans of an answer, or only those of the `wanted` traces. `problem` is called as in `rows`."""
        if wanted is not None:
            try:
                yield from list(_wanted(document, wanted))
                return
            except UNREADABLE:
                pass
        for batch in _piecewise(document, problem):
            for span in batch.spans:
                if wanted is None or span.trace_id in wanted:
                    yield span_of(span, process_of(span, batch.processes))

    def _read(self, batches: Iterable[Batch]) -> Rows:
        table, read, read_names = self._table, self._values.get, READ_NAMES
        found: defaultdict[str, list[Row]] = defaultdict(list)
        for processes, spans in batches:
            groups = {name: self._group(process) for name, process in processes.items()}
            for span in spans:
                own, name = span.process, span.name or ""
                group = groups.get(span.process_id or "") if own is None else None
                if group is None:
                    group = self._group(process_of(span, processes))
                trace_id, span_id, (parent_id, follows) = span.trace_id, span.span_id, parent_of(span)
                if len(trace_id) < 32:
                    trace_id = padded(trace_id, 32)
                if len(span_id) < 16 or len(parent_id) < 16:
                    span_id, parent_id = padded(span_id, 16), padded(parent_id, 16)
                codes, attempts = _codes_and_window(span.logs) if span.logs else NOTHING
                numbers = []
                for tag in span.tags or ():
                    values = read(tag.key)
                    if values is not None:
                        numbers.append(values[bytes(tag.value)])
                if follows:
                    numbers.append(table.number(FOLLOWS, FOLLOWS_FROM))
                numbers.sort()
                route = table.routes[numbers.pop(0)] if numbers and numbers[0] < 0 else ""
                key = (codes, attempts is None, name if name in read_names else "", *numbers)
                shapes = group.shapes
                shape = shapes.get(key) or shapes.get((name, key)) or self._find(group, key, span, codes, attempts)
                if name == shape.name:
                    name = shape.name  # all rows of the shape share one text
                start = nanoseconds(span.start)
                end = start + nanoseconds(span.duration)
                found[trace_id].append(Row(span_id, parent_id, start, end, shape, name, attempts, route))
        return found

    def _group(self, process: Process) -> Group:
        written = msgspec.json.encode(process)
        group = self._table.written.get(written)
        if group is None:
            group = self._table.written[written] = self._table.group("", resource_of(process))
        return group

    def _find(
        self,
        group: Group,
        key: tuple[Any, ...],
        span: RawSpan,
        codes: frozenset[str],
        attempts: tuple[int, int] | None,
    ) -> Shape:
        values = self._values
        numbers = [values[tag.key][bytes(tag.value)] for tag in span.tags or () if tag.key in values]
        if parent_of(span)[1]:
            numbers.append(self._table.number(FOLLOWS, FOLLOWS_FROM))
        tags: dict[str, Any] = self._table.facts(numbers)
        codes |= tags.get(MESSAGE) or NO_CODES
        about = About(
            span.name or "",
            first_of(tags, SCOPE_NAME),
            kind_of(tags),
            status_of(tags),
            None,
            codes,
            attempts is not None,
        )
        return self._table.find(group, key, numbers, about)


def _codes(message: bytes) -> frozenset[str]:
    return error_codes(str(decode_any(message)), ())


def _whole(document: bytes, wanted: Collection[str] | None = None) -> Iterator[Batch]:
    """The spans of an answer; with `wanted`, only of traces that have a wanted id.

    The spans of a large trace are decoded `AT_ONCE` at a time. Raises an error of `UNREADABLE` for a part that does not
    fit the types.
    """
    answer = _decode_parts(document)
    for trace in [document] if answer.data is None or answer.spans is not None else answer.data:
        if wanted is not None and _ids_in(trace).isdisjoint(wanted):
            continue
        if memoryview(trace).nbytes <= LARGE:
            decoded = _decode_trace(trace)
            yield Batch(decoded.processes or {}, decoded.spans)
            continue
        parts = _decode_parts(trace)
        if parts.spans is None:
            raise ValueError("a Jaeger trace must have a list of spans")
        processes = _decode_processes(parts.processes) or {}
        for first in range(0, len(parts.spans), AT_ONCE):
            yield Batch(processes, list(map(_decode_span, parts.spans[first : first + AT_ONCE])))


def _piecewise(document: bytes, problem: Problem) -> Iterator[Batch]:
    members = _decode_members(document)
    try:
        traces = _decode_list(members["data"]) if "spans" not in members else [document]
    except msgspec.MsgspecError as error:
        problem(f"data must be a list of Jaeger traces: {reason_of(error)}")
        return
    for trace in traces:
        try:
            members = _decode_members(trace)
            spans = _decode_list(members["spans"])
        except UNREADABLE:
            problem("a Jaeger trace must have a list of spans")
            continue
        try:
            processes = _decode_processes(members.get("processes", Raw(b"null"))) or {}
        except UNREADABLE as error:
            problem(f"not the processes of a Jaeger trace: {reason_of(error)}")
            processes = {}
        for first in range(0, len(spans), AT_ONCE):
            decoded = [_decoded(raw, problem) for raw in spans[first : first + AT_ONCE]]
            yield Batch(processes, [span for span in decoded if span is not None])


def _decoded(raw: Raw, problem: Problem) -> RawSpan | None:
    """One span; None if it cannot be read, and `problem` is called with the reason."""
    try:
        span = _decode_span(raw)
        return _with_ids(span)
    except UNREADABLE as error:
        problem(f"not a Jaeger span: {reason_of(error)}")
        return None


def _with_ids(span: RawSpan) -> RawSpan:
    """The same span with complete ids in lower case. Raises `ValueError` for an id or a time that is not valid."""
    span.trace_id, span.span_id = _trace_id(span.trace_id), _span_id(span.span_id)
    nanoseconds(span.start), nanoseconds(span.duration)
    span.parent_id = _span_id(span.parent_id) if _is_id(span.parent_id) else ""
    for one in span.references or ():
        one.trace_id = _trace_id(one.trace_id) if _is_id(one.trace_id) else ""
        one.span_id = _span_id(one.span_id) if _is_id(one.span_id) else ""
    return span


def _trace_id(text: str) -> str:
    return checked(padded(text, 32), "traceID", 32)


def _span_id(text: str | None) -> str:
    return checked(padded(text or "", 16), "spanID", 16)


def _is_id(text: str | None) -> bool:
    return bool(text and text.strip("0"))


def _wanted(document: bytes, wanted: Collection[str]) -> Iterator[Span]:
    """The spans of the wanted traces. Raises an error of `UNREADABLE` for a part that does not fit the types."""
    for batch in _whole(document, wanted):
        for span in batch.spans:
            if _trace_id(span.trace_id) in wanted:
                yield span_of(_with_ids(span), process_of(span, batch.processes))


def _ids_in(trace: bytes | Raw) -> set[str]:
    return {_trace_id(span.trace_id) for span in _decode_ids(trace).spans}


def _codes_and_window(logs: Iterable[Log]) -> tuple[frozenset[str], tuple[int, int] | None]:
    """The error codes and the window between the attempts, from a span's logs."""
    events = [event_of(log) for log in logs]
    attempts = [(event.time_ns, event.attributes.get(DELAY)) for event in events if event.name == ATTEMPT]
    codes = error_codes("", (event.attributes for event in events if event.name == "exception"))
    return codes, window_of(attempts) if attempts else None
