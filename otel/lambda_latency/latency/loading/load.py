"""Loading of files as accounts, one for each trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.latency.accounts.columns import Accounts
from lambda_latency.latency.accounts.owners import USUAL, Terms
from lambda_latency.latency.judge.accounting import Judge
from lambda_latency.latency.loading.progress import SILENT, Progress, bytes_of, size_of
from lambda_latency.trace import LineIndex, Reader, read_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lambda_latency.trace import Problem, Source

IN_MEMORY = 48 * 1024 * 1024  # bytes of input; more is judged from disk, by one process per processor


def load(
    sources: Sequence[Source],
    problems: list[Problem],
    progress: Progress = SILENT,
    index: LineIndex | None = None,
    processes: int | None = None,
    terms: Terms = USUAL,
) -> Accounts:
    """The accounts of all traces in some files, in any order. Unreadable and inconsistent input is added to `problems`.

    `index` collects the positions of each trace's lines; `progress` receives the bytes done. Neither the order of the
    files nor the number of `processes` (default: one; for large input one for each processor) changes anything but the
    order of the accounts. Raises `ReportError` if large input does not fit on the disk.
    """
    index = LineIndex() if index is None else index
    found: list[Problem] = []
    progress.stage("reading", sum(map(bytes_of, sources)))
    if (processes or 1) == 1 and sum(map(size_of, sources)) <= IN_MEMORY:
        accounts = _load(sources, found, progress.step, index, terms)
    else:
        from lambda_latency.latency.loading.spilling import (
            load_spilled,  # rarely needed, and it imports multiprocessing
        )

        accounts = load_spilled(sources, found, progress, index, processes, terms)
    problems += sorted(found, key=lambda one: (one.source, one.line or 0, one.reason, one.effect))
    return accounts


def _load(
    sources: Iterable[Source], problems: list[Problem], step: Callable[[int], None], index: LineIndex, terms: Terms
) -> Accounts:
    accounts = Accounts()
    judge, reader = Judge(accounts, terms), Reader()
    for source in sources:
        for traces in read_rows(source, reader, problems, index, step):
            if source.whole:  # these traces are complete: their rows can be released
                judge.take(traces, problems)
    judge.take(reader.traces, problems)
    return accounts
