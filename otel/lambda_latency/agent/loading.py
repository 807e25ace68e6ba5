"""Sources that stay loaded between calls: their accounts, the quoted form of their names, and their traces by id."""

from __future__ import annotations

import os
import tempfile
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_latency.agent.brief import names_in
from lambda_latency.agent.errors import Cancelled, RefusedError
from lambda_latency.agent.quoting import Names, quoted
from lambda_latency.agent.roots import ARCHIVE_MARK
from lambda_latency.latency import Accounts, Progress, load, of_route, of_time, waterfall_of
from lambda_latency.trace import PLAIN, LineIndex, find_spans, find_traces, trace_id_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from lambda_latency.agent.options import AccountOptions
    from lambda_latency.agent.roots import Roots
    from lambda_latency.latency import Owners, Terms, Waterfall
    from lambda_latency.trace import Problem, Span, Trace

KEPT = 4  # sources in memory
MOST_ROUTES = 8  # that an error names


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool: `tell` sends its progress (bytes done, of how many), `is_gone` says that nobody waits."""

    tell: Callable[[int, int], None] = lambda _done, _size: None
    is_gone: Callable[[], bool] = lambda: False


@dataclass(slots=True)
class Loaded:
    """All requests of a source, with the owners of their parts; `accounts` have the names of the source."""

    name: str
    accounts: Accounts
    find: Callable[[Collection[str]], Mapping[str, Trace]]
    spans: Callable[[Collection[str]], Iterable[Span]]
    problems: list[Problem]
    owners: Owners
    names: Names
    _drawn: dict[str, tuple[Trace, Waterfall]] = field(default_factory=dict)

    def chosen(self, route: str | None, since_ns: int | None, until_ns: int | None) -> Accounts:
        """The requests of a route and a time. Raises `RefusedError` if there are none, `ReportError` for the time."""
        raw = self.names.raw(route) if route is not None else None
        routes = {kind.route for kind in self.accounts.kinds}
        if raw is not None and raw not in routes:
            seen = ", ".join(map(self.names, sorted(routes)[:MOST_ROUTES]))
            raise RefusedError(f"no request of the route {quoted(route)}", f"routes seen: {seen}")
        return of_time(of_route(self.accounts, raw), since_ns, until_ns)

    def drawn(self, trace_id: str) -> tuple[Trace, Waterfall]:
        """A trace and its waterfall; the last one is kept. Raises `RefusedError`."""
        wanted = trace_id_of(trace_id)
        if wanted not in self._drawn:
            trace = self.find([wanted]).get(wanted)
            if trace is None:
                raise RefusedError(
                    f"no trace {quoted(trace_id)} in {quoted(self.name)}", "why_slow and list_requests print the ids"
                )
            self._drawn = {wanted: (trace, waterfall_of(trace, self.owners))}
        return self._drawn[wanted]


class Loader:
    """Reads sources below the roots; the last few stay in memory while their files do not change."""

    def __init__(
        self,
        roots: Roots,
        terms: Terms,
        slow_ns: int | None = None,
        ignored: Collection[str] = (),
        account: AccountOptions | None = None,
    ) -> None:
        self.roots = roots
        self.terms, self.slow_ns, self.ignored, self.account = terms, slow_ns, ignored, account
        self._fetched: dict[str, Sequence[str]] = {}
        self._kept: OrderedDict[object, Loaded] = OrderedDict()

    def load(self, source: str | None, call: Call) -> Loaded:
        """The requests of a source; without one, of the newest trace file. Raises `RefusedError`."""
        name = source or self.roots.newest()
        mark = Path(name, ARCHIVE_MARK)
        if not any(letter in name for letter in "*?[") and (self.roots.path(name) / mark.name).is_file():
            return self._archive(name)
        problems: list[Problem] = []
        sources = self.roots.sources(name, problems)
        key = (name, tuple((str(one.path), *_state(one.path)) for one in sources))
        if key not in self._kept:
            index = LineIndex()
            progress = _Steps(call)
            accounts = load(sources, problems, progress, index, terms=self.terms)
            self._keep(
                key,
                self._settled(
                    name,
                    accounts,
                    lambda ids: find_traces(sources, ids, index, self.terms.view),
                    lambda ids: find_spans(sources, ids, index),
                    problems,
                ),
            )
        self._kept.move_to_end(key)
        found = self._kept[key]
        if not found.accounts:
            first = f": {quoted(found.problems[0], 200)}" if found.problems else ""
            raise RefusedError(f"no request in {quoted(name)}{first}", "a trace file is OTLP, Jaeger, Zipkin or X-Ray")
        return found

    def words(self, name: str) -> Sequence[str]:
        """The words of the command that reports on a source."""
        return self._fetched.get(name, ("report", name))

    def add_fetched(self, words: Sequence[str]) -> Path:
        """A new file for traces of the account, which is a source from now on; `words` fetch them again."""
        if not self._fetched:
            self.roots.add_fetched(Path(tempfile.mkdtemp(prefix="fetched-")))
        name = f"fetched-{len(self._fetched) + 1}.jsonl"
        self._fetched[name] = words
        return self.roots.folders[-1] / name

    def _archive(self, name: str) -> Loaded:
        from lambda_latency.archive import read_kept  # a slow import that only an archive needs

        path = self.roots.path(name)
        if self.terms.view != PLAIN:
            raise RefusedError("an archive is read as it was written", "remove the setting `from`")
        kept = read_kept(str(path))
        if not kept.accounts:
            raise RefusedError(f"no request in {quoted(name)}", "lambda-latency archive add FILE adds some")
        return self._settled(name, kept.accounts, kept.find, kept.spans_of, [])

    def _settled(
        self,
        name: str,
        accounts: Accounts,
        find: Callable[[Collection[str]], Mapping[str, Trace]],
        spans: Callable[[Collection[str]], Iterable[Span]],
        problems: list[Problem],
    ) -> Loaded:
        owners = self.terms.owners.settle(accounts)  # by the real names
        return Loaded(name, accounts, find, spans, problems, owners, Names(names_in(accounts)))

    def _keep(self, key: object, loaded: Loaded) -> None:
        self._kept[key] = loaded
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)


class _Steps(Progress):
    """Passes the progress of reading on, and ends it if nobody waits."""

    def __init__(self, call: Call) -> None:
        self._call, self._done, self._size = call, 0, 0

    def stage(self, name: str, size: int) -> None:  # noqa: ARG002 - as the report calls it
        self._done, self._size = 0, size

    def step(self, size: int) -> None:
        if self._call.is_gone():
            raise Cancelled
        self._done += size
        self._call.tell(self._done, self._size)


def _state(path: Path) -> tuple[int, int]:
    found = os.stat(path)  # noqa: PTH116
    return found.st_size, found.st_mtime_ns
