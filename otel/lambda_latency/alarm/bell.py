"""Explains slow requests of this machine while they happen, by the code that answers alarms in an account."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable

from lambda_latency.alarm.answer import Answerer
from lambda_latency.alarm.event import Alarm, read_event
from lambda_latency.alarm.explanation import Explanation
from lambda_latency.alarm.kept import Kept, Remembered
from lambda_latency.alarm.message import Link, Message, plain_text
from lambda_latency.alarm.watch import Watch
from lambda_latency.latency import USUAL, Terms
from lambda_latency.trace import Trace

__all__ = ["Bell"]

TICK_S = 0.5
LEFT_S = 60.0  # nobody waits for the thread that explains


class Bell:
    """Hears of requests, and tells an alarm's messages: a cause, its repetition in short, and the end.

    `tell` gets the text of a message, on a thread of the bell. `page` stores an explanation's page and returns the
    link. `name` is the alarm's name, `store` where the traces are.
    """

    def __init__(
        self,
        name: str,
        slow_ns: int,
        store: str,
        *,
        tell: Callable[[str], None],
        page: Callable[[Explanation], Link | None],
        terms: Terms = USUAL,
    ) -> None:
        self._watch, self._kept = Watch(name, slow_ns), Kept(store)

        def sink(message: Message, _alarm: Alarm) -> None:
            tell(plain_text(message))

        self._answerer = Answerer(
            account=self._kept,
            records=Remembered(),
            sinks={"terminal": sink},
            page=page,
            left_s=lambda: LEFT_S,
            ran=None,
            terms=terms,
        )
        self._heard: queue.SimpleQueue[tuple[int, int, Trace | None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="bell", daemon=True)
        self._thread.start()

    def hear(self, duration_ns: int, trace: Trace | None) -> None:
        """Notes a request that has just ended; `trace` is None if it was not sampled."""
        end_ns = trace.outermost.end_ns if trace is not None else None  # it is heard of after its last span
        self._heard.put((end_ns or time.time_ns(), duration_ns, trace))

    def close(self) -> None:
        """Stops; a message that is being made is told first."""
        self._heard.put(None)
        self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                heard = self._heard.get(timeout=TICK_S)
            except queue.Empty:
                self.judge(time.time_ns())
                continue
            if heard is None:
                return
            self.judge(heard[0])  # before a request of the next period is counted
            self.count(*heard)

    def count(self, at_ns: int, duration_ns: int, trace: Trace | None) -> None:
        """Counts a request that ended at `at_ns`, and keeps its trace."""
        if trace is not None:
            self._kept.add(trace)
        self._watch.add(at_ns, duration_ns)

    def judge(self, now_ns: int) -> None:
        """Tells the message of a state change, if a period has ended with one."""
        event = self._watch.judge(now_ns)
        if event is not None:
            self._answerer.answer(read_event(event))
