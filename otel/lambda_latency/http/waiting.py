"""The main thread of a command whose servers work on other threads."""

from __future__ import annotations

import signal
import socket


def wait_for_signal() -> None:
    """Wait until a signal handler raises an exception in this thread.

    The kernel may deliver a signal to any thread; `signal.pause` and locks would then keep sleeping. The wake-up
    descriptor is written in every case.
    """
    here, there = socket.socketpair()
    with here, there:
        there.setblocking(False)
        before = signal.set_wakeup_fd(there.fileno())
        try:
            while True:
                here.recv(1)
        finally:
            signal.set_wakeup_fd(before)
