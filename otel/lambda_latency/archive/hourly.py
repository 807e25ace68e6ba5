"""The Lambda function that archives an account each hour: `lambda_latency.archive.hourly.handle`, for a schedule.

Variables: ARCHIVE (the archive's address), ARCHIVE_SOURCE (auto, x-ray, transaction-search or both, as in `fetch
--source`). The archive has the state of the work in `archive.hourly`: the next run continues a run that failed, or that
had no time left.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_latency.archive.adding import add
from lambda_latency.archive.errors import ArchiveError
from lambda_latency.archive.layout import INCOMING, STATE
from lambda_latency.archive.places import working
from lambda_latency.archive.reading import open_archive
from lambda_latency.fetch import Account, Asked, FetchError, NothingFoundError, read_stopped
from lambda_latency.fetch import Place as Region
from lambda_latency.files import unwritable

if TYPE_CHECKING:
    from lambda_latency.archive.places import Place
    from lambda_latency.fetch import Result

HOUR_NS = 3600 * 1_000_000_000
SETTLED_NS = HOUR_NS // 4  # the longest invocation: what began before it has ended
KEPT_NS = 30 * 24 * HOUR_NS  # by X-Ray
SPARE_S = 180  # for adding an hour to the archive
TRIES = 3  # runs that ask for traces that are listed and do not come
FETCHED, NOTES = "fetched", ".fetched.fetch"


@dataclass(frozen=True, slots=True)
class State:
    """All traces that began before `until_ns` are archived.

    `tries`: the runs that have fetched from the next hour and have not got all of it. Their traces and notes are files
    below `incoming`.
    """

    until_ns: int
    tries: int = 0
    incoming: str = ""


def handle(_: object, context: Any) -> dict[str, object]:
    """Archives what is not archived yet. Raises on failure, so that Lambda retries."""
    where = os.environ["ARCHIVE"]

    def left_s() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000 - SPARE_S

    account = Account(Region(region=os.environ["AWS_REGION"]))
    told = []
    for sentence in archive_hours(where, account, time.time_ns(), left_s, _source()):
        print(f"lambda-latency: {sentence}")
        told.append(sentence)
    return {"archive": where, "told": told}


def _source() -> str:
    source = os.environ.get("ARCHIVE_SOURCE", "auto")
    return "" if source == "auto" else source


def archive_hours(
    where: str, account: Account, now_ns: int, left_s: Callable[[], float], source: str = ""
) -> Iterator[str]:
    """Archives each hour that has ended and is not archived yet, the oldest first; a sentence for each.

    Begins with the last hour. `left_s`: the seconds until the work must be interrupted. Raises FetchError and
    ArchiveError; what came before is kept, and the next call continues.
    """
    place = open_archive(where, make=True)
    last = (now_ns - SETTLED_NS) // HOUR_NS * HOUR_NS
    state = _state(place) or State(last - HOUR_NS)
    if state.until_ns < now_ns - KEPT_NS:
        state = State((now_ns - KEPT_NS) // HOUR_NS * HOUR_NS + HOUR_NS)
    if state.until_ns >= last:
        yield "there is no new hour"
    while state.until_ns < last and left_s() > 0:
        before, ended = state, list[FetchError]()
        state, sentence = _next_hour(place, where, account, state, left_s, source, ended)
        yield f"{_text(before.until_ns)}: {sentence}"
        if ended:
            raise ended[0]
        if state.until_ns == before.until_ns:
            return


def _next_hour(
    place: Place,
    where: str,
    account: Account,
    state: State,
    left_s: Callable[[], float],
    source: str,
    ended: list[FetchError],
) -> tuple[State, str]:
    """Archives the hour behind `state`, or as much of it as comes; `ended` gets the error that ended the fetch."""
    following = State(state.until_ns + HOUR_NS)
    with tempfile.TemporaryDirectory(prefix="lambda-latency-") as folder:
        out = Path(folder, FETCHED)
        try:
            with _interrupted_after(left_s()):
                result = _fetched(place, account, state, out, source)
        except KeyboardInterrupt:
            return state, "no time was left, the next run continues"
        except NothingFoundError:
            _put(place, following)
            return following, "no traces"
        missing = result.fetched.missing
        early = result.fetched.ended
        if early is not None or (missing and state.tries + 1 < TRIES):
            state = _keep(place, state, out)
            if early is not None and not isinstance(early, KeyboardInterrupt):
                ended.append(early)
            return state, f"{result.fetched.traces:,} of {result.fetched.listed:,} traces, the next run continues"
        added = add(where, [out])
        _put(place, following)
    lost = f", {missing:,} were listed and did not come in {TRIES} runs" if missing else ""
    return following, f"{added.traces:,} traces with {added.spans:,} spans{lost}"


def _fetched(place: Place, account: Account, state: State, out: Path, source: str) -> Result:
    if not state.incoming:
        asked = Asked(state.until_ns, state.until_ns + HOUR_NS)
        return account.fetch(asked, out, io.StringIO(), source=source, notes=True)
    for name in (FETCHED, NOTES):
        with tempfile.TemporaryDirectory(dir=out.parent) as folder, suppress(FileNotFoundError):
            shutil.copy(place.local(f"{INCOMING}/{state.incoming}/{name}", Path(folder)), out.with_name(name))
    return account.resume(read_stopped(out), out, io.StringIO())


def _keep(place: Place, state: State, out: Path) -> State:
    """Keeps a fetch that is not complete in the archive: its files, then the state that names them."""
    kept = replace(state, tries=state.tries + 1, incoming=f"{_text(state.until_ns)}-{time.time_ns()}")
    try:
        for name in (FETCHED, NOTES):
            place.put(out.with_name(name), f"{INCOMING}/{kept.incoming}/{name}")
    except OSError as error:
        raise ArchiveError(unwritable(place.name, error), "the next run fetches the hour again") from error
    _put(place, kept)
    return kept


def _state(place: Place) -> State | None:
    """The state of the work; None before the first run. Raises ArchiveError."""
    try:
        with tempfile.TemporaryDirectory(prefix="lambda-latency-") as folder:
            return State(**json.loads(place.local(STATE, Path(folder)).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise ArchiveError(
            f"{STATE} of {place.name} cannot be read: {error}", "check the permission to read it"
        ) from error


def _put(place: Place, state: State) -> None:
    try:
        with working(place) as folder:
            aside = folder / STATE
            aside.write_text(json.dumps(asdict(state)) + "\n", encoding="utf-8")
            place.put(aside, STATE)
    except OSError as error:
        raise ArchiveError(unwritable(place.name, error), "the next run does the hour again") from error


@contextmanager
def _interrupted_after(seconds: float) -> Iterator[None]:
    """Interrupts the body as Ctrl-C does, which ends a fetch with all that has come. For the main thread."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _text(ns: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime(ns // 1_000_000_000))
