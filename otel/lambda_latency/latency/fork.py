"""Work that a copy of this process does beside it, where there is a processor to spare."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["beside", "processors"]

Value = TypeVar("Value")


def processors() -> int:
    """How many of them this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def beside(work: Callable[[], Value], *, much: bool) -> Iterator[Callable[[], Value]]:
    """What `work` returns, when it is asked for; if it is `much`, a forked process begins with it now.

    Nothing of what that one does is seen here but the answer; where there is none, the work is done here.
    """
    forked = _begun(work) if much and _may_fork() else None
    found: list[Value] = []

    def value() -> Value:
        if not found:
            found.extend(forked.answer() if forked is not None else [])
        if not found:
            found.append(work())
        return found[0]

    try:
        yield value
    finally:
        if forked is not None:
            forked.end()


def _may_fork() -> bool:
    """A copy has none of the other threads, but what they had locked; and not every system likes copies."""
    return sys.platform == "linux" and threading.active_count() == 1 and processors() > 1


def _begun(work: Callable[[], object]) -> _Fork | None:
    try:
        return _Fork(work)
    except OSError:  # no room for another process
        return None


class _Fork:
    """A copy of this process that does one thing. Raises `OSError` where there is no room for it."""

    def __init__(self, work: Callable[[], object]) -> None:
        answer, begin = os.pipe()
        try:
            pid = os.fork()
        except OSError:
            os.close(answer)
            os.close(begin)
            raise
        if not pid:
            try:
                os.close(answer)
                with os.fdopen(begin, "wb") as file:
                    file.write(pickle.dumps(work()))
            finally:
                os._exit(0)  # whatever came up: it comes up here once more, where it is told
        os.close(begin)
        self._file, self._pid = os.fdopen(answer, "rb"), pid

    def answer(self) -> list[Any]:
        """What it found, if it could."""
        try:
            return [pickle.load(self._file)]  # noqa: S301 - of this very program
        except (EOFError, pickle.UnpicklingError):
            return []

    def end(self) -> None:
        """It is not waited for any more."""
        self._file.close()
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
