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
from typing import Any

from lambda_latency.archive.adding import add
from lambda_latency.archive.layout import INCOMING, STATE
from lambda_latency.archive.places import ArchiveError, Place, put_text
from lambda_latency.archive.reading import open_archive
from lambda_latency.archive.writing import HOUR_NS
from lambda_latency.fetch import Account, FetchError, NothingFoundError, Result, Selection, read_stopped
from lambda_latency.fetch import Place as Region
from lambda_latency.files import unwritable

SETTLED_NS = HOUR_NS // 4  # the longest invocation
RETENTION_NS = 30 * 24 * HOUR_NS  # by X-Ray
SPARE_S = 180  # for adding an hour to the archive
TRIES = 3  # runs that ask for missing traces
FETCHED, NOTES = "fetched", ".fetched.fetch"


@dataclass(frozen=True, slots=True)
class State:
    """The state of the work: all traces that began before `until_ns` are archived.

    `tries` counts runs that fetched the next hour and did not get all of it. Their traces and notes are files below
    `incoming`.
    """

    until_ns: int
    tries: int = 0
    incoming: str = ""


def handle(_: object, context: Any) -> dict[str, object]:
    """Archive each hour that is not archived yet. Raises on failure, so that Lambda retries."""
    where = os.environ["ARCHIVE"]

    def left_s() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000 - SPARE_S

    breakdown = Account(Region(region=os.environ["AWS_REGION"]))
    sentences = []
    source = os.environ.get("ARCHIVE_SOURCE", "auto")
    source = "" if source == "auto" else source
    for sentence in archive_hours(where, breakdown, time.time_ns(), left_s, source):
        print(f"lambda-latency: {sentence}")
        sentences.append(sentence)
    return {"archive": where, "told": sentences}


def archive_hours(
    where: str, breakdown: Account, now_ns: int, left_s: Callable[[], float], source: str = ""
) -> Iterator[str]:
    """Archive each hour that has ended and is not archived yet, the oldest first, and yield a sentence for each.

    It begins with the last hour. `left_s` returns the seconds until the work must be interrupted. Raises FetchError and
    ArchiveError; hours archived before are complete, and the next call continues.
    """
    place = open_archive(where, make=True)
    end_ns = (now_ns - SETTLED_NS) // HOUR_NS * HOUR_NS
    state = _state(place) or State(end_ns - HOUR_NS)
    if state.until_ns < now_ns - RETENTION_NS:
        state = State((now_ns - RETENTION_NS) // HOUR_NS * HOUR_NS + HOUR_NS)
    if state.until_ns >= end_ns:
        yield "there is no new hour"
    while state.until_ns < end_ns and left_s() > 0:
        previous, errors = state, list[FetchError]()
        state, sentence = _next_hour(place, where, breakdown, state, left_s, source, errors)
        yield f"{_text(previous.until_ns)}: {sentence}"
        if errors:
            raise errors[0]
        if state.until_ns == previous.until_ns:
            return


def _next_hour(
    place: Place,
    where: str,
    breakdown: Account,
    state: State,
    left_s: Callable[[], float],
    source: str,
    errors: list[FetchError],
) -> tuple[State, str]:
    """Archive the hour after `state`, or as much as can be fetched; `errors` gets the error that ended the fetch."""
    following = State(state.until_ns + HOUR_NS)
    with tempfile.TemporaryDirectory(prefix="lambda-latency-") as folder:
        out = Path(folder, FETCHED)
        try:
            with _interrupted_after(left_s()):
                result = _fetched(place, breakdown, state, out, source)
        except KeyboardInterrupt:
            return state, "no time was left, the next run continues"
        except NothingFoundError:
            _put(place, following)
            return following, "no traces"
        missing = result.fetched.missing
        error = result.fetched.ended
        if error is not None or (missing and state.tries + 1 < TRIES):
            state = _keep(place, state, out)
            if error is not None and not isinstance(error, KeyboardInterrupt):
                errors.append(error)
            return state, f"{result.fetched.traces:,} of {result.fetched.listed:,} traces, the next run continues"
        added = add(where, [out])
        _put(place, following)
    lost = f", {missing:,} were listed and did not come in {TRIES} runs" if missing else ""
    return following, f"{added.traces:,} traces with {added.spans:,} spans{lost}"


def _fetched(place: Place, breakdown: Account, state: State, out: Path, source: str) -> Result:
    if not state.incoming:
        selection = Selection(state.until_ns, state.until_ns + HOUR_NS)
        return breakdown.fetch(selection, out, io.StringIO(), source=source, notes=True)
    for name in (FETCHED, NOTES):
        with tempfile.TemporaryDirectory(dir=out.parent) as folder, suppress(FileNotFoundError):
            shutil.copy(place.local(f"{INCOMING}/{state.incoming}/{name}", Path(folder)), out.with_name(name))
    return breakdown.resume(read_stopped(out), out, io.StringIO())


def _keep(place: Place, state: State, out: Path) -> State:
    """Put a fetch that is not complete into the archive: its files, then the state that names them."""
    next_state = replace(state, tries=state.tries + 1, incoming=f"{_text(state.until_ns)}-{time.time_ns()}")
    try:
        for name in (FETCHED, NOTES):
            place.put(out.with_name(name), f"{INCOMING}/{next_state.incoming}/{name}")
    except OSError as error:
        raise ArchiveError(unwritable(place.name, error), "the next run fetches the hour again") from error
    _put(place, next_state)
    return next_state


def _state(place: Place) -> State | None:
    """Return the state of the work; None before the first run. Raises ArchiveError."""
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
        put_text(place, STATE, json.dumps(asdict(state)) + "\n")
    except OSError as error:
        raise ArchiveError(unwritable(place.name, error), "the next run does the hour again") from error


@contextmanager
def _interrupted_after(seconds: float) -> Iterator[None]:
    """Interrupt the body as Ctrl-C does: a fetch ends, with the traces that it has. For the main thread."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    handler = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)


def _text(ns: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime(ns // 1_000_000_000))
