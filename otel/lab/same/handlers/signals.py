"""Signals and the end of the process, as handlers use them."""

import atexit
import contextlib
import os
import signal
import sys
import threading
import time

CAUGHT = []


def on_alarm(number, frame):
    CAUGHT.append(number)


def alarm(event, context):
    before = signal.signal(signal.SIGALRM, on_alarm)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    limit = time.monotonic() + 5
    while not CAUGHT and time.monotonic() < limit:
        time.sleep(0.01)
    signal.signal(signal.SIGALRM, before)
    return [CAUGHT, str(before), signal.getitimer(signal.ITIMER_REAL)]


class TooLong(Exception):
    pass


def alarm_raises(event, context):
    def late(number, frame):
        raise TooLong("the user's own deadline")

    signal.signal(signal.SIGALRM, late)
    signal.alarm(1)
    try:
        time.sleep(10)
    except TooLong as error:
        return str(error)
    finally:
        signal.alarm(0)


def handlers(event, context):
    return {
        s.name: str(signal.getsignal(s))
        for s in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM, signal.SIGCHLD, signal.SIGUSR1)
    }


def on_term(number, frame):
    print("shutting down", flush=True)
    sys.exit(0)


def terminated(event, context):
    signal.signal(signal.SIGTERM, on_term)
    return "ready"


def at_exit(event, context):
    atexit.register(print, "at exit", flush=True)
    sys.exit(0)


def takers(number):
    found = []
    for task in os.listdir("/proc/self/task"):
        with contextlib.suppress(OSError), open(f"/proc/self/task/{task}/status") as file:
            mask = next(line for line in file if line.startswith("SigBlk:"))
            found += [task] * (not int(mask.split()[1], 16) >> (number - 1) & 1)
    return found


def blocked(event, context):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
    end = time.monotonic() + 10
    # Python 3.12 joins a thread of the runtime client's shortly before the kernel has ended it: it would get the signal.
    while takers(signal.SIGUSR2) and time.monotonic() < end:
        time.sleep(0.001)
    os.kill(os.getpid(), signal.SIGUSR2)
    return sorted(s.name for s in signal.sigpending())


def which_thread(event, context):
    return [threading.current_thread() is threading.main_thread(), threading.current_thread().daemon]
