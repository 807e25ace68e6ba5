"""Writes the spans of requests by hour, and those of a sample by day. Several processes write a large input."""

from __future__ import annotations

import gzip
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

from lambda_latency.archive.layout import day_of, sample_path, spans_path
from lambda_latency.archive.places import Place, place_of
from lambda_latency.archive.reading import ArchivedRequests
from lambda_latency.latency import (
    Breakdown,
    Breakdowns,
    Progress,
    WorkerPool,
    breakdown_of,
    processors,
    report_of,
    typical_ids,
    watched,
)
from lambda_latency.trace import LineIndex, Source, Span, Trace, dump_line, find_spans

AT_ONCE = 500  # traces in memory
PART = 4_000  # requests that one process writes at a time
HOUR_NS = 3600 * 1_000_000_000
# Requests of each route in a sample, besides those that a report on the added requests reads
FAIR, SLOWEST = 150, 30
OWN_CODE = "own code"


class AddedRequests(NamedTuple):
    """Trace files with their breakdowns, and the requests among them that the archive has already."""

    sources: Sequence[Source]
    lines: LineIndex
    breakdowns: Breakdowns
    archived: ArchivedRequests | None = None


@dataclass(slots=True)
class Rows:
    """Requests, with the paths of the files of their spans and of their sample by trace id, and the number of spans."""

    breakdowns: Breakdowns = field(default_factory=Breakdowns)
    spans: dict[str, str] = field(default_factory=dict)
    samples: dict[str, str] = field(default_factory=dict)
    count: int = 0

    def extend(self, rows: Rows) -> None:
        """Append other requests."""
        self.breakdowns.extend(rows.breakdowns)
        self.spans |= rows.spans
        self.samples |= rows.samples
        self.count += rows.count


def write_spans(where: str, folder: Path, requests: AddedRequests, progress: Progress) -> Rows:
    """Write the spans of requests to files in the archive `where`, by way of a local `folder`."""
    size, rows = len(requests.breakdowns), Rows()
    parts = [(begin, min(begin + PART, size)) for begin in range(0, size, PART)]
    progress.stage("adding", size)
    worker = partial(SpansWriter, where, folder, requests, sample_of(requests.breakdowns))
    with WorkerPool([worker] * min(processors(), len(parts)), {"write": len(parts)}) as pool:
        sizes = [end - begin for begin, end in parts]
        for _, written in watched(pool.share("write", parts), sizes, progress):
            rows.extend(written)
    return rows


def sample_of(breakdowns: Breakdowns) -> frozenset[str]:
    """Return the traces that a report on these requests reads, and a fair sample and the slowest of each route."""
    sampled: set[str] = set()

    def find(trace_ids: Iterable[str]) -> dict[str, Trace]:
        sampled.update(trace_ids)
        return {}

    def spans(trace_ids: Iterable[str]) -> tuple[Span, ...]:
        sampled.update(trace_ids)
        return ()

    report = report_of(breakdowns, find, spans=spans)
    for cause in report.groups.groups:
        if cause.edge.component.category == OWN_CODE:
            sampled.update(typical_ids(breakdowns, cause))
    kinds, by_route = list(breakdowns.kinds), defaultdict[str, list[int]](list)
    for index in breakdowns.order():
        by_route[kinds[breakdowns.kind_of[index]].route].append(index)
    for members in by_route.values():
        slowest = sorted(members, key=breakdowns.walls_ns.__getitem__)[-SLOWEST:]
        sampled.update(map(breakdowns.trace_id, [*slowest, *members[:: -(-len(members) // FAIR)]]))
    return frozenset(sampled)


class SpansWriter:
    """Writes the spans of parts of the requests. `sampled` are the trace ids of the sample."""

    def __init__(self, where: str, folder: Path, requests: AddedRequests, sampled: frozenset[str]) -> None:
        self._place, self._folder, self._requests, self._sampled = place_of(where), folder, requests, sampled

    def write(self, part: tuple[int, int]) -> Rows:
        """Write the spans of the requests from one index up to another; a file exists once it is complete."""
        rows = Rows()
        with ExitStack() as stack:
            by_hour, by_day = (stack.enter_context(closing(_Files(self._place, self._folder))) for _ in range(2))
            for request, spans in self._traces(self._requests.breakdowns[slice(*part)]):
                line, trace_id, start_ns = dump_line(spans).encode(), request.trace_id, request.start_ns
                rows.breakdowns.append(request)
                rows.spans[trace_id] = by_hour.write(line, start_ns // HOUR_NS, spans_path(start_ns))
                if trace_id in self._sampled:
                    rows.samples[trace_id] = by_day.write(line, day_of(start_ns), sample_path(start_ns))
                rows.count += len(spans)
            by_hour.finish()
            by_day.finish()
        return rows

    def _traces(self, breakdowns: Breakdowns) -> Iterator[tuple[Breakdown, Sequence[Span]]]:
        """Yield each request with its spans, merged with those that the archive has, in the given order."""
        sources, lines, _, archived = self._requests
        for start in range(0, len(breakdowns), AT_ONCE):
            batch = breakdowns[start : start + AT_ONCE]
            trace_ids = [batch.trace_id(number) for number in range(len(batch))]
            by_trace = _by_trace(find_spans(sources, trace_ids, lines))
            if len(by_trace) < len(trace_ids):  # a file has changed since it was indexed
                by_trace = _by_trace(find_spans(sources, trace_ids))
            earlier = archived.find(trace_ids) if archived is not None else {}
            for request in batch:
                spans = by_trace[request.trace_id]
                if request.trace_id in earlier:
                    trace = Trace([*earlier[request.trace_id].spans, *spans])
                    yield breakdown_of(trace), trace.spans
                else:
                    yield request, _distinct(spans)


def _by_trace(spans: Iterable[Span]) -> dict[str, list[Span]]:
    by_trace: dict[str, list[Span]] = {}
    for span in spans:
        by_trace.setdefault(span.trace_id, []).append(span)
    return by_trace


def _distinct(spans: Sequence[Span]) -> Sequence[Span]:
    """Return one span for each span id, by their start."""
    if len({span.span_id for span in spans}) < len(spans):
        return Trace(spans).spans
    return sorted(spans, key=lambda span: (span.start_ns, span.span_id))


class _Files:
    """Writes lines to files, one for each period, which exists once a line of the next period comes, or at the end."""

    def __init__(self, place: Place, folder: Path) -> None:
        self._place, self._unfinished = place, folder / f"{uuid.uuid4().hex}.gz"
        self._period: object = None
        self._path = ""
        self._file: gzip.GzipFile | None = None

    def write(self, line: bytes, period: object, path: str) -> str:
        """Write a line; return the path of its file, which is `path` for the first line of a period."""
        if self._file is None or period != self._period:
            self.finish()
            self._period, self._path = period, path
            self._file = gzip.open(self._unfinished, "wb", compresslevel=6)  # noqa: SIM115 - closed with the period
        self._file.write(line)
        return self._path

    def finish(self) -> None:
        """Complete the last file."""
        if self._file is not None:
            self._file.close()
            self._place.put(self._unfinished, self._path)

    def close(self) -> None:
        """Release the file, complete or not."""
        if self._file is not None:
            self._file.close()
