"""Trace files: what is readable in them as traces, and what is not as problems with file, line and reason.

A file is OTLP/JSON, Jaeger JSON or X-Ray's, known by its content; a trace may come in many lines and files.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lambda_latency.trace.blocks import lines
from lambda_latency.trace.document import spans_of
from lambda_latency.trace.index import LineIndex, lines_at
from lambda_latency.trace.lines import documents, documents_by_line, parse
from lambda_latency.trace.problem import Problem
from lambda_latency.trace.sources import Source, find_sources
from lambda_latency.trace.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from lambda_latency.trace.lines import Document
    from lambda_latency.trace.span import Span

__all__ = ["Reading", "find_traces", "read_spans", "read_trace", "read_traces", "spans_in", "trace_id_of", "traces_of"]

FEW = 100  # ids: to look for more of them in a line takes longer than to read it


class Reading(NamedTuple):
    """What was read: traces in the order of their start, and what could not be read or does not hold together."""

    traces: tuple[Trace, ...]
    problems: tuple[Problem, ...]


def read_traces(*paths: str | Path) -> Reading:
    """The traces of some files, folders and patterns; a file that cannot be opened is a problem like any other."""
    problems: list[Problem] = []
    spans: list[Span] = []
    for source in find_sources(paths, problems):
        spans += spans_in(source, problems)
    traces = traces_of(spans)
    return Reading(traces, (*problems, *(problem for trace in traces for problem in trace.problems)))


def read_trace(path: str | Path, trace_id: str) -> Trace | None:
    """One trace of a file, by its id in hex or as X-Ray writes it (`1-5759e988-bd862e3fe1be46a994272793`)."""
    wanted = trace_id_of(trace_id)
    return find_traces([Source(str(path), Path(path))], [wanted]).get(wanted)


def find_traces(
    sources: Sequence[Source], trace_ids: Collection[str], index: LineIndex | None = None
) -> dict[str, Trace]:
    """Some traces out of files that were read before: their problems are known, and only these spans are kept.

    Where an `index` knows their lines, only these are read.
    """
    found: dict[str, list[Span]] = {}
    wanted = frozenset(trace_ids)
    for source in sources if wanted else ():
        offsets = index.offsets(source, wanted) if index is not None else None
        if offsets is None:
            read = documents(source, _naming(lines(source, []), wanted), [])
        else:
            read = documents_by_line(source, _with(lines_at(source, offsets), wanted), [])
        for document in read:
            for span in spans_of_document(source, document, []):
                if span.trace_id in wanted:
                    found.setdefault(span.trace_id, []).append(span)
    if index is not None and len(found) < len(wanted):
        return find_traces(sources, wanted)  # a file is not what it was any more
    return {trace_id: Trace(spans) for trace_id, spans in found.items()}


def _naming(numbered: Iterator[tuple[int, bytes]], trace_ids: Collection[str]) -> Iterator[tuple[int, bytes]]:
    """The lines that name one of these traces, where each line is a document; else all of them."""
    begin = list(itertools.islice(numbered, 2))
    if begin and all(parse(line)[1] is not None for _, line in begin):
        yield from begin  # one document over many lines
        yield from numbered
        return
    yield from _with(itertools.chain(begin, numbered), trace_ids)


def _with(numbered: Iterable[tuple[int, bytes]], trace_ids: Collection[str]) -> Iterator[tuple[int, bytes]]:
    """The lines in which one of these ids stands; of many ids all lines."""
    if len(trace_ids) > FEW:
        yield from numbered
        return
    # Jaeger's may have lost its zeros, X-Ray's has dashes, and some exporters write capitals.
    short = [one.lstrip("0").encode() for one in trace_ids]
    plain = [*short, *(one.upper() for one in short)]
    dashed = [*plain, *(f"1-{one[:8]}-{one[8:]}".encode() for one in trace_ids)]
    for line in numbered:
        if any(form in line[1] for form in (plain if line[1].startswith(b'{"resourceSpans"') else dashed)):
            yield line


def trace_id_of(text: str) -> str:
    """A trace id in hex, however it was written."""
    wanted = text.strip().lower()
    return wanted[2:].replace("-", "") if wanted.startswith("1-") else wanted


def read_spans(path: str | Path, problems: list[Problem]) -> Iterator[Span]:
    """The spans of a file, as it is read; what cannot be read is added to `problems`."""
    return spans_in(Source(str(path), Path(path)), problems)


def spans_in(source: Source, problems: list[Problem], step: Callable[[int], None] = lambda _: None) -> Iterator[Span]:
    """The spans of a source, as it is read; `step` hears of the bytes, `problems` of what cannot be read."""
    for document in documents(source, lines(source, problems, step), problems):
        yield from spans_of_document(source, document, problems)


def spans_of_document(source: Source, document: Document, problems: list[Problem]) -> Iterator[Span]:
    """The spans of one document of a source."""

    def problem(reason: str) -> None:
        problems.append(Problem(source.name, document.line, reason))

    return spans_of(document.value, document.text, problem)


def traces_of(spans: Iterable[Span]) -> tuple[Trace, ...]:
    """Spans in any order as traces, in the order of their requests' start."""
    by_trace: dict[str, list[Span]] = {}
    for span in spans:
        by_trace.setdefault(span.trace_id, []).append(span)
    traces = [Trace(members) for members in by_trace.values()]
    return tuple(sorted(traces, key=lambda trace: (trace.outermost.start_ns, trace.trace_id)))
