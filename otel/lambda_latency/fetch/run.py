"""The fetch: ids from the windows, batches of five traces in parallel, and finally the traces that were not ready."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lambda_latency.fetch.batches import is_in_progress
from lambda_latency.fetch.clients import THREADS
from lambda_latency.fetch.errors import FetchError
from lambda_latency.fetch.pool import Pool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lambda_latency.fetch.asked import Asked
    from lambda_latency.fetch.progress import Meter
    from lambda_latency.fetch.stopped import Notes, Stopped
    from lambda_latency.fetch.stores import Listed, Store
    from lambda_latency.fetch.writer import Writer

# Seconds to wait before each further request for traces that were not ready: about half a minute in all.
WAITS_S = (0, 2, 5, 10, 10)
LONGEST_INVOCATION_S = 15 * 60  # a trace in progress for longer than Lambda's limit never ends
GIVE_UP_AFTER = 2 * THREADS  # consecutive failed batches that end the fetch
LEAVE_S = 2.0


@dataclass(slots=True)
class Fetched:
    """The result: counts, and the reason for an early end (`ended`: an error, or a KeyboardInterrupt).

    `billed` are the bytes that Logs Insights scanned. `stages` counts the traces by their API Gateway stage, "" for
    none.
    """

    traces: int = 0
    listed: int = 0
    scanned: int = 0
    billed: int = 0
    summary_calls: int = 0
    batch_calls: int = 0
    missing: int = 0
    because: str = ""  # the error of one missing trace, if its call failed
    in_progress: int = 0
    too_long: int = 0
    cut: bool = False  # the requested number was reached: more may exist
    seconds: float = 0.0
    stages: dict[str, int] = field(default_factory=dict)
    ended: FetchError | KeyboardInterrupt | None = None


def run(
    store: Store,
    asked: Asked,
    writer: Writer,
    meter: Meter,
    *,
    refusal: Callable[[Exception], FetchError | None],
    sleep: Callable[[float], None] = time.sleep,
    stopped: Stopped | None = None,
    notes: Notes | None = None,
    waits_s: Sequence[float] = WAITS_S,
) -> Fetched:
    """Fetches the selection. After an early end, the file and the result contain the traces fetched until then.

    `refusal` returns a readable error for a failed call, or None for a bug in this package. `stopped` is the fetch that
    this one resumes; the writer contains its traces. `notes` record the state for a later resume. `waits_s` are the
    seconds before each further request for traces that were not ready.
    """
    return _Run(store, asked, writer, meter, refusal, sleep, waits_s, stopped, notes).run()


@dataclass(slots=True)
class _Run:
    store: Store
    asked: Asked
    writer: Writer
    meter: Meter
    refusal: Callable[[Exception], FetchError | None]
    sleep: Callable[[float], None]
    waits_s: Sequence[float]
    stopped: Stopped | None
    notes: Notes | None
    lock: threading.Lock = field(default_factory=threading.Lock)
    absent: dict[str, FetchError | None] = field(
        default_factory=dict
    )  # requested ids that did not come, and the reason
    open: Counter[str] = field(default_factory=Counter)  # how often a trace was found in progress
    failures: int = 0  # consecutive failed batches
    told: Fetched = field(default_factory=Fetched)

    def run(self) -> Fetched:
        begin = time.monotonic()
        pool = Pool(self._fetch, THREADS)
        try:
            self._first(pool)
            pool.wait()
            self._again(pool)
        except (FetchError, KeyboardInterrupt) as ended:
            self.told.ended = ended
        finally:
            pool.close(LEAVE_S)
            self.told.in_progress = self.writer.close()
        told, writer = self.told, self.writer
        told.traces, told.stages, told.too_long = writer.count, writer.stages, writer.too_long
        told.missing = max(0, told.listed - told.traces)
        told.because = next((error.what for error in self.absent.values() if error is not None), "")
        told.billed = self.store.billed
        told.seconds = time.monotonic() - begin
        return told

    def _first(self, pool: Pool) -> None:
        """Requests each trace once, in the order of the pages."""
        asked = self.asked
        if asked.trace_id is not None:
            self.told.listed = 1
            pool.submit([asked.trace_id])
            return
        stopped = self.stopped
        known = set(stopped.listed) if stopped is not None else set()
        waiting = [one for one in known if one not in self.writer.before]
        self.told.listed = len(known)
        if self.notes is not None and stopped is not None:
            self.notes.page(sorted(known), asked.since_ns if stopped.rest is None else stopped.rest.until_ns)
        for page in self._pages():
            fresh = [one for one in page.ids if one not in known] if known else page.ids
            if asked.most is not None and self.told.listed + len(fresh) > asked.most:
                fresh = fresh[: asked.most - self.told.listed]
                self.told.cut = True
            self.told.listed += len(fresh)
            if self.notes is not None:
                self.notes.page(fresh, None if self.told.cut else page.down_to_ns)
            waiting += fresh
            while len(waiting) >= self.store.at_once:
                pool.submit(waiting[: self.store.at_once])
                del waiting[: self.store.at_once]
            self.meter.listed(self.told.listed, page.share)
            if self.told.cut:
                break
        for at in range(0, len(waiting), self.store.at_once):
            pool.submit(waiting[at : at + self.store.at_once])
        self.meter.listed(self.told.listed, 1.0)

    def _pages(self) -> Iterator[Listed]:
        """The pages that the store lists."""
        rest = self.stopped.rest if self.stopped is not None else self.asked
        if rest is None or (rest.most is not None and self.told.listed >= rest.most):
            return
        pages = self.store.listed(rest)
        while True:
            try:
                page = next(pages, None)
            except Exception as error:
                raise self._told_as(error) from error
            if page is None:
                return
            self.told.summary_calls += 1
            self.told.scanned += page.scanned
            yield page

    def _again(self, pool: Pool) -> None:
        """Requests again, for a bounded time, the traces that were in progress, unprocessed, or failed temporarily."""
        # An id from the command line may belong to no trace: it is requested again only briefly.
        for wait_s in self.waits_s if self.asked.trace_id is None else self.waits_s[:2]:
            # A trace that never ends is requested twice only.
            late = {one for one in self.writer.held if self.open[one] < 2 or _may_end(one)}
            ids = sorted({*late, *self.absent})
            if not ids:
                return
            self.meter.waiting(len(ids))
            self.sleep(wait_s)
            for at in range(0, len(ids), self.store.at_once):
                pool.submit(ids[at : at + self.store.at_once])
            pool.wait()

    def _fetch(self, ids: list[str]) -> None:
        """Fetches one batch, in a thread of the pool."""
        try:
            answer = self.store.batch(ids)
        except Exception as error:
            told = self._told_as(error)
            with self.lock:
                self.failures += 1
                self.absent.update(dict.fromkeys(ids, told))
                if not told.passing or self.failures >= GIVE_UP_AFTER:
                    raise told from error
            return
        with self.lock:
            self.failures = 0
            self.told.batch_calls += answer.calls
        for trace_id in ids:
            trace = answer.traces.get(trace_id)
            if trace is None:
                with self.lock:
                    self.absent[trace_id] = None
                continue
            if is_in_progress(trace):
                self.open[trace_id] += 1
                self.writer.hold(trace)
            else:
                self.writer.write(trace)
            with self.lock:
                self.absent.pop(trace_id, None)
        self.meter.fetched(self.writer.count + len(self.writer.held))

    def _told_as(self, error: Exception) -> FetchError:
        told = self.refusal(error)
        if told is None:
            raise error
        return told


def _may_end(trace_id: str) -> bool:
    """Whether a function of this trace may still be running; the id contains the start time in seconds."""
    try:
        return time.time() - int(trace_id.split("-")[1], 16) < LONGEST_INVOCATION_S
    except (IndexError, ValueError):
        return True
