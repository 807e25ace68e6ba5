"""Threads of the runtime's own: they take no signal of the function's, and are part of no invocation."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

from opentelemetry.context import Context, attach, detach

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["started"]


def started(target: Callable[[], None], name: str) -> threading.Thread:
    """A daemon thread that runs `target`. It begins with every signal blocked: the kernel may give a signal of the
    process to any thread that does not block it, and the function may have blocked it in its own.
    """
    thread = threading.Thread(target=target, name=name, daemon=True)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    token = attach(Context())
    try:
        thread.start()
    finally:
        detach(token)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return thread
