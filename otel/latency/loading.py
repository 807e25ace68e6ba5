"""From files to accounts, one for each trace: the fast way where it holds, the tolerant one for the rest."""

from __future__ import annotations

import itertools
from array import array
from typing import TYPE_CHECKING

from otel.latency.account import Account, account
from otel.latency.lean import lean_account, new_reader
from otel.latency.places import Places
from otel.trace import Trace
from otel.trace.index import LineIndex
from otel.trace.lines import Document, documents, documents_by_line, lines
from otel.trace.reading import spans_of_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from otel.trace import Problem, Source, Span
    from otel.trace.lean import LeanReader

__all__ = ["load"]


def load(
    sources: Iterable[Source],
    problems: list[Problem],
    step: Callable[[int], None] = lambda _: None,
    index: LineIndex | None = None,
) -> list[Account]:
    """The accounts of all traces in some files; what cannot be read, or does not fit, is added to `problems`.

    `index` learns where the lines of each trace are.
    """
    index = LineIndex() if index is None else index
    reader = new_reader()
    others: dict[str, list[Span]] = {}
    accounts: list[Account] = []
    for source in sources:
        for document in _read(source, reader, problems, step, index):
            traces = {} if source.whole else others
            for span in spans_of_document(source, document, problems):
                traces.setdefault(span.trace_id, []).append(span)
            if source.whole:  # nothing of these traces comes later: what they take can be let go
                accounts += [_slowly(members, problems) for members in traces.values()]
    accounts += _accounts(reader, others, problems)
    return accounts


def _read(
    source: Source, reader: LeanReader, problems: list[Problem], step: Callable[[int], None], index: LineIndex
) -> Iterator[Document]:
    """The documents that the fast reader does not take; those that it takes it keeps."""
    begins = array("q")
    numbered = lines(source, problems, step, begins)
    index.begin(source)

    def left_of(numbered: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
        read, note = reader.read, index.note
        for line in numbered:
            if not read(line[1]):
                index.leave_out(source)
                yield line
            elif begins:
                note(reader.last, begins[-1])
            else:
                index.leave_out(source)

    begin: list[tuple[int, bytes]] = []
    left = list(left_of(_noting(itertools.islice(numbered, 2), begin)))
    if len(left) < len(begin):  # one document a line: what is broken is broken by itself
        yield from documents_by_line(source, itertools.chain(left, left_of(numbered)), problems)
    else:  # another format, or one document over many lines: the tolerant reader has to see how it goes on
        yield from documents(source, itertools.chain(begin, numbered), problems)


def _noting(numbered: Iterable[tuple[int, bytes]], noted: list[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    for line in numbered:
        noted.append(line)
        yield line


def _accounts(reader: LeanReader, others: dict[str, list[Span]], problems: list[Problem]) -> Iterator[Account]:
    places = Places(reader)
    while reader.traces:
        trace_id, spans = reader.traces.popitem()  # and let go of it: the accounts need the room
        beside = others.pop(trace_id, None)
        found = lean_account(spans, places) if beside is None else None
        if found is None:
            full = [reader.full(span) for span in spans]
            found = _slowly([*full, *(beside or ())], problems)
        yield found
    for members in others.values():
        yield _slowly(members, problems)


def _slowly(spans: list[Span], problems: list[Problem]) -> Account:
    trace = Trace(spans)
    problems += trace.problems
    return account(trace)
