"""What kind of environment this is, where the runtime has to know."""

from __future__ import annotations

import os
import sys

__all__ = ["is_managed", "is_monkey_patched"]


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
