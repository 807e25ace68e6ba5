"""How soon a thread of ours gets the interpreter from the function's threads, and they from it, when time is short."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

__all__ = ["held", "hurried"]


@contextmanager
def switching(seconds: float) -> Iterator[None]:
    """A thread that waits for the interpreter lets the one that has it run so long; Python's own is 5 ms."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(seconds)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def hurried() -> AbstractContextManager[None]:
    """For system calls, each of which gives the interpreter away; an import makes ten.

    Beside a handler that computes each of them would cost 5 ms, and more on a busy machine.
    """
    return switching(0.0001)


def held() -> AbstractContextManager[None]:
    """For what computes: it is done before somebody else wants the interpreter.

    A function that imports gives it back when a file is compiled, which takes a tenth of a second. Not longer, for
    who waits since before takes it once all the same, and to get it back takes as long.
    """
    return switching(0.02)
