"""The traces for an alarm: slow ones and others of its window, and traces of the hour before."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lambda_latency.fetch import Asked, Choice, FetchError, NothingFoundError
from lambda_latency.trace import Source

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from lambda_latency.alarm.event import Alarm
    from lambda_latency.fetch import Result

MOST = 150  # traces per kind: enough for a verdict, at a tenth of a cent
BEFORE_NS = 60 * 60 * 1_000_000_000
# Added after the change, because the window's last requests end later.
AFTER_NS = 30 * 1_000_000_000
RECENT_NS = 10 * 60 * 1_000_000_000
WAITS_S = (0, 2, 4)  # seconds before each further request for late traces; short, because the message is urgent
GIGABYTE = 1_000_000_000
MOST_BILLED = 5 * GIGABYTE  # scanned bytes of Logs Insights per search: 2.5 cents


class Fetches(Protocol):
    """An account, as `lambda_latency.fetch.Account`."""

    def fetch(self, asked: Asked, path: Path, err: TextIO, *, waits_s: Sequence[float]) -> Result: ...


@dataclass(frozen=True, slots=True)
class Unreachable:
    """An account that does not answer: whatever is asked for, `error` says why."""

    error: FetchError

    def fetch(self, _asked: Asked, _path: Path, _err: TextIO, *, waits_s: Sequence[float]) -> Result:
        """Raises the error."""
        del waits_s
        raise self.error


@dataclass(slots=True)
class Evidence:
    """Files of traces, sentences about them (`read`), and reasons for missing ones (`lacks`).

    `chosen`: slow or failing traces of the alarm's window; `sample`: traces of any kind in it; `before`: traces of the
    hour before. `traces`: the number that X-Ray charges for, scanned or retrieved; `billed`: the bytes that Logs
    Insights scanned.
    """

    chosen: list[Source] = field(default_factory=list)
    sample: list[Source] = field(default_factory=list)
    before: list[Source] = field(default_factory=list)
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
    wanted = [_Wanted("traces of any kind", "sample", Choice(), begin, end)]
    if alarm.threshold_ns is not None:
        wanted.insert(0, _Wanted("slow traces", "chosen", Choice(slower_ns=alarm.threshold_ns), begin, end))
    elif alarm.measure == "errors":
        wanted.insert(0, _Wanted("failing traces", "chosen", Choice(errors=True), begin, end))
    # X-Ray takes whole seconds and counts both ends in: a trace that begins with the window would be its own baseline.
    wanted.append(_Wanted("traces of the hour before", "before", Choice(), begin - BEFORE_NS, begin - 10**9))
    return _all(account, alarm, wanted, folder, left_s)


def recent(account: Fetches, alarm: Alarm, folder: Path) -> Evidence:
    """The newest traces of the time in which an alarm was found to be over, as `sample`."""
    begin = max(alarm.begin_ns, alarm.at_ns - RECENT_NS)
    since = _Wanted("traces since then", "sample", Choice(), begin, alarm.at_ns + AFTER_NS)
    return _all(account, alarm, [since], folder, lambda: 1.0)


class _Wanted(NamedTuple):
    """A kind of traces to fetch, and its field of the evidence."""

    kind: str
    into: str
    choice: Choice
    since_ns: int
    until_ns: int


def _all(
    account: Fetches, alarm: Alarm, wanted: Sequence[_Wanted], folder: Path, left_s: Callable[[], float]
) -> Evidence:
    evidence = Evidence(region=alarm.region)
    found: dict[str, int] = {}
    where = ""
    for number, one in enumerate(wanted):
        if left_s() <= 0:
            evidence.lacks.append(f"Time ran out before {one.kind} were read.")
            continue
        asked = Asked(one.since_ns, one.until_ns, one.choice, MOST, most_billed=MOST_BILLED)
        try:
            result = account.fetch(asked, folder / f"{number}.jsonl", io.StringIO(), waits_s=WAITS_S)
        except NothingFoundError:
            continue
        except FetchError as error:
            evidence.lacks.append(f"No {one.kind}: {error.what}{f': {error.todo}' if error.todo else ''}.")
            continue
        told = result.fetched
        getattr(evidence, one.into).append(Source(result.source, result.path))
        found[one.kind], where = told.traces, f"{result.store} in {result.region}" if result.region else result.store
        evidence.traces += told.scanned + told.traces
        evidence.billed += told.billed
        evidence.lacks += [f"Of the {one.kind}: {each.reason}." for each in result.problems if each.effect == "skipped"]
    if found:
        evidence.read.append(f"Read from {where}: {', '.join(f'{count:,} {kind}' for kind, count in found.items())}.")
    return evidence
