"""Reads export requests of OTLP/JSON: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding.

A request whose parts all fit the types is decoded at once. Any other request, and a large one, is decoded span by span.
Other formats are read by way of it: each has a function that turns a document into resources with their spans, or into
messages of OTLP.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import msgspec
from msgspec import Raw, Struct, field

from lambda_latency.trace.model.attributes import Attributes
from lambda_latency.trace.model.ids import NO_SPAN
from lambda_latency.trace.model.platform import READ_NAMES
from lambda_latency.trace.model.row import ATTEMPT, DELAY, Row, Rows, window_of, with_valid_ids
from lambda_latency.trace.model.shape import Shape, error_codes
from lambda_latency.trace.model.span import Span
from lambda_latency.trace.readers.dialects import hex_id
from lambda_latency.trace.readers.documents import AT_ONCE, LARGE
from lambda_latency.trace.readers.otlp_message import (
    UNREADABLE,
    RawSpan,
    RawStatus,
    Request,
    attributes_of,
    decode_large,
    decode_span,
    kind_of,
    remote_of,
    resource_of,
    scope_of,
    span_of,
    status_of,
    value_of,
)
from lambda_latency.trace.readers.otlp_pieces import Batch, Problem, piecewise, with_ids
from lambda_latency.trace.readers.otlp_writer import HAS_REMOTE, IS_REMOTE
from lambda_latency.trace.readers.table import About, Group, ShapeTable

__all__ = [
    "Batch",
    "ConvertedReader",
    "OtlpReader",
    "Problem",
    "ToBatches",
    "ToOtlp",
    "TranscodedReader",
    "grouped",
]


class SpanId(Struct, gc=False):
    """The trace id of a span. The other members are not decoded."""

    trace_id: str = field(name="traceId")


_decode = msgspec.json.Decoder(Request[RawSpan], strict=False).decode
_decode_id = msgspec.json.Decoder(SpanId).decode
UNSET = RawStatus()
NOTHING: tuple[frozenset[str], None] = (frozenset(), None)


class OtlpReader:
    """Reads export requests as rows or as spans."""

    def __init__(self, table: ShapeTable) -> None:
        self._table = table
        self._values = table.values(value_of)

    def whole(self, documents: Sequence[bytes]) -> list[Rows] | None:
        """The rows of each request by trace id; None if a part of a request cannot be read."""
        found: list[Rows] = []
        try:
            self._add(_whole(documents, found))
        except UNREADABLE:
            return None
        return with_valid_ids(found)

    def rows(self, document: bytes, problem: Problem) -> Rows:
        """The rows of a request by trace id. `problem` is called with the reason for each part that is left out."""
        return self.rows_of(piecewise(document, problem))

    def rows_of(self, batches: Iterable[Batch]) -> Rows:
        """The rows of batches by trace id."""
        found: Rows = defaultdict(list)
        self._add((found, *batch) for batch in batches)
        return found

    def spans(self, document: bytes, problem: Problem, wanted: Collection[str] | None = None) -> Iterator[Span]:
        """The spans of a request, or only those of the `wanted` traces. `problem` is called as in `rows`."""
        if wanted is not None:
            try:
                yield from list(_wanted(document, wanted))
                return
            except UNREADABLE:
                pass
        yield from _spans_in(piecewise(document, problem), wanted)

    def _add(self, batches: Iterable[tuple[Rows, Raw, Raw, Sequence[RawSpan]]]) -> None:
        """Add rows to their documents. A batch is the rows of a document, a resource, a scope and spans."""
        table, read = self._table, self._values.get
        no_id, read_names, remote_bits = NO_SPAN, READ_NAMES, HAS_REMOTE | IS_REMOTE
        for found, resource, scope, spans in batches:
            written = (bytes(resource), bytes(scope))
            group = table.written.get(written) or self._group(resource, scope)
            shapes = group.shapes
            for span in spans:  # the hot loop: a span that repeats an earlier one calls none of our functions
                name, status, parent_id = span.name or "", span.status or UNSET, span.parent_id or ""
                if parent_id == no_id:
                    parent_id = ""
                remote = (span.flags or 0) & remote_bits if parent_id else 0
                codes, attempts = _codes_and_window(span, status) if span.events or status.message else NOTHING
                numbers = []
                for pair in span.attributes or ():
                    values = read(pair.key)
                    if values is not None:
                        numbers.append(values[bytes(pair.value)])
                numbers.sort()
                route = table.routes[numbers.pop(0)] if numbers and numbers[0] < 0 else ""
                read_name = name if name in read_names else ""
                key = (span.kind, status.code, remote, codes, attempts is None, read_name, *numbers)
                shape = shapes.get(key) or shapes.get((name, key)) or self._find(group, key, span, codes, attempts)
                if name == shape.name:
                    name = shape.name  # all rows of the shape share one text
                found[span.trace_id].append(
                    Row(span.span_id, parent_id, span.start_ns, span.end_ns or 0, shape, name, attempts, route)
                )

    def _group(self, resource: Raw, scope: Raw) -> Group:
        group = self._table.group(scope_of(scope).name, resource_of(resource))
        self._table.written[bytes(resource), bytes(scope)] = group
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
        numbers = [values[pair.key][bytes(pair.value)] for pair in span.attributes or () if pair.key in values]
        kind, status, remote = kind_of(span), status_of(span), remote_of(span)
        about = About(span.name or "", group.scope, kind, status, remote, codes, attempts is not None)
        return self._table.find(group, key, numbers, about)


def _spans_in(batches: Iterable[Batch], wanted: Collection[str] | None) -> Iterator[Span]:
    """The spans of batches, or only those of the `wanted` traces."""
    for raw_resource, raw_scope, spans in batches:
        chosen = [span for span in spans if wanted is None or span.trace_id in wanted]
        if chosen:
            resource, scope = resource_of(raw_resource), scope_of(raw_scope)
            yield from (span_of(span, resource, scope) for span in chosen)


def _codes_and_window(span: RawSpan, status: RawStatus) -> tuple[frozenset[str], tuple[int, int] | None]:
    """The error codes and the window between the attempts, from a span's events and status message."""
    exceptions: list[Attributes] = []
    attempts: list[tuple[int, object]] = []
    for event in span.events or ():
        if event.name == "exception":
            exceptions.append(attributes_of(event.attributes))
        elif event.name == ATTEMPT:
            attempts.append((event.time_ns, attributes_of(event.attributes).get(DELAY)))
    return error_codes(status.message or "", exceptions), window_of(attempts) if attempts else None


def _whole(documents: Sequence[bytes], found: list[Rows]) -> Iterator[tuple[Rows, Raw, Raw, Sequence[RawSpan]]]:
    """The spans of requests, in batches for `OtlpReader._add`. The rows of each request are appended to `found`."""
    for document in documents:
        rows: Rows = defaultdict(list)
        found.append(rows)
        if len(document) > LARGE:
            yield from ((rows, *batch) for batch in _large(document))
            continue
        for group in _decode(document).resource_spans:
            for scope_spans in group.scope_spans or ():
                if scope_spans.spans:
                    yield rows, group.resource, scope_spans.scope, scope_spans.spans


def _large(document: bytes, wanted: Collection[str] | None = None) -> Iterator[tuple[Raw, Raw, Sequence[RawSpan]]]:
    """The spans of a request, or only those of the `wanted` traces, `AT_ONCE` at a time."""
    for group in decode_large(document).resource_spans:
        for scope_spans in group.scope_spans or ():
            spans = scope_spans.spans or []
            if wanted is not None:
                spans = [span for span in spans if hex_id(_decode_id(span).trace_id, 32) in wanted]
            for first in range(0, len(spans), AT_ONCE):
                yield group.resource, scope_spans.scope, list(map(decode_span, spans[first : first + AT_ONCE]))


def _wanted(document: bytes, wanted: Collection[str]) -> Iterator[Span]:
    """The spans of the wanted traces. Raises an error of `UNREADABLE` for a part that does not fit the types."""
    batches = _large(document, wanted) if len(document) > LARGE else (batch[1:] for batch in _whole([document], []))
    for raw_resource, raw_scope, spans in batches:
        found = [span for span in spans if hex_id(span.trace_id, 32) in wanted]
        if found:
            resource, scope = resource_of(raw_resource), scope_of(raw_scope)
            yield from (span_of(with_ids(span), resource, scope) for span in found)


# From a document and a callback for problems to the resources with their spans, in the form of OTLP/JSON.
ToOtlp: TypeAlias = "Callable[[bytes, Problem], Iterable[dict[str, Any]]]"

_encode = msgspec.json.Encoder().encode


class TranscodedReader:
    """Reads documents of one format as rows or as spans."""

    def __init__(self, otlp: OtlpReader, resources: ToOtlp) -> None:
        self._otlp, self._resources = otlp, resources

    def whole(self, documents: Sequence[bytes]) -> list[Rows] | None:  # noqa: ARG002 - the signature of all readers
        """None, so that each document is read by itself."""
        return None

    def rows(self, document: bytes, problem: Problem) -> Rows:
        """The rows of a document by trace id. `problem` is called with the reason for each part that is left out."""
        request = self._request(document, problem)
        whole = self._otlp.whole([request])
        return self._otlp.rows(request, problem) if whole is None else whole[0]

    def spans(self, document: bytes, problem: Problem, wanted: Collection[str] | None = None) -> Iterator[Span]:
        """The spans of a document, or only those of the `wanted` traces. `problem` is called as in `rows`."""
        yield from self._otlp.spans(self._request(document, problem), problem, wanted)

    def _request(self, document: bytes, problem: Problem) -> bytes:
        return _encode({"resourceSpans": list(self._resources(document, problem))})


# From a document and a callback for problems to batches of OTLP's messages.
ToBatches: TypeAlias = "Callable[[bytes, Problem], Iterable[Batch]]"


class ConvertedReader:
    """Reads documents of one format as rows or as spans, a span at a time: OTLP is never written as text."""

    def __init__(self, otlp: OtlpReader, batches: ToBatches) -> None:
        self._otlp, self._batches = otlp, batches

    def whole(self, documents: Sequence[bytes]) -> list[Rows] | None:  # noqa: ARG002 - the signature of all readers
        """None, so that each document is read by itself."""
        return None

    def rows(self, document: bytes, problem: Problem) -> Rows:
        """The rows of a document by trace id. `problem` is called with the reason for each part that is left out."""
        return self._otlp.rows_of(self._batches(document, problem))

    def spans(self, document: bytes, problem: Problem, wanted: Collection[str] | None = None) -> Iterator[Span]:
        """The spans of a document, or only those of the `wanted` traces. `problem` is called as in `rows`."""
        return _spans_in(self._batches(document, problem), wanted)


def grouped(spans: Iterable[tuple[dict[str, Any], str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """The resources of OTLP/JSON, from spans that each come with their resource and the name of their scope."""
    resources: dict[tuple[str, str], dict[str, Any]] = {}
    for resource, scope, span in spans:
        group = resources.setdefault(
            (repr(resource), scope),
            {"resource": resource, "scopeSpans": [{"scope": {"name": scope}, "spans": []}]},
        )
        group["scopeSpans"][0]["spans"].append(span)
    return list(resources.values())
