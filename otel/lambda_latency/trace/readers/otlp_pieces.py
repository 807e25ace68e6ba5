"""Reads a request of OTLP/JSON span by span. A part that cannot be read is left out and reported."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import msgspec
from msgspec import Raw

from lambda_latency.trace.model.ids import checked
from lambda_latency.trace.readers.dialects import canonical_span, resource_spans
from lambda_latency.trace.readers.documents import AT_ONCE
from lambda_latency.trace.readers.mistakes import reason_of
from lambda_latency.trace.readers.otlp_message import (
    UNREADABLE,
    RawSpan,
    decode_any,
    decode_large,
    decode_span,
    resource_of,
    scope_of,
)

Problem = Callable[[str], object]
Batch: TypeAlias = "tuple[Raw, Raw, Sequence[RawSpan]]"  # a resource, a scope and spans

_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_list = msgspec.json.Decoder(list[Raw] | None).decode
NULL = Raw(b"null")
SNAKE = "trace_id"  # a member of a span that is written with the names of the .proto file


def _is_as_specified(document: bytes) -> bool:
    """Whether the names of all members are those of the specification."""
    try:
        request = decode_large(document)
        if f'"{SNAKE}"'.encode() not in document:
            return True
        scopes = [one for resource in request.resource_spans for one in resource.scope_spans or ()]
        return not any(SNAKE in _decode_members(span) for one in scopes for span in one.spans or ())
    except UNREADABLE:
        return False


def _as_specified(document: bytes, problem: Problem) -> bytes:
    """The request with the names and types of the specification; the same bytes if it has them already."""
    if _is_as_specified(document):
        return document
    try:
        return msgspec.json.encode({"resourceSpans": list(resource_spans(decode_any(document), problem))})
    except UNREADABLE as error:
        problem(f"not all of it can be read: {reason_of(error)}")
        return document


def piecewise(document: bytes, problem: Problem) -> Iterator[Batch]:
    """Batches of a resource, a scope and at most `AT_ONCE` spans.

    `problem` is called with the reason for each part that is left out.
    """
    for group in _items(_as_specified(document, problem), "resourceSpans", problem):
        for scope_spans in _items(group, "scopeSpans", problem):
            try:
                resource, scope = _member(group, "resource"), _member(scope_spans, "scope")
                resource_of(resource), scope_of(scope)
            except UNREADABLE as error:
                problem(f"not a resource and a scope: {reason_of(error)}")
                continue
            spans = _items(scope_spans, "spans", problem)
            for first in range(0, len(spans), AT_ONCE):
                decoded = [_decoded(raw, problem) for raw in spans[first : first + AT_ONCE]]
                yield resource, scope, [span for span in decoded if span is not None]


def _items(raw: bytes | Raw, key: str, problem: Problem) -> list[Raw]:
    """The objects in the list under a key. `problem` is called with the reason for each value that is not an object."""
    try:
        members = _decode_members(raw)
        found = _decode_list(members[key]) or [] if key in members else []
    except UNREADABLE as error:
        problem(f"{key} must be a list: {reason_of(error)}")
        return []
    for item in found:
        if not _is_object(item):
            problem(f"{key} must hold objects, got {bytes(item).decode(errors='replace')!s:.60}")
    return [item for item in found if _is_object(item)]


def _is_object(raw: Raw) -> bool:
    return memoryview(raw)[:1].tobytes() == b"{"  # bytes(raw) would copy a large value


def _member(raw: Raw, key: str) -> Raw:
    return _decode_members(raw).get(key, NULL)


def _decoded(raw: Raw, problem: Problem) -> RawSpan | None:
    """One span; None if it cannot be read, and `problem` is called with the reason."""
    try:
        try:
            span = decode_span(raw)
        except UNREADABLE:
            span = decode_span(_repaired(raw))
        return with_ids(span)
    except UNREADABLE as error:
        problem(f"not a span: {reason_of(error)}")
        return None


def with_ids(span: RawSpan) -> RawSpan:
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
    return msgspec.json.encode({key: value for key, value in span.items() if value not in (None, "")})
