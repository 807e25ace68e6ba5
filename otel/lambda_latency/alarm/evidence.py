"""The traces for an alarm: slow ones and others of its window, and traces of the hour before."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol, TextIO

from lambda_latency.alarm.event import Alarm
from lambda_latency.fetch import Choice, FetchError, NothingFoundError, Result, Selection
from lambda_latency.trace import Source

MOST = 150  # traces per kind: a tenth of a cent
HOUR_NS = 60 * 60 * 1_000_000_000
# Added after the change, because the window's last requests end later.
AFTER_NS = 30 * 1_000_000_000
RECENT_NS = 10 * 60 * 1_000_000_000
WAITS_S = (0, 2, 4)  # before each further request for late traces
MOST_BILLED = 5 * 10**9  # bytes scanned per search: 2.5 cents


class Fetches(Protocol):
    """An account, as `lambda_latency.fetch.Account`."""

    def fetch(self, query: Selection, path: Path, err: TextIO, /, *, waits_s: Sequence[float]) -> Result: ...


@dataclass(frozen=True, slots=True)
class Unreachable:
    """An account that does not answer: every fetch raises `error`, which says why."""

    error: FetchError

    def fetch(self, _query: Selection, _path: Path, _err: TextIO, *, waits_s: Sequence[float]) -> Result:
        """Raises the error."""
        del waits_s
        raise self.error


@dataclass(slots=True)
class Evidence:
    """Files of traces, sentences about them (`read`), and reasons for missing ones (`lacks`).

    `chosen`: slow or failing traces of the alarm's window; `sample`: traces of any kind in it; `hour_before`: traces of
    the hour before. `traces`: the number that X-Ray charges for, scanned or retrieved; `billed`: the bytes that Logs
    Insights scanned.
    """

    chosen: list[Source] = field(default_factory=list)
    sample: list[Source] = field(default_factory=list)
    hour_before: list[Source] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    lacks: list[str] = field(default_factory=list)
    traces: int = 0
    billed: int = 0
    region: str = ""


def fetched(account: Fetches, alarm: Alarm, folder: Path, left_s: Callable[[], float]) -> Evidence:
    """Fetches the traces for an alarm into files in a folder, at most `MOST` of each kind, the newest.

    `left_s` returns the seconds that are left; at 0, no further kind is fetched. Errors of AWS are in `lacks`.
    """
    begin, end = alarm.begin_ns, alarm.at_ns + AFTER_NS
    kinds = [_Kind("traces of any kind", "sample", Choice(), begin, end)]
    if alarm.threshold_ns is not None:
        kinds.insert(0, _Kind("slow traces", "chosen", Choice(slower_ns=alarm.threshold_ns), begin, end))
    elif alarm.measure == "errors":
        kinds.insert(0, _Kind("failing traces", "chosen", Choice(errors=True), begin, end))
    # X-Ray takes whole seconds and includes both ends: a trace that begins with the window would be its own baseline.
    kinds.append(_Kind("traces of the hour before", "hour_before", Choice(), begin - HOUR_NS, begin - 10**9))
    return _all(account, alarm, kinds, folder, left_s)


def recent(account: Fetches, alarm: Alarm, folder: Path) -> Evidence:
    """Return the newest traces of the time in which an alarm was found to be over, as `sample`."""
    begin = max(alarm.begin_ns, alarm.at_ns - RECENT_NS)
    since = _Kind("traces since then", "sample", Choice(), begin, alarm.at_ns + AFTER_NS)
    return _all(account, alarm, [since], folder, lambda: 1.0)


class _Kind(NamedTuple):
    """A kind of traces to fetch, and its field of the evidence."""

    name: str
    field: str
    choice: Choice
    since_ns: int
    until_ns: int


def _all(account: Fetches, alarm: Alarm, kinds: Sequence[_Kind], folder: Path, left_s: Callable[[], float]) -> Evidence:
    evidence = Evidence(region=alarm.region)
    counts: list[str] = []
    where = ""
    for number, kind in enumerate(kinds):
        if left_s() <= 0:
            evidence.lacks.append(f"Time ran out before {kind.name} were read.")
            continue
        query = Selection(kind.since_ns, kind.until_ns, kind.choice, MOST, most_billed=MOST_BILLED)
        try:
            result = account.fetch(query, folder / f"{number}.jsonl", io.StringIO(), waits_s=WAITS_S)
        except NothingFoundError:
            continue
        except FetchError as error:
            evidence.lacks.append(f"No {kind.name}: {error.what}{f': {error.todo}' if error.todo else ''}.")
            continue
        totals, where = result.fetched, f"{result.store} in {result.region}"
        getattr(evidence, kind.field).append(Source(result.source, result.path))
        counts.append(f"{totals.traces:,} {kind.name}")
        evidence.traces += totals.scanned + totals.traces
        evidence.billed += totals.billed
        reasons = [problem.reason for problem in result.problems if problem.effect == "skipped"]
        evidence.lacks += [f"Of the {kind.name}: {reason}." for reason in reasons]
    if counts:
        evidence.read.append(f"Read from {where}: {', '.join(counts)}.")
    return evidence
