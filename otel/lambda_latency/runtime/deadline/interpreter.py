"""The switch interval: how long a thread that waits for the interpreter lets the running one continue.

Several parts of the kit ask for an interval at the same time, on two threads. Only this module sets it, and the last
one that still asks decides. The function's own interval returns when none asks.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

# Microseconds that no function chooses by itself, so that a changed interval is known as the function's own.
# At Python's default of 5 ms, a thread that samples another one gets the interpreter mostly where that one releases it,
# and samples system calls instead of computing code.
HURRIED, SAMPLING, HELD = OURS = 101, 501, 20_001

_requested: dict[object, int] = {}  # microseconds, by who asks
_default_s = sys.getswitchinterval()  # the function's own interval


def ask(who: object, microseconds: int) -> None:
    """Ask for an interval, such as `SAMPLING`, until `release`."""
    global _default_s  # noqa: PLW0603 - the process has one switch interval
    interval_s = sys.getswitchinterval()
    if round(interval_s * 1e6) not in OURS:
        _default_s = interval_s
    _requested[who] = microseconds
    _set()


def release(who: object) -> None:
    """Withdraw a request; a second time does nothing."""
    if _requested.pop(who, None):
        _set()


def forget() -> None:
    """Withdraw all: after a fork, the requesting threads do not exist."""
    _requested.clear()
    _set()


@contextmanager
def during(microseconds: int) -> Iterator[None]:
    """Ask for an interval in a block."""
    who = object()
    ask(who, microseconds)
    try:
        yield
    finally:
        release(who)


# For code with system calls, each of which releases the interpreter; an import has about ten. Beside a computing
# handler, each of them would cost 5 ms, and more on a busy machine.
hurried = partial(during, HURRIED)
# For computing code, which ends before another thread can take the interpreter. An importing function returns the
# interpreter only after the compilation of a file, which takes 0.1 s. The interval is no longer, because a thread that
# already waits takes the interpreter once, and keeps it for as long.
held = partial(during, HELD)


def _set() -> None:
    """Set the interval of the last one that asks; without one, the function's, unless it has set another meanwhile.

    Two threads may be here at the same time, and a lock would be held in a fork: so each checks what it has set.
    """
    while True:
        latest = [*_requested.values()][-1:]
        if latest:
            sys.setswitchinterval(latest[0] / 1e6)
        elif round(sys.getswitchinterval() * 1e6) in OURS:
            sys.setswitchinterval(_default_s)
        if [*_requested.values()][-1:] == latest:
            return
