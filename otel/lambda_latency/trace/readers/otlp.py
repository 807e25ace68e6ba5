"""Reads export requests of OTLP/JSON: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding.

A request whose parts all fit the types is decoded at once. Any other request, and a large one, is decoded span by span;
a part that cannot be read is left out and reported.
Other formats are read by way of it: each has a function that turns a document into resources with their spans, or into
messages of OTLP.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, TypeAlias, TypeVar

import msgspec
from msgspec import Raw, Struct, field

from lambda_latency.trace.model.attributes import EMPTY, Attributes
from lambda_latency.trace.model.compact_span import (
    ATTEMPT,
    DELAY,
    CompactSpan,
    CompactTraces,
    window_of,
    with_valid_ids,
)
from lambda_latency.trace.model.ids import NO_SPAN, checked
from lambda_latency.trace.model.platform import READ_NAMES
from lambda_latency.trace.model.signature import Signature, Traits, error_codes
from lambda_latency.trace.model.span import AttributedSpan, Span
from lambda_latency.trace.readers.dialects import OnProblem, canonical_span, hex_id, resource_spans
from lambda_latency.trace.readers.documents import AT_ONCE, LARGE
from lambda_latency.trace.readers.mistakes import reason_of
from lambda_latency.trace.readers.otlp_message import (
    UNREADABLE,
    ExportRequest,
    RawSpan,
    RawStatus,
    attributes_of,
    decode_any,
    decode_large,
    decode_members,
    decode_span,
    kind_of,
    remote_of,
    resource_of,
    scope_of,
    span_of,
    status_of,
    value_of,
)
from lambda_latency.trace.readers.otlp_writer import HAS_REMOTE, IS_REMOTE
from lambda_latency.trace.readers.table import Group, Key, ShapeTable

Batch: TypeAlias = "tuple[Raw, Raw, Sequence[RawSpan]]"  # a resource, a scope and spans
Window: TypeAlias = "tuple[int, int] | None"  # from the end of a call's first attempt to the start of its last one


class SpanId(Struct, gc=False):
    """The trace id of a span. The other members are not decoded."""

    trace_id: str = field(name="traceId")


_decode = msgspec.json.Decoder(ExportRequest[RawSpan], strict=False).decode
_decode_id = msgspec.json.Decoder(SpanId).decode
_decode_members = msgspec.json.Decoder(list[Raw] | None).decode
UNSET = RawStatus()
NULL = Raw(b"null")
# A member of a span that is written with the names of the .proto file
SNAKE = "trace_id"
MOST_REPEATED = 4096  # encoded values and resources whose decoded ones are cached
NOTHING: tuple[frozenset[str], None] = (frozenset(), None)


class OtlpReader:
    """Reads export requests as rows or as spans."""

    def __init__(self, table: ShapeTable) -> None:
        self._table = table
        self._values = table.values(value_of)

    def whole(self, documents: Sequence[bytes]) -> list[CompactTraces] | None:
        """The rows of each request by trace id; None if a part of a request cannot be read."""
        by_document: list[CompactTraces] = []
        try:
            self._add(_whole(documents, by_document))
        except UNREADABLE:
            return None
        return with_valid_ids(by_document)

    def rows(self, document: bytes, problem: OnProblem) -> CompactTraces:
        """The rows of a request by trace id. `problem` is called with the reason for each part that is left out."""
        return self.rows_of(_piecewise(document, problem))

    def rows_of(self, batches: Iterable[Batch]) -> CompactTraces:
        """The rows of batches by trace id."""
        by_trace: CompactTraces = defaultdict(list)
        self._add((by_trace, *batch) for batch in batches)
        return by_trace

    def spans(self, document: bytes, problem: OnProblem, trace_ids: Collection[str] | None = None) -> Iterator[Span]:
        """The spans of a request, or only those of these `trace_ids`. `problem` is called as in `rows`."""
        if trace_ids is not None:
            try:
                batches = _batches_of_traces(document, trace_ids)
                with_ids = ((resource, scope, list(map(_with_ids, spans))) for resource, scope, spans in batches)
                yield from list(_spans_in(with_ids, None))
                return
            except UNREADABLE:
                pass
        yield from _spans_in(_piecewise(document, problem), trace_ids)

    def attributed(
        self, document: bytes, trace_ids: Collection[str], names: Callable[[str], bool]
    ) -> list[AttributedSpan] | None:
        """The spans of traces with their attributes of some `names`; None if a part of the request cannot be read."""
        spans: list[AttributedSpan] = []
        try:
            for raw_resource, _, batch in _batches_of_traces(document, trace_ids):
                resource = _resource_of(bytes(raw_resource)) if batch else EMPTY
                spans += [_attributed(span, resource, names) for span in batch]
        except UNREADABLE:
            return None
        return spans

    def _add(self, batches: Iterable[tuple[CompactTraces, Raw, Raw, Sequence[RawSpan]]]) -> None:
        """Add rows to their documents. A batch is the rows of a document, a resource, a scope and spans."""
        table, numbers_of = self._table, self._values.get
        no_id, read_names, remote_bits = NO_SPAN, READ_NAMES, HAS_REMOTE | IS_REMOTE
        for by_trace, resource, scope, spans in batches:
            written = (bytes(resource), bytes(scope))
            group = table.written.get(written) or self._group(resource, scope)
            signatures = group.signatures
            # The hot loop: a span that repeats an earlier one calls none of our functions
            for span in spans:
                name, status, parent_id = span.name or "", span.status or UNSET, span.parent_id or ""
                if parent_id == no_id:
                    parent_id = ""
                remote = (span.flags or 0) & remote_bits if parent_id else 0
                codes, attempts = _codes_and_window(span, status) if span.events or status.message else NOTHING
                numbers = []
                for pair in span.attributes or ():
                    value_numbers = numbers_of(pair.key)
                    if value_numbers is not None:
                        numbers.append(value_numbers[bytes(pair.value)])
                numbers.sort()
                route = table.routes[numbers.pop(0)] if numbers and numbers[0] < 0 else ""
                read_name = name if name in read_names else ""
                key = (span.kind, status.code, remote, codes, attempts is None, read_name, *numbers)
                signature = (
                    signatures.get(key) or signatures.get((name, key)) or self._find(group, key, span, codes, attempts)
                )
                if name == signature.name:
                    name = signature.name  # all rows of the signature share one text
                by_trace[span.trace_id].append(
                    CompactSpan(
                        span.span_id, parent_id, span.start_ns, span.end_ns or 0, signature, name, attempts, route
                    )
                )

    def _group(self, resource: Raw, scope: Raw) -> Group:
        group = self._table.group(scope_of(scope).name, resource_of(resource))
        self._table.written[bytes(resource), bytes(scope)] = group
        return group

    def _find(self, group: Group, key: Key, span: RawSpan, codes: frozenset[str], attempts: Window) -> Signature:
        numbers_of = self._values
        numbers = [numbers_of[pair.key][bytes(pair.value)] for pair in span.attributes or () if pair.key in numbers_of]
        kind, status, remote = kind_of(span), status_of(span), remote_of(span)
        traits = Traits(span.name or "", group.scope, kind, status, remote, codes, attempts is not None)
        return self._table.find(group, key, numbers, traits)


_resource_of = lru_cache(maxsize=MOST_REPEATED)(lambda written: resource_of(Raw(written)))
_value_of = lru_cache(maxsize=MOST_REPEATED)(value_of)


def _attributed(span: RawSpan, resource: Attributes, names: Callable[[str], bool]) -> AttributedSpan:
    pairs = [pair for pair in span.attributes or () if names(pair.key)]
    attributes = {pair.key: _value_of(bytes(pair.value)) for pair in pairs}
    trace_id, end_ns = str(hex_id(span.trace_id, 32)), span.end_ns or None
    return AttributedSpan(trace_id, span.name or "", kind_of(span), span.start_ns, end_ns, attributes, resource)


def _spans_in(batches: Iterable[Batch], trace_ids: Collection[str] | None) -> Iterator[Span]:
    """The spans of batches, or only those of these `trace_ids`."""
    for raw_resource, raw_scope, spans in batches:
        chosen = [span for span in spans if trace_ids is None or span.trace_id in trace_ids]
        if chosen:
            resource, scope = resource_of(raw_resource), scope_of(raw_scope)
            yield from (span_of(span, resource, scope) for span in chosen)


def _codes_and_window(span: RawSpan, status: RawStatus) -> tuple[frozenset[str], Window]:
    """The error codes and the window between the attempts, from a span's events and status message."""
    exceptions: list[Attributes] = []
    attempts: list[tuple[int, object]] = []
    for event in span.events or ():
        if event.name == "exception":
            exceptions.append(attributes_of(event.attributes))
        elif event.name == ATTEMPT:
            attempts.append((event.time_ns, attributes_of(event.attributes).get(DELAY)))
    return error_codes(status.message or "", exceptions), window_of(attempts) if attempts else None


def _whole(
    documents: Sequence[bytes], by_document: list[CompactTraces]
) -> Iterator[tuple[CompactTraces, Raw, Raw, Sequence[RawSpan]]]:
    """The spans of requests, in batches for `OtlpReader._add`. `by_document` gets the rows of each request."""
    for document in documents:
        compact_spans: CompactTraces = defaultdict(list)
        by_document.append(compact_spans)
        if len(document) > LARGE:
            yield from ((compact_spans, *batch) for batch in _large(document))
            continue
        for group in _decode(document).resource_spans:
            for scope_spans in group.scope_spans or ():
                if scope_spans.spans:
                    yield compact_spans, group.resource, scope_spans.scope, scope_spans.spans


def _large(document: bytes, trace_ids: Collection[str] | None = None) -> Iterator[tuple[Raw, Raw, Sequence[RawSpan]]]:
    """The spans of a request, or only those of these `trace_ids`, `AT_ONCE` at a time."""
    for group in decode_large(document).resource_spans:
        for scope_spans in group.scope_spans or ():
            spans = scope_spans.spans or []
            if trace_ids is not None:
                spans = [span for span in spans if hex_id(_decode_id(span).trace_id, 32) in trace_ids]
            for begin in range(0, len(spans), AT_ONCE):
                yield group.resource, scope_spans.scope, list(map(decode_span, spans[begin : begin + AT_ONCE]))


def _batches_of_traces(document: bytes, trace_ids: Collection[str]) -> Iterator[Batch]:
    """The spans of these traces. Raises an error of `UNREADABLE` for a part that does not fit the types."""
    batches = _large(document, trace_ids) if len(document) > LARGE else (batch[1:] for batch in _whole([document], []))
    for resource, scope, spans in batches:
        yield resource, scope, [span for span in spans if _is_of(span.trace_id, trace_ids)]


def _is_of(trace_id: str, trace_ids: Collection[str]) -> bool:
    return trace_id in trace_ids or hex_id(trace_id, 32) in trace_ids


def _piecewise(document: bytes, problem: OnProblem) -> Iterator[Batch]:
    """Batches of a resource, a scope and at most `AT_ONCE` spans."""
    for group in _items(_as_specified(document, problem), "resourceSpans", problem):
        for scope_spans in _items(group, "scopeSpans", problem):
            try:
                resource, scope = _member(group, "resource"), _member(scope_spans, "scope")
                resource_of(resource), scope_of(scope)
            except UNREADABLE as error:
                problem(f"not a resource and a scope: {reason_of(error)}")
                continue
            spans = _items(scope_spans, "spans", problem)
            for begin in range(0, len(spans), AT_ONCE):
                decoded = [_decoded(raw, problem) for raw in spans[begin : begin + AT_ONCE]]
                yield resource, scope, [span for span in decoded if span is not None]


def _items(raw: bytes | Raw, key: str, problem: OnProblem) -> list[Raw]:
    """The objects in the list under a key. `problem` is called with the reason for each value that is not an object."""
    try:
        fields = decode_members(raw)
        members = _decode_members(fields[key]) or [] if key in fields else []
    except UNREADABLE as error:
        problem(f"{key} must be a list: {reason_of(error)}")
        return []
    for member in members:
        if not _is_object(member):
            problem(f"{key} must hold objects, got {bytes(member).decode(errors='replace')!s:.60}")
    return [member for member in members if _is_object(member)]


def _is_object(raw: Raw) -> bool:
    return memoryview(raw)[:1].tobytes() == b"{"  # bytes(raw) would copy a large value


def _member(raw: Raw, key: str) -> Raw:
    return decode_members(raw).get(key, NULL)


def _decoded(raw: Raw, problem: OnProblem) -> RawSpan | None:
    """One span; None if it cannot be read, and `problem` is called with the reason."""
    try:
        try:
            span = decode_span(raw)
        except UNREADABLE:
            span = decode_span(_repaired(raw))
        return _with_ids(span)
    except UNREADABLE as error:
        problem(f"not a span: {reason_of(error)}")
        return None


def _with_ids(span: RawSpan) -> RawSpan:
    """The same span with ids in lower case or as digests. Raises `ValueError` for an id that is empty or zeros."""
    span.trace_id = checked(span.trace_id, "traceId", 32)
    span.span_id = checked(span.span_id, "spanId", 16)
    parent_id = span.parent_id or ""
    span.parent_id = checked(parent_id, "parentSpanId", 16) if parent_id.strip("0") else ""
    return span


def _repaired(raw: Raw) -> bytes:
    """A span in the form of the specification, without empty values. Raises `ValueError` without an id or a start."""
    span = canonical_span(decode_any(raw))
    checked(span.get("traceId"), "traceId", 32)
    checked(span.get("spanId"), "spanId", 16)
    if span.get("startTimeUnixNano") in (None, "", 0, "0"):
        raise ValueError("startTimeUnixNano is missing: a span without a start has no place in time")
    return msgspec.json.encode({key: member for key, member in span.items() if member not in (None, "")})


def _is_as_specified(document: bytes) -> bool:
    """Whether the names of all members are those of the specification."""
    try:
        request = decode_large(document)
        if f'"{SNAKE}"'.encode() not in document:
            return True
        scopes = [scope_spans for resource in request.resource_spans for scope_spans in resource.scope_spans or ()]
        return not any(SNAKE in decode_members(span) for scope_spans in scopes for span in scope_spans.spans or ())
    except UNREADABLE:
        return False


def _as_specified(document: bytes, problem: OnProblem) -> bytes:
    """The request with the names and types of the specification; the same bytes if it has them already."""
    if _is_as_specified(document):
        return document
    try:
        return msgspec.json.encode({"resourceSpans": list(resource_spans(decode_any(document), problem))})
    except UNREADABLE as error:
        problem(f"not all of it can be read: {reason_of(error)}")
        return document


# From a document and a callback for problems to the resources with their spans, in the form of OTLP/JSON.
ToOtlp: TypeAlias = "Callable[[bytes, OnProblem], Iterable[dict[str, Any]]]"

_encode = msgspec.json.Encoder().encode


class TranscodedReader:
    """Reads documents of one format as rows or as spans."""

    def __init__(self, otlp: OtlpReader, resources: ToOtlp) -> None:
        self._otlp, self._resources = otlp, resources

    def whole(self, documents: Sequence[bytes]) -> list[CompactTraces] | None:  # noqa: ARG002 - the signature of all readers
        """None, so that each document is read by itself."""
        return None

    def rows(self, document: bytes, problem: OnProblem) -> CompactTraces:
        """The rows of a document by trace id. `problem` is called with the reason for each part that is left out."""
        request = self._request(document, problem)
        whole = self._otlp.whole([request])
        return self._otlp.rows(request, problem) if whole is None else whole[0]

    def spans(self, document: bytes, problem: OnProblem, trace_ids: Collection[str] | None = None) -> Iterator[Span]:
        """The spans of a document, or only those of these `trace_ids`. `problem` is called as in `rows`."""
        yield from self._otlp.spans(self._request(document, problem), problem, trace_ids)

    def _request(self, document: bytes, problem: OnProblem) -> bytes:
        return _encode({"resourceSpans": list(self._resources(document, problem))})


class ConvertedReader:
    """Reads documents of one format as rows or as spans, a span at a time: OTLP is never written as text."""

    def __init__(self, otlp: OtlpReader, batches: Callable[[bytes, OnProblem], Iterable[Batch]]) -> None:
        self._otlp, self._batches = otlp, batches

    def whole(self, documents: Sequence[bytes]) -> list[CompactTraces] | None:  # noqa: ARG002 - the signature of all readers
        """None, so that each document is read by itself."""
        return None

    def rows(self, document: bytes, problem: OnProblem) -> CompactTraces:
        """The rows of a document by trace id. `problem` is called with the reason for each part that is left out."""
        return self._otlp.rows_of(self._batches(document, problem))

    def spans(self, document: bytes, problem: OnProblem, trace_ids: Collection[str] | None = None) -> Iterator[Span]:
        """The spans of a document, or only those of these `trace_ids`. `problem` is called as in `rows`."""
        return _spans_in(self._batches(document, problem), trace_ids)


Written = TypeVar("Written")  # a span in the form of another format
# A resource, the name of a scope and a span, in the form of OTLP/JSON.
Converted: TypeAlias = "tuple[dict[str, Any], str, dict[str, Any]]"


def converted(
    documents: Iterable[Written], convert: Callable[[Written], Converted], kind: str, problem: OnProblem
) -> list[dict[str, Any]]:
    """The resources of OTLP/JSON with the converted spans, which are grouped by their resource and scope."""
    resources: dict[tuple[str, str], dict[str, Any]] = {}
    for document in documents:
        try:
            resource, scope, span = convert(document)
        except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
            problem(f"not {kind}: {reason_of(error)}")
            continue
        group = resources.setdefault(
            (repr(resource), scope),
            {"resource": resource, "scopeSpans": [{"scope": {"name": scope}, "spans": []}]},
        )
        group["scopeSpans"][0]["spans"].append(span)
    return list(resources.values())
