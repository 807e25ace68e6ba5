"""Loading of files as breakdowns, one for each trace."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from lambda_latency.latency.analysis.analyzer import Analyzer
from lambda_latency.latency.breakdowns.columns import Breakdowns
from lambda_latency.latency.breakdowns.owners import DEFAULT_OPTIONS, AnalysisOptions
from lambda_latency.latency.loading.progress import SILENT, Progress, bytes_of, size_of
from lambda_latency.trace import LineIndex, Problem, Reader, Source, join_executions, read_compact_spans

# Bytes of input; more is judged from disk, by one process per processor
IN_MEMORY = 48 * 1024 * 1024


def load(
    sources: Sequence[Source],
    problems: list[Problem],
    progress: Progress = SILENT,
    index: LineIndex | None = None,
    processes: int | None = None,
    options: AnalysisOptions = DEFAULT_OPTIONS,
) -> Breakdowns:
    """Return the breakdowns of all traces in files, in any order. Unreadable or inconsistent input goes to `problems`.

    `index` collects the positions of each trace's lines; `progress` receives the bytes done. Neither the order of the
    files nor the number of `processes` (default: one; for large input one for each processor) changes anything but the
    order of the breakdowns. Raises `ReportError` if large input does not fit on the disk.
    """
    index = LineIndex() if index is None else index
    new_problems: list[Problem] = []
    progress.stage("reading", sum(map(bytes_of, sources)))
    if (processes or 1) == 1 and sum(map(size_of, sources)) <= IN_MEMORY:
        breakdowns = _load(sources, new_problems, progress.step, index, options)
    else:
        # Rarely needed, and it imports multiprocessing
        from lambda_latency.latency.loading.spilling import load_spilled

        breakdowns = load_spilled(sources, new_problems, progress, index, processes, options)
    problems += sorted(new_problems, key=lambda p: (p.source, p.line or 0, p.reason, p.effect))
    return breakdowns


def _load(
    sources: Iterable[Source],
    problems: list[Problem],
    step: Callable[[int], None],
    index: LineIndex,
    options: AnalysisOptions,
) -> Breakdowns:
    breakdowns = Breakdowns()
    analyzer, reader = Analyzer(breakdowns, options), Reader()
    for source in sources:
        for traces in read_compact_spans(source, reader, problems, index, step):
            if source.whole and not reader.has_executions:  # these traces are complete: their spans can be released
                analyzer.take(traces, problems)
    if reader.has_executions:
        index.joined |= join_executions(reader.traces)
    analyzer.take(reader.traces, problems)
    return breakdowns
