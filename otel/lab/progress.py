"""How far a program has come: a line on a terminal, and nothing elsewhere."""

import sys
import threading


class Progress:
    """Counts steps, from any thread."""

    def __init__(self, title: str, total: int) -> None:
        self._title, self._total, self._done, self._lock = title, total, 0, threading.Lock()

    def step(self, name: str = "") -> None:
        """One more is done; `name` says which."""
        with self._lock:
            self._done += 1
            if sys.stderr.isatty():
                end = "\n" if self._done == self._total else ""
                text = f"{self._title}: {self._done:,} of {self._total:,} {name}"
                print(f"\r\033[K{text}", end=end, file=sys.stderr, flush=True)
