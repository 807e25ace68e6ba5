"""One connected page: rows, verdicts and numbers as server-sent events, until it hangs up."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lambda_latency.live.running_verdict import Verdicts, Window
    from lambda_latency.live.stream import Stream

BEAT_S = 15.0  # without rows: a page notices a server that is gone
STATE_S = 1.0


class Tabs:
    """The number of connected pages. Thread-safe."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.count = self.refused = 0
        self._lock = threading.Lock()

    @contextmanager
    def place(self) -> Iterator[bool]:
        """Whether there is a place for one more, for the duration of the block."""
        with self._lock:
            free = self.count < self.most
            self.count += free
            self.refused += not free
        try:
            yield free
        finally:
            with self._lock:
                self.count -= free


def told_to(
    stream: Stream, verdicts: Verdicts, window: Window, at: int, state: Callable[[], dict[str, object]]
) -> Iterator[bytes]:
    """What a page is told, from the row with a number on: events, some at a time. Ends when the stream is closed."""
    version, seen = 0, b""
    checked = spoken = 0.0
    if at > stream.last:  # a number of another server
        at = 0
    yield b"retry: 1000\n\n"
    while not stream.closed:
        update = stream.after(at, STATE_S)
        out = [b"event: lost\ndata: {}\n\n"] if update.lost else []
        if update.rows:
            out.append(b"id: %d\ndata: [%s]\n\n" % (update.last, b",".join(update.rows)))
        at = update.last
        newer = verdicts.newer(window, version)
        if newer is not None:
            version = newer[0]
            out.append(b"event: verdict\ndata: %s\n\n" % newer[1])
        now = time.monotonic()
        if now - checked >= STATE_S:
            checked, told = now, msgspec.json.encode(state())
            if told != seen:
                seen = told
                out.append(b"event: state\ndata: %s\n\n" % told)
        if not out and now - spoken >= BEAT_S:
            out.append(b": alive\n\n")
        if out:
            spoken = now
            yield b"".join(out)
    yield b"event: end\ndata: {}\n\n"
