"""Reads X-Ray's documents: answers of `BatchGetTraces` (`aws xray batch-get-traces`), traces of them, and segments.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html describes the format. The documents of
the tests show what the AWS SDKs and the collector send.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw, Struct, field

from lambda_latency.trace.model.compact_span import DELAY, CompactSpan, CompactTraces, window_of, with_valid_ids
from lambda_latency.trace.model.ids import checked
from lambda_latency.trace.model.keys import RESOURCE_KEYS
from lambda_latency.trace.model.platform import FUNCTION, OUTER, READ_NAMES, SERVICE
from lambda_latency.trace.model.signature import Traits, error_codes
from lambda_latency.trace.model.span import Link, Scope, Span
from lambda_latency.trace.readers.dialects import OnProblem
from lambda_latency.trace.readers.mistakes import reason_of
from lambda_latency.trace.readers.otlp_message import decode_members
from lambda_latency.trace.readers.segment import (
    SegmentDocument,
    attempts_in,
    count_retries,
    described,
    exceptions_of,
    nanoseconds,
)
from lambda_latency.trace.readers.table import ShapeTable

MILLISECOND = 1_000_000
TRACE_ID = re.compile(r"1-([0-9a-f]{8})-([0-9a-f]{24})\Z")


class WrappedSegment(Struct, gc=False):
    document: str | SegmentDocument = field(name="Document")


class RawTrace(Struct, gc=False):
    segments: list[Raw] = field(name="Segments")
    trace_id: str | None = field(name="Id", default=None)


class BatchOfTraces(Struct, gc=False):
    """An answer of `BatchGetTraces`."""

    traces: list[Raw] = field(name="Traces")
    unprocessed: list[Any] | None = field(name="UnprocessedTraceIds", default=None)


@dataclass(slots=True)
class TimedSegment:
    """A segment, its times in nanoseconds since 1970 (`end_ns` is None if it was left open), and its subsegments."""

    document: SegmentDocument
    start_ns: int
    end_ns: int | None
    children: list[TimedSegment]


class PlacedSegment(NamedTuple):
    """A segment or subsegment of a trace, and the id of its parent."""

    segment: TimedSegment
    trace_id: str
    parent_id: str | None
    subsegment: bool


_decode_segment = msgspec.json.Decoder(SegmentDocument).decode
_decode_wrapped = msgspec.json.Decoder(WrappedSegment).decode
_decode_trace = msgspec.json.Decoder(RawTrace).decode
_decode_answer = msgspec.json.Decoder(BatchOfTraces).decode

NONE: frozenset[str] = frozenset()
UNREADABLE = (msgspec.MsgspecError, ValueError, TypeError, ArithmeticError, RecursionError)


class XRayReader:
    """Reads answers of BatchGetTraces, traces of them, and segment documents, as rows or as spans."""

    def __init__(self, table: ShapeTable) -> None:
        self._table = table
        self._values = table.values(lambda written: written[1] if written.__class__ is tuple else written)

    def whole(self, documents: Sequence[bytes]) -> list[CompactTraces] | None:
        """The rows of each answer by trace id; None if a part of an answer cannot be read."""
        problems: list[str] = []
        try:
            by_document = with_valid_ids([self._read(document, problems.append) for document in documents])
        except UNREADABLE:
            return None
        return None if problems else by_document

    def rows(self, document: bytes, problem: OnProblem) -> CompactTraces:
        """The rows of an answer by trace id. `problem` is called with the reason for each part that is left out."""
        by_trace = self._read(document, problem)
        valid: CompactTraces = defaultdict(list)
        for trace_id, compact_spans in by_trace.items():
            for compact in compact_spans:
                try:
                    compact.span_id = checked(compact.span_id, "id", 16)
                    compact.parent_id = checked(compact.parent_id, "parent_id", 16) if compact.parent_id else ""
                    valid[trace_id].append(compact)
                except ValueError as error:
                    problem(f"not a segment: {error}")
        return valid

    def spans(self, document: bytes, problem: OnProblem, trace_ids: Collection[str] | None = None) -> Iterator[Span]:
        """The spans of an answer, or only those of these `trace_ids`. `problem` is called as in `rows`."""
        for placed in _segments_of(document, problem):
            if trace_ids is None or placed.trace_id in trace_ids:
                try:
                    yield _span(placed)
                except UNREADABLE as error:
                    problem(f"not a segment: {reason_of(error)}")

    def _read(self, document: bytes, problem: OnProblem) -> CompactTraces:
        by_trace: CompactTraces = defaultdict(list)
        for placed in _segments_of(document, problem):
            try:
                by_trace[placed.trace_id].append(self._row(placed))
            except UNREADABLE as error:
                problem(f"not a segment: {reason_of(error)}")
        return by_trace

    def _row(self, placed: PlacedSegment) -> CompactSpan:
        segment, start_ns = placed.segment.document, placed.segment.start_ns
        content = described(segment, subsegment=placed.subsegment)
        attributes, table, numbers_of = content.attributes, self._table, self._values
        written = (content.scope, *map(content.resource.get, RESOURCE_KEYS))
        group = table.written.get(written)
        if group is None:
            group = table.written[written] = table.group(content.scope, content.resource)
        read = [
            numbers_of[key][value if value.__class__ is str else (value.__class__, value)]
            for key, value in attributes.items()
            if key in numbers_of
        ]
        numbers = sorted(read)
        route = table.routes[numbers.pop(0)] if numbers and numbers[0] < 0 else ""
        codes = NONE
        if segment.cause:
            codes = error_codes("", [event.attributes for event in exceptions_of(segment, start_ns)])
        tried = [(event.time_ns, event.attributes[DELAY]) for event in attempts_in(attributes, start_ns)]
        attempts = window_of(tried) if tried else None
        read_name = content.name if content.name in READ_NAMES else ""
        key = (content.kind, content.status, codes, attempts is None, read_name, *numbers)
        signature = group.signatures.get(key) or group.signatures.get((content.name, key))
        if signature is None:
            traits = Traits(
                content.name, content.scope, content.kind, content.status, None, codes, attempts is not None
            )
            signature = table.find(group, key, read, traits)
        name = signature.name if content.name == signature.name else content.name
        end_ns = placed.segment.end_ns or 0
        return CompactSpan(segment.id, placed.parent_id or "", start_ns, end_ns, signature, name, attempts, route)


def _span(placed: PlacedSegment) -> Span:
    segment, start_ns = placed.segment.document, placed.segment.start_ns
    content = described(segment, subsegment=placed.subsegment)
    return Span(
        trace_id=placed.trace_id,
        span_id=checked(segment.id, "id", 16),
        parent_id=checked(placed.parent_id, "parent_id", 16) if placed.parent_id else None,
        name=content.name,
        kind=content.kind,
        start_ns=start_ns,
        end_ns=placed.segment.end_ns,
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


def _segments_of(document: bytes, problem: OnProblem) -> Iterator[PlacedSegment]:
    """The segments and subsegments of a document."""
    members = decode_members(document)
    if "Traces" in members:
        answer = _decode_answer(document)
        for raw in answer.traces:
            yield from _in_trace(raw, problem)
        if answer.unprocessed:
            count, first_id = len(answer.unprocessed), answer.unprocessed[0]
            problem(f"X-Ray did not answer for {count} traces: ask for {first_id} and the others again")
    elif "Segments" in members:
        yield from _in_trace(Raw(document), problem)
    elif "Document" in members:
        yield from _in_segments([Raw(document)], None, problem)
    else:
        yield from _in_documents([_segment(document, problem)], None, problem)


def _in_trace(raw: Raw, problem: OnProblem) -> Iterator[PlacedSegment]:
    try:
        trace = _decode_trace(raw)
    except UNREADABLE:
        problem("an X-Ray trace must have Segments")
        return
    yield from _in_segments(trace.segments, trace.trace_id, problem)


def _in_segments(wrapped: list[Raw], trace_id: str | None, problem: OnProblem) -> Iterator[PlacedSegment]:
    documents: list[SegmentDocument] = []
    for raw in wrapped:
        try:
            bare = "start_time" in decode_members(raw)  # as libraries write answers that they have decoded
            inner = bytes(raw) if bare else _decode_wrapped(raw).document
            documents.append(inner if isinstance(inner, SegmentDocument) else _segment(inner, problem))
        except UNREADABLE as error:
            problem(f"not a segment document: {reason_of(error)}")
    yield from _in_documents(documents, trace_id, problem)


def _segment(document: str | bytes, problem: OnProblem) -> SegmentDocument:
    """A segment with its valid subsegments. Raises `MsgspecError` or `ValueError` if it is not valid itself."""
    try:
        return _decode_segment(document)
    except msgspec.ValidationError:
        whole = msgspec.json.decode(document)
        _drop_broken(whole, problem)
        return _decode_segment(msgspec.json.encode(whole))


def _drop_broken(document: Any, problem: OnProblem) -> None:
    subsegments = document.get("subsegments") if isinstance(document, dict) else None
    if subsegments is None:
        return
    listed = subsegments if isinstance(subsegments, list) else []
    objects = [subsegment for subsegment in listed if isinstance(subsegment, dict)]
    if objects != subsegments:
        problem(f"subsegments must be objects, got {subsegments!r:.60}")
    document["subsegments"] = []
    for subsegment in objects:
        _drop_broken(subsegment, problem)
        try:
            _decode_segment(msgspec.json.encode(subsegment))
            document["subsegments"].append(subsegment)
        except msgspec.MsgspecError as error:
            problem(f"not a segment: {reason_of(error)}")


def _in_documents(
    documents: list[SegmentDocument], outer_id: str | None, problem: OnProblem
) -> Iterator[PlacedSegment]:
    # An inferred segment repeats the call that it was inferred from, so its children become children of the call.
    inferred = {segment.id: segment.parent_id for segment in documents if segment.inferred and segment.parent_id}
    if documents and all(segment.inferred for segment in documents):
        problem("only inferred segments: what made these calls was not traced")
    segments = _all_timed(documents, problem)
    _restore_fractions(segments)
    for segment in segments:
        document = segment.document
        if document.inferred:
            continue
        try:
            trace_id = _trace_id(document.trace_id or outer_id)
        except ValueError as error:
            problem(str(error))
            continue
        _extend_to_attempts(segment)
        parent_id = inferred.get(document.parent_id or "", document.parent_id)
        yield from _with_subsegments(PlacedSegment(segment, trace_id, parent_id, document.type == "subsegment"))


def _with_subsegments(outer: PlacedSegment) -> list[PlacedSegment]:
    placed = [outer]
    for parent in placed:
        parent_id = parent.segment.document.id
        placed += [PlacedSegment(child, outer.trace_id, parent_id, True) for child in parent.segment.children]
    count_retries([inner.segment.document for inner in placed])
    return placed


def _all_timed(documents: Iterable[SegmentDocument], problem: OnProblem) -> list[TimedSegment]:
    segments: list[TimedSegment] = []
    for document in documents:
        try:
            segments.append(_timed(document, problem))
        except UNREADABLE as error:
            problem(f"not a segment: {reason_of(error)}")
    return segments


def _timed(document: SegmentDocument, problem: OnProblem) -> TimedSegment:
    """A segment with those of its subsegments whose times are valid. Raises `ValueError` if its own are not."""
    children = _all_timed(document.subsegments, problem) if document.subsegments else []
    start_ns = nanoseconds(document.start, "start_time")
    if start_ns is None:
        raise ValueError("start_time must be seconds since 1970, got null")
    end_ns = None if document.in_progress else nanoseconds(document.end, "end_time")
    return TimedSegment(document, start_ns, end_ns, children)


def _restore_fractions(segments: Sequence[TimedSegment]) -> None:
    """Move the ends of AWS's own segments of a trace to the exact ends that the invocation and its spans show.

    Their times lack fractions of milliseconds: a handler that ends at 900.4 ms below a segment that ends at "900" ms
    would lose the end of its last call, because a child is cut to its parent. An end in whole milliseconds moves by
    less than one millisecond. The start of an Overhead moves in the same way.
    """
    functions = [segment for segment in segments if segment.document.origin == FUNCTION]
    exact = {end_ns for function in functions for end_ns in _exact_ends(function, segments)}
    if exact:
        _move([segment for segment in segments if segment.document.origin in OUTER], sorted(exact))


def _exact_ends(function: TimedSegment, segments: Iterable[TimedSegment]) -> Iterator[int]:
    """The end of the invocation, if it has a fraction, and the ends of its child segments in its last millisecond."""
    invocations = [segment for segment in function.children if segment.document.name == "Invocation"]
    parent_ids = {segment.document.id for segment in (function, *invocations)}
    cut = (invocations or [function])[0].end_ns
    if cut is not None and cut % MILLISECOND:
        yield cut
    for segment in segments:
        if segment.document.parent_id in parent_ids and segment.end_ns is not None and _is_cut(cut, segment.end_ns):
            yield segment.end_ns


def _move(segments: Iterable[TimedSegment], exact: Iterable[int]) -> None:
    for segment in segments:
        start_ns, end_ns = segment.start_ns, segment.end_ns
        for end in exact:  # the last end in a millisecond wins
            if _is_cut(end_ns, end):
                segment.end_ns = end
            if segment.document.name == "Overhead" and _is_cut(start_ns, end):
                segment.start_ns = end
        _move(segment.children, exact)


def _is_cut(time_ns: int | None, exact_ns: int) -> bool:
    """Whether `time_ns` is a whole number of milliseconds and `exact_ns` lies in the millisecond that begins there."""
    return time_ns is not None and time_ns % MILLISECOND == 0 and 0 < exact_ns - time_ns < MILLISECOND


def _extend_to_attempts(segment: TimedSegment) -> None:
    """Extend the segment of an asynchronous invocation to the end of its queueing and its attempts.

    The Lambda service closes this segment with status 202 before they end, but the request's wall clock includes them.
    """
    http = segment.document.http
    response = http.get("response") if isinstance(http, dict) else None
    if segment.document.origin == SERVICE and isinstance(response, dict) and response.get("status") == 202:
        ends = [timed.end_ns for timed in (segment, *segment.children) if timed.end_ns is not None]
        segment.end_ns = max(ends, default=None)


def _trace_id(text: str | None) -> str:
    match = TRACE_ID.match(text.lower()) if text is not None else None
    if match is None:
        raise ValueError(f"trace_id must read like 1-5759e988-bd862e3fe1be46a994272793, got {text!r:.60}")
    return match[1] + match[2]
