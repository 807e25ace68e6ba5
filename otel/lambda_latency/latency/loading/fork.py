"""Work in a forked copy of this process, if a second processor is available."""

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
    """The number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def beside(work: Callable[[], Value], *, much: bool) -> Iterator[Callable[[], Value]]:
    """Yield a function that returns the result of `work`. If `much`, a forked process starts `work` at once.

    Only the result of the fork reaches this process. If the fork has none, `work` runs in this process when the result
    is requested.
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
    """Whether a fork is safe and useful: it copies the locks of other threads, but not the threads."""
    return sys.platform == "linux" and threading.active_count() == 1 and processors() > 1


def _begun(work: Callable[[], object]) -> _Fork | None:
    try:
        return _Fork(work)
    except OSError:  # too many processes, or too little memory
        return None


class _Fork:
    """A forked copy of this process that runs one function. Raises `OSError` if the system cannot fork."""

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
                os._exit(0)  # without a report of an error: the parent repeats the work and reports it
        os.close(begin)
        self._file, self._pid = os.fdopen(answer, "rb"), pid

    def answer(self) -> list[Any]:
        """The result in a list; an empty list if the function failed."""
        try:
            return [pickle.load(self._file)]  # noqa: S301 - written by this program
        except (EOFError, pickle.UnpicklingError):
            return []

    def end(self) -> None:
        """Kill the fork and reap it."""
        self._file.close()
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
