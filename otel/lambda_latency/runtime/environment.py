"""What kind of process this is, where the runtime has to know, and the children that a handler forks.

A child (`os.fork`, `multiprocessing`) has a copy of what waits in its parent, and locks and connections of threads that
it has not. It leaves by `os._exit`, where nothing of ours runs: so it delivers whenever it has no open span left.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["in_children", "is_managed", "is_monkey_patched"]


def is_managed() -> bool:
    """Lambda Managed Instances: the runtime client forks a process for each of so many slots, and each of them serves
    one request at a time. Nothing is frozen, nothing is killed at a deadline, extensions hear of no invocation.
    """
    return bool(os.environ.get("AWS_LAMBDA_MAX_CONCURRENCY"))


def is_monkey_patched() -> bool:
    """Whether `threading` makes greenlets: gevent or eventlet has patched it."""
    gevent, eventlet = sys.modules.get("gevent.monkey"), sys.modules.get("eventlet.patcher")
    if gevent is not None and gevent.is_module_patched("threading"):
        return True
    return eventlet is not None and bool(eventlet.is_monkey_patched("thread"))


def in_children(forked: Callable[[], None]) -> Callable[[], None]:
    """Call it in each child of this process from now on; returns the undoing, for Python has none."""
    wanted = [forked]

    def child() -> None:
        for call in wanted:
            call()

    os.register_at_fork(after_in_child=child)
    return wanted.clear
