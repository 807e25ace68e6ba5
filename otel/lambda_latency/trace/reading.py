"""Reads trace files as rows or as traces, and collects problems with file, line and reason."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from lambda_latency.trace.files.blocks import lines_at
from lambda_latency.trace.files.index import LineIndex
from lambda_latency.trace.files.sources import Source, find_sources
from lambda_latency.trace.model.compact_span import CompactTraces
from lambda_latency.trace.model.keys import EXECUTION_ARN
from lambda_latency.trace.model.problem import Problem
from lambda_latency.trace.model.request import DEFAULT_VIEW, View
from lambda_latency.trace.model.span import AttributedSpan, Span
from lambda_latency.trace.paths.joining import TracesByExecution, joined_ids, with_others
from lambda_latency.trace.readers.dialects import hex_id
from lambda_latency.trace.readers.documents import documents
from lambda_latency.trace.readers.formats import Reader
from lambda_latency.trace.trace import Trace

TRACE_ID = re.compile(rb'"traceId"\s*:\s*"([0-9a-f]{32})"')


class LoadedTraces(NamedTuple):
    """Traces in the order of their start, and problems: unreadable parts and contradictions in traces."""

    traces: tuple[Trace, ...]
    problems: tuple[Problem, ...]


def read_compact_spans(
    source: Source,
    reader: Reader,
    problems: list[Problem],
    index: LineIndex,
    step: Callable[[int], None] = lambda _: None,
    between: tuple[int, int] | None = None,
) -> Iterator[CompactTraces]:
    """Read a source, some documents at a time; yields `reader.traces` after each step, for the caller to empty.

    `index` gets the lines of each trace, and `problems` gets what cannot be read. `step` and `between` are those of
    `documents`.
    """
    index.begin(source)
    for block in documents(source, problems, step, between):
        trace_ids = reader.read(block.lines, partial(_add, problems, source.name, block.numbers))
        if block.offsets:
            index.note(trace_ids, block.offsets)
        else:
            index.leave_out(source)
        yield reader.traces


def read_traces(*paths: str | Path) -> LoadedTraces:
    """The traces of files, folders and patterns. A file that cannot be opened is one of the problems."""
    problems: list[Problem] = []
    spans: list[Span] = []
    for source in find_sources(paths, problems):
        spans += read_spans(source, problems)
    traces = traces_of(spans)
    return LoadedTraces(traces, (*problems, *(problem for trace in traces for problem in trace.problems)))


def read_trace(path: str | Path, trace_id: str) -> Trace | None:
    """The trace of a file with this id, in hex or as X-Ray writes it (`1-5759e988-bd862e3fe1be46a994272793`).

    None if the file has no such trace or cannot be read.
    """
    hex_id = trace_id_of(trace_id)
    return find_traces([Source(str(path), Path(path))], [hex_id]).get(hex_id)


def read_spans(path: str | Path | Source, problems: list[Problem]) -> Iterator[Span]:
    """The spans of a file, while it is read. `problems` gets what cannot be read."""
    source = path if isinstance(path, Source) else Source(str(path), Path(path))
    reader = Reader()
    for block in documents(source, problems):
        for index, document in enumerate(block.lines):
            yield from reader.spans(document, partial(_add, problems, source.name, block.numbers, index))


def find_traces(
    sources: Sequence[Source], trace_ids: Collection[str], index: LineIndex | None = None, view: View = DEFAULT_VIEW
) -> dict[str, Trace]:
    """The traces with these ids (32 hex digits), by id, without problems. With an `index` only their lines are read."""
    by_trace: dict[str, list[Span]] = {}
    for span in find_spans(sources, trace_ids, index):
        by_trace.setdefault(span.trace_id, []).append(span)
    if index is not None and len(by_trace) < len({*trace_ids}):
        return find_traces(sources, trace_ids, view=view)  # a file has changed since it was indexed
    return {trace_id: Trace(spans, view) for trace_id, spans in by_trace.items()}


def find_spans(sources: Sequence[Source], trace_ids: Collection[str], index: LineIndex | None = None) -> Iterator[Span]:
    """The spans of the traces with these ids, in any order: without trees, which take as long to build as to read.

    With an `index` only their lines are read.
    """
    joined = index.joined if index is not None else {}
    unique_ids = with_others(frozenset(trace_ids), joined)
    reader = Reader()
    for document in _documents_of(sources, unique_ids, index):
        for span in reader.spans(document, lambda _: None, unique_ids):
            yield replace(span, trace_id=joined[span.trace_id]) if span.trace_id in joined else span


def find_attributes(
    sources: Sequence[Source], trace_ids: Collection[str], names: Callable[[str], bool], index: LineIndex | None = None
) -> Iterator[Span | AttributedSpan]:
    """As `find_spans`, with at least the attributes of some `names`: of OTLP, other attributes are not decoded."""
    joined = index.joined if index is not None else {}
    unique_ids = with_others(frozenset(trace_ids), joined)
    reader = Reader()
    for document in _documents_of(sources, unique_ids, index):
        for span in reader.attributed(document, unique_ids, names):
            if span.trace_id not in joined:
                yield span
            elif isinstance(span, AttributedSpan):
                yield span._replace(trace_id=joined[span.trace_id])
            else:
                yield replace(span, trace_id=joined[span.trace_id])


def trace_id_of(text: str) -> str:
    """A trace id as 32 hex digits; the digest of any other text.

    The id may be 64 or 128 bits, in hex (with dashes, with `0x`, or as X-Ray writes it) or in base64.
    """
    return str(hex_id(text, 32))


def traces_of(spans: Iterable[Span]) -> tuple[Trace, ...]:
    """The traces of spans in any order, sorted by the start of their request's span."""
    by_trace: dict[str, list[Span]] = {}
    executions: TracesByExecution = defaultdict(set)
    for span in spans:
        by_trace.setdefault(span.trace_id, []).append(span)
        if EXECUTION_ARN in span.attributes:
            executions[str(span.attributes[EXECUTION_ARN])].add(span.trace_id)
    for trace_id, first_id in joined_ids(executions.values()).items():
        by_trace[first_id] += [replace(span, trace_id=first_id) for span in by_trace.pop(trace_id)]
    traces = [Trace(members) for members in by_trace.values()]
    return tuple(sorted(traces, key=lambda trace: (trace.request_root.start_ns, trace.trace_id)))


def _add(problems: list[Problem], source: str, numbers: Sequence[int], index: int, reason: str) -> None:
    problems.append(Problem(source, numbers[index], reason))


def _documents_of(sources: Iterable[Source], trace_ids: Collection[str], index: LineIndex | None) -> Iterator[bytes]:
    """The documents that may have spans of some traces. With an `index` only their lines are read."""
    ids = frozenset([trace_id.encode() for trace_id in trace_ids])
    for source in sources if trace_ids else ():
        offsets = index.offsets(source, trace_ids) if index is not None else None
        if offsets is None:
            for block in documents(source, []):
                yield from (document for document in block.lines if _may_have(document, ids))
        else:
            yield from (document for _, document in lines_at(source, offsets))


def _may_have(document: bytes, trace_ids: Collection[bytes]) -> bool:
    """Whether a document may have spans of some traces: a look at OTLP's ids is much faster than its decoding."""
    checked = 0
    for match in TRACE_ID.finditer(document):
        if match[1] in trace_ids:
            return True
        checked += 1
    return not checked or document.count(b'"traceId"') > checked or b'"traceID"' in document
