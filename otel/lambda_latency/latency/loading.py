"""From files to accounts, one for each trace: the fast way where it holds, the tolerant one for the rest."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from lambda_latency.latency.account import Account, account
from lambda_latency.latency.accounts import Accounts
from lambda_latency.latency.lean import add_account, new_reader
from lambda_latency.latency.places import Places
from lambda_latency.latency.progress import SILENT, Progress
from lambda_latency.trace import Trace
from lambda_latency.trace.blocks import blocks, is_compressed
from lambda_latency.trace.index import LineIndex
from lambda_latency.trace.lines import documents, documents_by_line, parse
from lambda_latency.trace.reading import spans_of_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lambda_latency.trace import Problem, Source, Span
    from lambda_latency.trace.blocks import Block
    from lambda_latency.trace.lean import LeanReader
    from lambda_latency.trace.wire import Rows

__all__ = ["Judge", "bytes_of", "judge_whole", "left_over", "load", "size_of"]

PACKED = 10  # times as much as gzip makes of it
IN_MEMORY = 96 * 1024 * 1024  # bytes of input; more is judged from disk, by as many processes as there are processors
MOST_WAITING = 2000  # traces with lines that wait for each other before they are put away


def load(
    sources: Sequence[Source],
    problems: list[Problem],
    progress: Progress = SILENT,
    index: LineIndex | None = None,
    processes: int | None = None,
) -> Accounts:
    """The accounts of all traces in some files, in any order. What cannot be read, or does not fit: in `problems`.

    `index` learns where the lines of each trace are. Neither the order of the files nor the number of `processes`
    (default: one, and for much input one for each processor) changes anything else. Raises `ReportError` where there is
    no room on disk for what is too much for memory.
    """
    index = LineIndex() if index is None else index
    found: list[Problem] = []
    progress.stage("reading", sum(map(bytes_of, sources)))
    if processes is None and sum(map(size_of, sources)) <= IN_MEMORY:
        accounts = _load(sources, found, progress.step, index)
    else:
        from lambda_latency.latency.shuffle import load_spilled  # few need it

        accounts = load_spilled(sources, found, progress, index, processes)
    problems += sorted(found, key=lambda one: (one.source, one.line or 0, one.reason, one.effect))
    return accounts


def _load(
    sources: Iterable[Source], problems: list[Problem], step: Callable[[int], None], index: LineIndex
) -> Accounts:
    reader = new_reader()
    others: dict[str, list[Span]] = {}
    accounts = Accounts()
    for source in sources:
        for spans in left_over(source, reader, problems, step, index):
            if source.whole:  # nothing of these traces comes later: what they take can be let go
                judge_whole(spans, accounts, problems)
            else:
                for span in spans:
                    others.setdefault(span.trace_id, []).append(span)
    Judge(reader, accounts).judge(reader.take(), others, problems)
    return accounts


def size_of(source: Source) -> int:
    """The bytes of a file, as they would be without compression."""
    try:
        return bytes_of(source) * (PACKED if is_compressed(source) else 1)
    except OSError:
        return 0


def bytes_of(source: Source) -> int:
    """The bytes of a file."""
    try:
        return source.path.stat().st_size
    except OSError:
        return 0  # it says so when it is read


def left_over(
    source: Source,
    reader: LeanReader,
    problems: list[Problem],
    step: Callable[[int], None],
    index: LineIndex,
    between: tuple[int, int] | None = None,
    put_away: Callable[[], None] | None = None,
) -> Iterator[Iterator[Span]]:
    """The spans of the documents that the fast reader does not take; those that it takes it keeps.

    `put_away` is called when it keeps many.
    """
    index.begin(source)

    def left_of(found: Iterable[Block]) -> Iterator[tuple[int, bytes]]:
        for block in found:
            told = reader.read(block.lines)
            if block.offsets:
                index.note(told, block.offsets)
            else:
                index.leave_out(source)
            if None in told:
                yield from (line for line, ids in zip(block.numbered(), told, strict=True) if ids is None)
            if put_away is not None and len(reader.parts) > MOST_WAITING:
                put_away()

    begin, rest = _first_two(blocks(source, problems, step, between))
    left = list(left_of(begin))
    # One document a line: what is broken is broken by itself. In another format, or in one document over many lines,
    # the tolerant reader has to see how it goes on.
    numbered = [line for block in begin for line in block.numbered()]
    by_line = len(left) < len(numbered) or (between is not None and between[0] > 0) or _are_documents(numbered)
    if by_line:
        read = documents_by_line(source, itertools.chain(left, left_of(rest)), problems)
    else:
        index.leave_out(source)
        following = (line for block in rest for line in block.numbered())
        read = documents(source, itertools.chain(numbered, following), problems)
    for document in read:
        yield spans_of_document(source, document, problems)


def _first_two(found: Iterator[Block]) -> tuple[list[Block], Iterator[Block]]:
    """The first two lines, and all after them."""
    begin: list[Block] = []
    lines = 0
    for block in found:
        begin.append(block.until(2 - lines))
        lines += len(begin[-1].lines)
        if lines == 2:
            return begin, itertools.chain([block.after(len(begin[-1].lines))], found)
    return begin, iter(())


def _are_documents(begin: Sequence[tuple[int, bytes]]) -> bool:
    """Are the first two lines export requests, each by itself, although the fast reader did not take them?"""
    return len(begin) == 2 and all(b'"resourceSpans"' in line and parse(line)[1] is None for _, line in begin)


class Judge:
    """Adds to `accounts` those of what a reader kept; all lines that it is to read are read."""

    def __init__(self, reader: LeanReader, accounts: Accounts) -> None:
        self._reader, self._accounts, self._places = reader, accounts, Places(reader, accounts)

    def judge(self, traces: Iterable[tuple[str, Rows]], others: dict[str, list[Span]], problems: list[Problem]) -> None:
        """Add some traces, and the spans that the tolerant reader made, which are let go."""
        accounts, places = self._accounts, self._places
        for trace_id, rows in traces:
            beside = others.pop(trace_id, None)
            if beside is not None or not add_account(trace_id, rows, places, accounts):
                accounts.append(_slowly([*self._reader.full(trace_id, rows), *(beside or ())], problems))
        while others:
            accounts.append(_slowly(others.popitem()[1], problems))


def judge_whole(spans: Iterable[Span], accounts: Accounts, problems: list[Problem]) -> None:
    """Add the accounts of traces of which there is no more than these spans."""
    traces: dict[str, list[Span]] = {}
    for span in spans:
        traces.setdefault(span.trace_id, []).append(span)
    for members in traces.values():
        accounts.append(_slowly(members, problems))


def _slowly(spans: list[Span], problems: list[Problem]) -> Account:
    trace = Trace(sorted(spans, key=lambda one: (one.start_ns, one.span_id)))
    problems += trace.problems
    return account(trace)
