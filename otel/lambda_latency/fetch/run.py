"""Runs a fetch: lists ids, requests batches of traces in parallel, and finally the traces that were not ready."""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from lambda_latency.fetch.clients import THREADS
from lambda_latency.fetch.errors import FetchError
from lambda_latency.fetch.progress import Meter
from lambda_latency.fetch.selection import Selection
from lambda_latency.fetch.stores import Listed, TraceStore, is_in_progress
from lambda_latency.fetch.writer import Notes, Stopped, Writer

# Seconds to wait before each further request for traces that were not ready: about half a minute in all.
WAITS_S = (0, 2, 5, 10, 10)
LONGEST_INVOCATION_S = 15 * 60  # Lambda's limit
GIVE_UP_AFTER = 2 * THREADS  # consecutive failed batches
LEAVE_S = 2.0
# A signal may interrupt a thread other than the main one, which runs the handler: the main thread waits in steps.
LOOK_S = 0.2


@dataclass(slots=True)
class Fetched:
    """The counts of a fetch, and the reason for an early end (`ended`: an error, or a KeyboardInterrupt).

    `billed` are the bytes that Logs Insights scanned. `stages` counts traces by API Gateway stage, "" for none.
    """

    traces: int = 0
    listed: int = 0
    scanned: int = 0
    billed: int = 0
    summary_calls: int = 0
    batch_calls: int = 0
    missing: int = 0
    missing_reason: str = ""  # the error of a missing trace
    in_progress: int = 0
    too_long: int = 0
    cut: bool = False  # more may exist
    seconds: float = 0.0
    stages: dict[str, int] = field(default_factory=dict)
    ended: FetchError | KeyboardInterrupt | None = None


@dataclass(slots=True)
class FetchRun:
    """A fetch of a selection.

    `refusal` returns a readable error for a failed call, or None for a bug in this package. `stopped` is the fetch that
    this one resumes; the writer contains its traces. `notes` record the state for a later resume. `waits_s` are the
    seconds before each further request for traces that were not ready.
    """

    store: TraceStore
    selection: Selection
    writer: Writer
    meter: Meter
    refusal: Callable[[Exception], FetchError | None]
    sleep: Callable[[float], None] = time.sleep
    stopped: Stopped | None = None
    notes: Notes | None = None
    waits_s: Sequence[float] = WAITS_S
    lock: threading.Lock = field(default_factory=threading.Lock)
    # Requested ids that did not come, and the reason; how often a trace was in progress; consecutive failed batches.
    absent: dict[str, FetchError | None] = field(default_factory=dict)
    open: Counter[str] = field(default_factory=Counter)
    failures: int = 0
    fetched: Fetched = field(default_factory=Fetched)

    def run(self) -> Fetched:
        """Fetch the selection. After an early end, the file and the result contain the traces fetched until then."""
        begin = time.monotonic()
        pool = BatchPool(self._fetch, THREADS)
        try:
            self._request_all(pool)
            pool.wait()
            self._request_again(pool)
        except (FetchError, KeyboardInterrupt) as ended:
            self.fetched.ended = ended
        finally:
            pool.close(LEAVE_S)
            self.fetched.in_progress = self.writer.close()
        fetched, writer = self.fetched, self.writer
        fetched.traces, fetched.stages, fetched.too_long = writer.count, writer.stages, writer.too_long
        fetched.missing = max(0, fetched.listed - fetched.traces)
        fetched.missing_reason = next((error.what for error in self.absent.values() if error is not None), "")
        fetched.billed = self.store.billed
        fetched.seconds = time.monotonic() - begin
        return fetched

    def _request_all(self, pool: BatchPool) -> None:
        """Request each trace once, in the order of the pages."""
        if self.selection.trace_id is not None:
            self.fetched.listed = 1
            pool.submit([self.selection.trace_id])
            return
        earlier_ids = self._earlier_ids()
        waiting = [trace_id for trace_id in earlier_ids if trace_id not in self.writer.stopped_ids]
        for page in self._pages():
            waiting += self._new_ids(page, earlier_ids)
            while len(waiting) >= self.store.at_once:
                pool.submit(waiting[: self.store.at_once])
                del waiting[: self.store.at_once]
            self.meter.listed(self.fetched.listed, page.share)
            if self.fetched.cut:
                break
        self._submit(pool, waiting)
        self.meter.listed(self.fetched.listed, 1.0)

    def _earlier_ids(self) -> set[str]:
        """Count and note the ids that the stopped fetch listed, and return them."""
        stopped = self.stopped
        if stopped is None:
            return set()
        ids = set(stopped.listed)
        self.fetched.listed = len(ids)
        if self.notes is not None:
            remaining = stopped.remaining
            self.notes.page(sorted(ids), self.selection.since_ns if remaining is None else remaining.until_ns)
        return ids

    def _new_ids(self, page: Listed, earlier_ids: set[str]) -> list[str]:
        """Count and note the new ids of a page, up to the limit of the selection, and return them."""
        ids = [trace_id for trace_id in page.ids if trace_id not in earlier_ids] if earlier_ids else page.ids
        limit = self.selection.most
        if limit is not None and self.fetched.listed + len(ids) > limit:
            ids = ids[: limit - self.fetched.listed]
            self.fetched.cut = True
        self.fetched.listed += len(ids)
        if self.notes is not None:
            self.notes.page(ids, None if self.fetched.cut else page.down_to_ns)
        return ids

    def _pages(self) -> Iterator[Listed]:
        """Yield the pages that the store lists."""
        remaining = self.stopped.remaining if self.stopped is not None else self.selection
        if remaining is None or (remaining.most is not None and self.fetched.listed >= remaining.most):
            return
        pages = self.store.listed(remaining)
        while True:
            try:
                page = next(pages, None)
            except Exception as error:
                raise self._readable(error) from error
            if page is None:
                return
            self.fetched.summary_calls += 1
            self.fetched.scanned += page.scanned
            yield page

    def _request_again(self, pool: BatchPool) -> None:
        """Request again, for a bounded time, the traces that were in progress, unprocessed, or failed temporarily."""
        # An id from the command line may belong to no trace: it is requested again only briefly.
        for wait_s in self.waits_s if self.selection.trace_id is None else self.waits_s[:2]:
            # A trace that never ends is requested twice only.
            late = {trace_id for trace_id in self.writer.held if self.open[trace_id] < 2 or _may_end(trace_id)}
            ids = sorted({*late, *self.absent})
            if not ids:
                return
            self.meter.waiting(len(ids))
            self.sleep(wait_s)
            self._submit(pool, ids)
            pool.wait()

    def _submit(self, pool: BatchPool, ids: list[str]) -> None:
        for start in range(0, len(ids), self.store.at_once):
            pool.submit(ids[start : start + self.store.at_once])

    def _fetch(self, ids: list[str]) -> None:
        """Fetch one batch, in a thread of the pool."""
        try:
            answer = self.store.batch(ids)
        except Exception as error:
            readable = self._readable(error)
            with self.lock:
                self.failures += 1
                self.absent.update(dict.fromkeys(ids, readable))
                if not readable.passing or self.failures >= GIVE_UP_AFTER:
                    raise readable from error
            return
        with self.lock:
            self.failures = 0
            self.fetched.batch_calls += answer.calls
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

    def _readable(self, error: Exception) -> FetchError:
        readable = self.refusal(error)
        if readable is None:
            raise error
        return readable


def _may_end(trace_id: str) -> bool:
    """Return whether a function of this trace may still be running; the id contains the start time in seconds."""
    try:
        return time.time() - int(trace_id.split("-")[1], 16) < LONGEST_INVOCATION_S
    except (IndexError, ValueError):
        return True


class BatchPool:
    """Threads that call `work` on each submitted batch of ids. The first exception ends all of them.

    They can be abandoned: Ctrl-C does not wait for a call in its tenth retry.
    """

    def __init__(self, work: Callable[[list[str]], None], threads: int) -> None:
        self._work = work
        self._queue: queue.SimpleQueue[list[str] | None] = queue.SimpleQueue()
        self._changed = threading.Condition()
        self._pending = 0
        self._failed: Exception | None = None
        self._closed = False
        self._threads: list[threading.Thread] = []
        for _ in range(threads):
            self._threads.append(threading.Thread(target=self._run, name="fetch", daemon=True))
            self._threads[-1].start()

    def submit(self, ids: list[str]) -> None:
        """Submit a batch of ids; raises the exception that ended the work."""
        with self._changed:
            if self._failed is not None:
                raise self._failed
            self._pending += 1
        self._queue.put(ids)

    def wait(self) -> None:
        """Wait for all submitted batches; raises the exception that ended the work."""
        with self._changed:
            while self._pending and self._failed is None:
                self._changed.wait(LOOK_S)
            if self._failed is not None:
                raise self._failed

    def close(self, limit_s: float) -> None:
        """Start no further batch, and wait for the running ones up to a limit."""
        self._closed = True
        for _ in self._threads:
            self._queue.put(None)
        deadline = time.monotonic() + limit_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self) -> None:
        while (ids := self._queue.get()) is not None:
            if not self._closed and self._failed is None:
                try:
                    self._work(ids)
                except Exception as error:  # noqa: BLE001 - raised again in the main thread, which waits for it
                    self._failed = error
            with self._changed:
                self._pending -= 1
                self._changed.notify_all()
