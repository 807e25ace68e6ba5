"""Reads trace files as rows or as traces, and collects problems with file, line and reason."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lambda_latency.trace.files.blocks import lines_at
from lambda_latency.trace.files.index import LineIndex
from lambda_latency.trace.files.sources import Source, find_sources
from lambda_latency.trace.model.problem import Problem
from lambda_latency.trace.model.request import PLAIN, View
from lambda_latency.trace.readers.dialects import hex_id
from lambda_latency.trace.readers.documents import documents
from lambda_latency.trace.readers.formats import Reader
from lambda_latency.trace.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from lambda_latency.trace.model.row import Rows
    from lambda_latency.trace.model.span import Span

TRACE_ID = re.compile(rb'"traceId"\s*:\s*"([0-9a-f]{32})"')


class Reading(NamedTuple):
    """Traces in the order of their start, and problems: unreadable parts and contradictions in traces."""

    traces: tuple[Trace, ...]
    problems: tuple[Problem, ...]


def read_rows(
    source: Source,
    reader: Reader,
    problems: list[Problem],
    index: LineIndex,
    step: Callable[[int], None] = lambda _: None,
    between: tuple[int, int] | None = None,
) -> Iterator[Rows]:
    """Read a source, some documents at a time; yields `reader.traces` after each step, for the caller to empty.

    `index` gets the lines of each trace, and `problems` gets what cannot be read. `step` is called with the number of
    bytes that were read since its last call. `between` are two offsets in a file with one document a line: the lines
    that begin at or after the first and before the second are read.
    """
    index.begin(source)
    for block in documents(source, problems, step, between):
        found = reader.read(block.lines, partial(_add_of_block, problems, source.name, block.numbers))
        if block.offsets:
            index.note(found, block.offsets)
        else:
            index.leave_out(source)
        yield reader.traces


def read_traces(*paths: str | Path) -> Reading:
    """The traces of files, folders and patterns. A file that cannot be opened is one of the problems."""
    problems: list[Problem] = []
    spans: list[Span] = []
    for source in find_sources(paths, problems):
        spans += _spans_in(source, problems)
    traces = traces_of(spans)
    return Reading(traces, (*problems, *(problem for trace in traces for problem in trace.problems)))


def read_trace(path: str | Path, trace_id: str) -> Trace | None:
    """The trace of a file with this id, in hex or as X-Ray writes it (`1-5759e988-bd862e3fe1be46a994272793`).

    None if the file has no such trace or cannot be read.
    """
    wanted = trace_id_of(trace_id)
    return find_traces([Source(str(path), Path(path))], [wanted]).get(wanted)


def read_spans(path: str | Path | Source, problems: list[Problem]) -> Iterator[Span]:
    """The spans of a file, while it is read. `problems` gets what cannot be read."""
    return _spans_in(path if isinstance(path, Source) else Source(str(path), Path(path)), problems)


def find_traces(
    sources: Sequence[Source], trace_ids: Collection[str], index: LineIndex | None = None, view: View = PLAIN
) -> dict[str, Trace]:
    """The traces with these ids (32 hex digits), by id, without problems. With an `index` only their lines are read."""
    found: dict[str, list[Span]] = {}
    wanted = frozenset(trace_ids)
    reader = Reader()
    for source in sources if wanted else ():
        for span in _wanted_in(source, reader, wanted, index):
            found.setdefault(span.trace_id, []).append(span)
    if index is not None and len(found) < len(wanted):
        return find_traces(sources, wanted, view=view)  # a file has changed since it was indexed
    return {trace_id: Trace(spans, view) for trace_id, spans in found.items()}


def find_spans(sources: Sequence[Source], trace_ids: Collection[str], index: LineIndex | None = None) -> Iterator[Span]:
    """The spans of the traces with these ids, in any order: without trees, which take as long to build as to read.

    With an `index` only their lines are read.
    """
    wanted = frozenset(trace_ids)
    reader = Reader()
    for source in sources if wanted else ():
        yield from _wanted_in(source, reader, wanted, index)


def trace_id_of(text: str) -> str:
    """A trace id as 32 hex digits; the digest of any other text.

    The id may be 64 or 128 bits, in hex (with dashes, with `0x`, or as X-Ray writes it) or in base64.
    """
    return str(hex_id(text, 32))


def traces_of(spans: Iterable[Span]) -> tuple[Trace, ...]:
    """The traces of spans in any order, sorted by the start of the outermost span."""
    by_trace: dict[str, list[Span]] = {}
    for span in spans:
        by_trace.setdefault(span.trace_id, []).append(span)
    traces = [Trace(members) for members in by_trace.values()]
    return tuple(sorted(traces, key=lambda trace: (trace.outermost.start_ns, trace.trace_id)))


def _add(problems: list[Problem], source: str, line: int, reason: str) -> None:
    problems.append(Problem(source, line, reason))


def _add_of_block(problems: list[Problem], source: str, numbers: Sequence[int], at: int, reason: str) -> None:
    _add(problems, source, numbers[at], reason)


def _spans_in(source: Source, problems: list[Problem]) -> Iterator[Span]:
    reader = Reader()
    for block in documents(source, problems):
        for number, document in zip(block.numbers, block.lines, strict=True):
            yield from reader.spans(document, partial(_add, problems, source.name, number))


def _wanted_in(source: Source, reader: Reader, wanted: Collection[str], index: LineIndex | None) -> Iterator[Span]:
    offsets = index.offsets(source, wanted) if index is not None else None
    if offsets is None:
        ids = frozenset([trace_id.encode() for trace_id in wanted])
        read = (document for block in documents(source, []) for document in block.lines if _may_have(document, ids))
    else:
        read = (document for _, document in lines_at(source, offsets))
    for document in read:
        yield from reader.spans(document, lambda _: None, wanted)


def _may_have(document: bytes, wanted: Collection[bytes]) -> bool:
    """Whether a document may have spans of some traces: a look at OTLP's ids is much faster than its decoding."""
    seen = 0
    for found in TRACE_ID.finditer(document):
        if found[1] in wanted:
            return True
        seen += 1
    return not seen or document.count(b'"traceId"') > seen or b'"traceID"' in document
