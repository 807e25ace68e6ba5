"""Keeps sources loaded between calls: their breakdowns, the quoted form of their names, and their traces by id."""

from __future__ import annotations

import tempfile
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from lambda_latency.agent.brief import Find, names_in
from lambda_latency.agent.quoting import QuotedNames, quoted
from lambda_latency.agent.roots import ARCHIVE_MARK, Roots, is_pattern
from lambda_latency.agent.tools import AccountOptions, Cancelled, RefusedError
from lambda_latency.latency import (
    AnalysisOptions,
    Breakdowns,
    Owners,
    Progress,
    ReadSpans,
    Waterfall,
    instant,
    is_read,
    load,
    of_route,
    of_time,
    waterfall_of,
)
from lambda_latency.trace import (
    DEFAULT_VIEW,
    LineIndex,
    Problem,
    Source,
    Trace,
    find_attributes,
    find_traces,
    trace_id_of,
)

MOST_LOADED = 4  # sources in memory
MOST_ROUTES = 8  # that an error names


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool: `report` sends its progress (bytes done, all bytes), `is_gone` says that nobody waits."""

    report: Callable[[int, int], None] = lambda _done, _size: None
    is_gone: Callable[[], bool] = lambda: False


@dataclass(slots=True)
class Loaded:
    """All requests of a source, with the owners of their components; `breakdowns` have raw names."""

    name: str
    breakdowns: Breakdowns
    find: Find
    spans: ReadSpans
    problems: list[Problem]
    owners: Owners
    names: QuotedNames
    _drawn: dict[str, tuple[Trace, Waterfall]] = field(default_factory=dict)

    def chosen(self, route: str | None, since_ns: int | None, until_ns: int | None) -> Breakdowns:
        """Return the requests of a route and a window. Raises `RefusedError` (no such route), `ReportError` (time)."""
        raw = self.names.raw(route) if route is not None else None
        routes = {kind.route for kind in self.breakdowns.kinds}
        if raw is not None and raw not in routes:
            known_routes = ", ".join(map(self.names, sorted(routes)[:MOST_ROUTES]))
            raise RefusedError(f"no request of the route {quoted(route)}", f"routes seen: {known_routes}")
        return of_time(of_route(self.breakdowns, raw), since_ns, until_ns)

    def drawn(self, trace_id: str) -> tuple[Trace, Waterfall]:
        """Return a trace and its waterfall, and retain them until the next. Raises `RefusedError`."""
        full_id = trace_id_of(trace_id)
        if full_id not in self._drawn:
            trace = self.find([full_id]).get(full_id)
            if trace is None:
                remedy = "why_slow and list_requests print the ids"
                raise RefusedError(f"no trace {quoted(trace_id)} in {quoted(self.name)}", remedy)
            self._drawn = {full_id: (trace, waterfall_of(trace, self.owners))}
        return self._drawn[full_id]


class Loader:
    """Reads sources below the roots; the last few stay in memory while their files do not change."""

    def __init__(
        self,
        roots: Roots,
        analysis_options: AnalysisOptions,
        slow_ns: int | None = None,
        ignored: Collection[str] = (),
        account: AccountOptions | None = None,
    ) -> None:
        self.roots = roots
        self.analysis_options, self.slow_ns, self.ignored, self.account = analysis_options, slow_ns, ignored, account
        self._fetched: dict[str, Sequence[str]] = {}
        self._in_memory: OrderedDict[object, Loaded] = OrderedDict()

    def load(self, source: str | None, call: ToolCall) -> Loaded:
        """Load the requests of a source; without one, of the newest trace file with any. Raises `RefusedError`."""
        if source:
            return self._named(source, call)
        newest, *earlier = self.roots.newest()
        try:
            return self._named(newest, call)
        except RefusedError:
            for name in earlier:
                with suppress(RefusedError):
                    return self._named(name, call)
            raise

    def _named(self, name: str, call: ToolCall) -> Loaded:
        if not is_pattern(name) and (self.roots.path(name) / ARCHIVE_MARK).is_file():
            return self._archive(name)
        problems: list[Problem] = []
        sources = self.roots.sources(name, problems)
        states = [(source.path, source.path.stat()) for source in sources]
        key = (name, *((str(path), state.st_size, state.st_mtime_ns) for path, state in states))
        if key not in self._in_memory:
            self._in_memory[key] = self._read(name, sources, problems, call)
            while len(self._in_memory) > MOST_LOADED:
                self._in_memory.popitem(last=False)
        self._in_memory.move_to_end(key)
        loaded = self._in_memory[key]
        if not loaded.breakdowns:
            why = f": {quoted(loaded.problems[0], 200)}" if loaded.problems else ""
            raise RefusedError(f"no request in {quoted(name)}{why}", "a trace file is OTLP, Jaeger, Zipkin or X-Ray")
        return loaded

    def words(self, name: str) -> Sequence[str]:
        """Return the first words of the command that reports on a source, or of the `fetch` that fetched it."""
        return self._fetched.get(name, ("report", name))

    def add_fetched(self, words: Sequence[str]) -> Path:
        """Return a new source's file for traces of the AWS account; the command `words` fetches them again."""
        if not self._fetched:
            self.roots.add_fetched(Path(tempfile.mkdtemp(prefix="fetched-")))
        name = f"fetched-{len(self._fetched) + 1}.jsonl"
        self._fetched[name] = words
        return self.roots.folders[-1] / name

    def _read(self, name: str, sources: Sequence[Source], problems: list[Problem], call: ToolCall) -> Loaded:
        index = LineIndex()
        accounts = load(sources, problems, _Steps(call), index, options=self.analysis_options)
        find = partial(find_traces, sources, index=index, view=self.analysis_options.view)
        return self._settled(
            name, accounts, find, partial(find_attributes, sources, names=is_read, index=index), problems
        )

    def _archive(self, name: str) -> Loaded:
        from lambda_latency.archive import read_requests  # a slow import

        path = self.roots.path(name)
        if self.analysis_options.view != DEFAULT_VIEW:
            raise RefusedError("an archive is read as it was written", "remove the setting `from`")
        archived = read_requests(str(path))
        if not archived.breakdowns:
            raise RefusedError(f"no request in {quoted(name)}", "lambda-latency archive add FILE adds some")
        return self._settled(name, archived.breakdowns, archived.find, archived.spans_of, [])

    def _settled(
        self, name: str, accounts: Breakdowns, find: Find, spans: ReadSpans, problems: list[Problem]
    ) -> Loaded:
        owners = self.analysis_options.owners.settle(accounts)  # by the real names
        return Loaded(name, accounts, find, spans, problems, owners, QuotedNames(names_in(accounts)))


class _Steps(Progress):
    """Reports the progress of reading, and cancels it if nobody waits."""

    def __init__(self, call: ToolCall) -> None:
        self._call, self._done, self._size = call, 0, 0

    def stage(self, name: str, size: int) -> None:  # noqa: ARG002 - as the report calls it
        self._done, self._size = 0, size

    def step(self, size: int) -> None:
        if self._call.is_gone():
            raise Cancelled
        self._done += size
        self._call.report(self._done, self._size)


def time_of(text: str | None) -> int | None:
    """Return a time or an age as epoch nanoseconds. Raises `ValueError`."""
    return instant(text[:60], time.time_ns()) if text is not None else None
