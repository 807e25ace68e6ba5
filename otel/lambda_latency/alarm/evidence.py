"""The traces about an alarm: the slow and the other ones of its window, and those of the hour before."""

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

__all__ = ["BEFORE_NS", "Evidence", "Fetches", "Unreachable", "fetched", "recent"]

MOST = 150  # traces of each kind: enough for a verdict, a tenth of a cent
BEFORE_NS = 60 * 60 * 1_000_000_000
# After the change: the last requests of the window end later than they begin.
AFTER_NS = 30 * 1_000_000_000
RECENT_NS = 10 * 60 * 1_000_000_000
WAITS_S = (0, 2, 4)  # before each further request for traces that are not ready: somebody waits for the message
GIGABYTE = 1_000_000_000
MOST_BILLED = 5 * GIGABYTE  # of Logs Insights for one search: 2.5 cents


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
    """Files of traces, what was read for them, and why something is missing.

    `chosen` are the slow or failing ones of the alarm's window, `sample` those of any kind in it, `before` those of the
    hour before. `traces` counts what X-Ray charges for, scanned or retrieved; `billed` the bytes that Logs Insights
    scanned.
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
    """The traces of an account about an alarm, as files in a folder.

    Of each kind at most `MOST`, the newest. `left_s` says how many seconds are left: without any, nothing more is asked
    for. What AWS refuses is in `lacks`.
    """
    begin, end = alarm.begin_ns, alarm.at_ns + AFTER_NS
    wanted = [_Wanted("traces of any kind", "sample", Choice(), begin, end)]
    if alarm.threshold_ns is not None:
        wanted.insert(0, _Wanted("slow traces", "chosen", Choice(slower_ns=alarm.threshold_ns), begin, end))
    elif alarm.measure == "errors":
        wanted.insert(0, _Wanted("failing traces", "chosen", Choice(errors=True), begin, end))
    wanted.append(_Wanted("traces of the hour before", "before", Choice(), begin - BEFORE_NS, begin))
    return _all(account, alarm, wanted, folder, left_s)


def recent(account: Fetches, alarm: Alarm, folder: Path) -> Evidence:
    """The newest traces before the end of an alarm, as its `sample`."""
    since = _Wanted("traces since then", "sample", Choice(), alarm.at_ns - RECENT_NS, alarm.at_ns + AFTER_NS)
    return _all(account, alarm, [since], folder, lambda: 1.0)


class _Wanted(NamedTuple):
    """Traces to ask for, and the field of the evidence that they go to."""

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
        found[one.kind], where = told.traces, f"{result.store} in {result.region}"
        evidence.traces += told.scanned + told.traces
        evidence.billed += told.billed
        evidence.lacks += [f"Of the {one.kind}: {each.reason}." for each in result.problems if each.effect == "skipped"]
    if found:
        evidence.read.append(f"Read from {where}: {', '.join(f'{count:,} {kind}' for kind, count in found.items())}.")
    return evidence
