"""How fast the kit's thread and the function's threads take the interpreter from each other near the deadline."""

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
    """Set the switch interval: how long a waiting thread lets the running one continue. Python's default is 5 ms."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(seconds)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def hurried() -> AbstractContextManager[None]:
    """For code with system calls, each of which releases the interpreter; an import has about ten.

    Beside a computing handler, each of them would cost 5 ms, and more on a busy machine.
    """
    return switching(0.0001)


def held() -> AbstractContextManager[None]:
    """For computing code, which ends before another thread can take the interpreter.

    An importing function returns the interpreter only after the compilation of a file, which takes 0.1 s. The interval
    is no longer, because a thread that already waits takes the interpreter once, and keeps it for as long.
    """
    return switching(0.02)
