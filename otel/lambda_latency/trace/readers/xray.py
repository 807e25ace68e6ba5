"""Reads X-Ray's documents: answers of `BatchGetTraces` (`aws xray batch-get-traces`), traces of them, and segments.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html describes the format. The documents of
the tests show what the AWS SDKs and the collector send.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw, Struct, field

from lambda_latency.trace.model.ids import checked
from lambda_latency.trace.model.keys import RESOURCE_KEYS
from lambda_latency.trace.model.platform import READ_NAMES, SERVICE
from lambda_latency.trace.model.row import DELAY, Row, Rows, window_of, with_valid_ids
from lambda_latency.trace.model.shape import error_codes
from lambda_latency.trace.model.span import Link, Scope, Span
from lambda_latency.trace.readers.milliseconds import restore_fractions
from lambda_latency.trace.readers.mistakes import reason_of
from lambda_latency.trace.readers.segment import Segment, attempts_in, count_retries, described, exceptions_of
from lambda_latency.trace.readers.table import About, ShapeTable
from lambda_latency.trace.readers.timed import TimedSegment, timed

TRACE_ID = re.compile(r"1-([0-9a-f]{8})-([0-9a-f]{24})\Z")

Problem = Callable[[str], object]


class Wrapped(Struct, gc=False):
    document: str | Segment = field(name="Document")


class RawTrace(Struct, gc=False):
    segments: list[Raw] = field(name="Segments")
    trace_id: str | None = field(name="Id", default=None)


class Answer(Struct, gc=False):
    traces: list[Raw] = field(name="Traces")
    unprocessed: list[Any] | None = field(name="UnprocessedTraceIds", default=None)


class Found(NamedTuple):
    """A segment or subsegment of a trace, and the id of its parent."""

    segment: TimedSegment
    trace_id: str
    parent_id: str | None
    subsegment: bool


_decode_segment = msgspec.json.Decoder(Segment).decode
_decode_wrapped = msgspec.json.Decoder(Wrapped).decode
_decode_trace = msgspec.json.Decoder(RawTrace).decode
_decode_answer = msgspec.json.Decoder(Answer).decode
_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode

NONE: frozenset[str] = frozenset()
UNREADABLE = (msgspec.MsgspecError, ValueError, TypeError, ArithmeticError, RecursionError)


class XRayReader:
    """Reads answers of BatchGetTraces, traces of them, and segment documents, as rows or as spans."""

    def __init__(self, table: ShapeTable) -> None:
        self._table = table
        self._values = table.values(lambda written: written[1] if written.__class__ is tuple else written)

    def whole(self, documents: Sequence[bytes]) -> list[Rows] | None:
        """The rows of each answer by trace id; None if a part of an answer cannot be read."""
        problems: list[str] = []
        try:
            found = with_valid_ids([self._read(document, problems.append) for document in documents])
        except UNREADABLE:
            return None
        return None if problems else found

    def rows(self, document: bytes, problem: Problem) -> Rows:
        """The rows of an answer by trace id. `problem` is called with the reason for each part that is left out."""
        found = self._read(document, problem)
        kept: Rows = defaultdict(list)
        for trace_id, rows in found.items():
            for row in rows:
                try:
                    row.span_id = checked(row.span_id, "id", 16)
                    row.parent_id = checked(row.parent_id, "parent_id", 16) if row.parent_id else ""
                    kept[trace_id].append(row)
                except ValueError as error:
                    problem(f"not a segment: {error}")
        return kept

    def spans(self, document: bytes, problem: Problem, wanted: Collection[str] | None = None) -> Iterator[Span]:
        """The spans of an answer, or only those of the `wanted` traces. `problem` is called as in `rows`."""
        for found in _found(document, problem):
            if wanted is None or found.trace_id in wanted:
                try:
                    yield _span(found)
                except UNREADABLE as error:
                    problem(f"not a segment: {reason_of(error)}")

    def _read(self, document: bytes, problem: Problem) -> Rows:
        found: Rows = defaultdict(list)
        for item in _found(document, problem):
            try:
                found[item.trace_id].append(self._row(item))
            except UNREADABLE as error:
                problem(f"not a segment: {reason_of(error)}")
        return found

    def _row(self, found: Found) -> Row:
        segment, start_ns = found.segment.document, found.segment.start_ns
        content = described(segment, subsegment=found.subsegment)
        attributes, table, values = content.attributes, self._table, self._values
        written = (content.scope, *map(content.resource.get, RESOURCE_KEYS))
        group = table.written.get(written)
        if group is None:
            group = table.written[written] = table.group(content.scope, content.resource)
        read = [
            values[key][value if value.__class__ is str else (value.__class__, value)]
            for key, value in attributes.items()
            if key in values
        ]
        numbers = sorted(read)
        route = table.routes[numbers.pop(0)] if numbers and numbers[0] < 0 else ""
        codes = (
            error_codes("", (event.attributes for event in exceptions_of(segment, start_ns))) if segment.cause else NONE
        )
        tried = [(event.time_ns, event.attributes[DELAY]) for event in attempts_in(attributes, start_ns)]
        attempts = window_of(tried) if tried else None
        read_name = content.name if content.name in READ_NAMES else ""
        key = (content.kind, content.status, codes, attempts is None, read_name, *numbers)
        shape = group.shapes.get(key) or group.shapes.get((content.name, key))
        if shape is None:
            about = About(content.name, content.scope, content.kind, content.status, None, codes, attempts is not None)
            shape = table.find(group, key, read, about)
        name = shape.name if content.name == shape.name else content.name
        return Row(segment.id, found.parent_id or "", start_ns, found.segment.end_ns or 0, shape, name, attempts, route)


def _span(found: Found) -> Span:
    segment, start_ns = found.segment.document, found.segment.start_ns
    content = described(segment, subsegment=found.subsegment)
    return Span(
        trace_id=found.trace_id,
        span_id=checked(segment.id, "id", 16),
        parent_id=checked(found.parent_id, "parent_id", 16) if found.parent_id else None,
        name=content.name,
        kind=content.kind,
        start_ns=start_ns,
        end_ns=found.segment.end_ns,
        status=content.status,
        attributes=content.attributes,
        events=(*exceptions_of(segment, start_ns), *attempts_in(content.attributes, start_ns)),
        links=tuple(_links(segment.links)),
        resource=content.resource,
        scope=Scope(content.scope),
    )


def _links(links: Any) -> Iterator[Link]:
    """The links of a segment to the segments of other traces that caused it, through a queue for example."""
    for link in links if isinstance(links, list) else ():
        match = TRACE_ID.match(str(link.get("trace_id")).lower()) if isinstance(link, dict) else None
        if match is not None and isinstance(link.get("id"), str):
            yield Link(match[1] + match[2], link["id"].lower())


def _found(document: bytes, problem: Problem) -> Iterator[Found]:
    """The segments and subsegments of a document."""
    members = _decode_members(document)
    if "Traces" in members:
        answer = _decode_answer(document)
        for raw in answer.traces:
            yield from _in_trace(raw, problem)
        if answer.unprocessed:
            count, first = len(answer.unprocessed), answer.unprocessed[0]
            problem(f"X-Ray did not answer for {count} traces: ask for {first} and the others again")
    elif "Segments" in members:
        yield from _in_trace(Raw(document), problem)
    elif "Document" in members:
        yield from _in_segments([Raw(document)], None, problem)
    else:
        yield from _in_documents([_segment(document, problem)], None, problem)


def _in_trace(raw: Raw, problem: Problem) -> Iterator[Found]:
    try:
        trace = _decode_trace(raw)
    except UNREADABLE:
        problem("an X-Ray trace must have Segments")
        return
    yield from _in_segments(trace.segments, trace.trace_id, problem)


def _in_segments(wrapped: list[Raw], trace_id: str | None, problem: Problem) -> Iterator[Found]:
    documents: list[Segment] = []
    for raw in wrapped:
        try:
            bare = "start_time" in _decode_members(raw)  # as libraries write answers that they have decoded
            inner = bytes(raw) if bare else _decode_wrapped(raw).document
            documents.append(inner if isinstance(inner, Segment) else _segment(inner, problem))
        except UNREADABLE as error:
            problem(f"not a segment document: {reason_of(error)}")
    yield from _in_documents(documents, trace_id, problem)


def _segment(document: str | bytes, problem: Problem) -> Segment:
    """A segment. A subsegment that is not valid is left out, and `problem` is called with the reason.

    Raises `MsgspecError` or `ValueError` if the segment itself is not valid.
    """
    try:
        return _decode_segment(document)
    except msgspec.ValidationError:
        whole = msgspec.json.decode(document)
        _drop_broken(whole, problem)
        return _decode_segment(msgspec.json.encode(whole))


def _drop_broken(document: Any, problem: Problem) -> None:
    subsegments = document.get("subsegments") if isinstance(document, dict) else None
    if subsegments is None:
        return
    kept = (
        [subsegment for subsegment in subsegments if isinstance(subsegment, dict)]
        if isinstance(subsegments, list)
        else []
    )
    if kept != subsegments:
        problem(f"subsegments must be objects, got {subsegments!r:.60}")
    document["subsegments"] = []
    for subsegment in kept:
        _drop_broken(subsegment, problem)
        try:
            _decode_segment(msgspec.json.encode(subsegment))
            document["subsegments"].append(subsegment)
        except msgspec.MsgspecError as error:
            problem(f"not a segment: {reason_of(error)}")


def _in_documents(documents: list[Segment], outer_id: str | None, problem: Problem) -> Iterator[Found]:
    # An inferred segment repeats the call that it was inferred from, so its children become children of the call.
    inferred = {item.id: item.parent_id for item in documents if item.inferred and item.parent_id}
    if documents and all(item.inferred for item in documents):
        problem("only inferred segments: what made these calls was not traced")
    tops: list[TimedSegment] = []
    for document in documents:
        try:
            tops.append(timed(document, problem))
        except UNREADABLE as error:
            problem(f"not a segment: {reason_of(error)}")
    restore_fractions(tops)
    for top in tops:
        document = top.document
        if document.inferred:
            continue
        try:
            trace_id = _trace_id(document.trace_id or outer_id)
        except ValueError as error:
            problem(str(error))
            continue
        _extend_to_attempts(top)
        parent_id = inferred.get(document.parent_id or "", document.parent_id)
        found = [Found(top, trace_id, parent_id, document.type == "subsegment")]
        for item in found:
            found += [Found(child, trace_id, item.segment.document.id, True) for child in item.segment.children]
        count_retries([item.segment.document for item in found])
        yield from found


def _extend_to_attempts(top: TimedSegment) -> None:
    """Extend the segment of an asynchronous invocation to the end of its queueing and its attempts.

    The Lambda service closes this segment with status 202 before they end, but the request's wall clock includes them.
    """
    http = top.document.http
    response = http.get("response") if isinstance(http, dict) else None
    if top.document.origin == SERVICE and isinstance(response, dict) and response.get("status") == 202:
        ends = [segment.end_ns for segment in (top, *top.children) if segment.end_ns is not None]
        top.end_ns = max(ends, default=None)


def _trace_id(value: str | None) -> str:
    match = TRACE_ID.match(value.lower()) if value is not None else None
    if match is None:
        raise ValueError(f"trace_id must read like 1-5759e988-bd862e3fe1be46a994272793, got {value!r:.60}")
    return match[1] + match[2]
