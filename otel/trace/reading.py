"""Trace files: what is readable in them as traces, and what is not as problems with file, line and reason.

A file is OTLP/JSON, one document a line or a single document over many lines, plain or gzip; the spans of a trace may
come in many lines and files.
"""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from otel.trace.otlp import spans_of
from otel.trace.problem import Problem
from otel.trace.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from io import BufferedReader

    from otel.trace.span import Span

__all__ = ["Reading", "read_spans", "read_trace", "read_traces", "traces_of"]

GZIP = b"\x1f\x8b"


class Reading(NamedTuple):
    """What was read: traces in the order of their start, and what could not be read or does not hold together."""

    traces: tuple[Trace, ...]
    problems: tuple[Problem, ...]


def read_traces(*paths: str | Path) -> Reading:
    """The traces of some files; a file that cannot be opened is a problem like any other."""
    problems: list[Problem] = []
    spans: list[Span] = []
    for path in paths:
        spans += read_spans(path, problems)
    traces = traces_of(spans)
    return Reading(traces, (*problems, *(problem for trace in traces for problem in trace.problems)))


def read_trace(path: str | Path, trace_id: str) -> Trace | None:
    """One trace of a file, by its id in hex or as X-Ray writes it (`1-5759e988-bd862e3fe1be46a994272793`)."""
    wanted = trace_id.lower()
    wanted = wanted[2:].replace("-", "") if wanted.startswith("1-") else wanted
    spans = [span for span in read_spans(path, []) if span.trace_id == wanted]
    return Trace(spans) if spans else None


def read_spans(path: str | Path, problems: list[Problem]) -> Iterator[Span]:
    """The spans of a file, as it is read; what cannot be read is added to `problems`."""
    source = str(path)
    for line, document in _documents(Path(path), problems):

        def problem(reason: str, line: int = line) -> None:
            problems.append(Problem(source, line, reason))

        yield from spans_of(document, problem)


def traces_of(spans: Iterable[Span]) -> tuple[Trace, ...]:
    """Spans in any order as traces, in the order of their requests' start."""
    by_trace: dict[str, list[Span]] = {}
    for span in spans:
        by_trace.setdefault(span.trace_id, []).append(span)
    traces = [Trace(members) for members in by_trace.values()]
    return tuple(sorted(traces, key=lambda trace: (trace.outermost.start_ns, trace.trace_id)))


def _documents(path: Path, problems: list[Problem]) -> Iterator[tuple[int, object]]:
    """Each JSON document of a file with the line on which it begins."""
    source = str(path)
    lines = enumerate(_lines(path, problems), 1)
    for number, line in lines:
        if not line.strip():
            continue
        document, reason = _parse(line)
        if reason is None:
            yield number, document
            yield from _rest(source, lines, problems)
            return
        # Either one document over many lines, or the first line of many is broken: only all of it tells.
        rest = list(lines)
        document, whole = _parse(b"".join([line, *(text for _, text in rest)]))
        if whole is None:
            yield number, document
            return
        broken = [Problem(source, number, reason)]
        read = list(_rest(source, iter(rest), broken))
        if any(isinstance(document, dict) and "resourceSpans" in document for _, document in read):
            problems += broken
            yield from read
        else:
            problems.append(Problem(source, number, whole))
        return


def _rest(source: str, lines: Iterator[tuple[int, bytes]], problems: list[Problem]) -> Iterator[tuple[int, object]]:
    for number, line in lines:
        if line.strip():
            document, reason = _parse(line)
            if reason is None:
                yield number, document
            else:
                problems.append(Problem(source, number, reason))


def _lines(path: Path, problems: list[Problem]) -> Iterator[bytes]:
    try:
        with path.open("rb") as file, _plain(file) as stream:
            yield from stream
    except (OSError, EOFError, zlib.error) as error:
        # A broken gzip still gives the lines before the break: they were read already.
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        problems.append(Problem(str(path), None, reason))


def _plain(file: BufferedReader) -> BufferedReader | gzip.GzipFile:
    if file.peek(2)[:2] == GZIP:  # by content: a name says what somebody meant, not what is inside
        return gzip.GzipFile(fileobj=file, mode="rb")
    return file


def _parse(text: bytes) -> tuple[object, str | None]:
    """A document, or why it is none."""
    try:
        return json.loads(text.strip().decode("utf-8-sig")), None
    except UnicodeDecodeError:
        return None, "not text: bytes that are no UTF-8"
    except json.JSONDecodeError as error:
        if not text.rstrip().endswith((b"}", b"]")):
            return None, f"cut or not JSON: {error.msg} (column {error.colno})"
        return None, f"not JSON: {error.msg} (column {error.colno})"
    except RecursionError:
        return None, "not read: nested too deeply"
    except ValueError as error:
        return None, f"not JSON: {error}"
