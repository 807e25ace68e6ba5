"""Samples of a slow request: at which line of the function's own code it computed or waited, and for how long.

The watch's thread takes them. It imports this module at the first slow request.
"""

from __future__ import annotations

import gc
import linecache
import os
import stat
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from resource import RUSAGE_SELF, getrusage
from typing import Any

from lambda_latency.runtime.deadline.interpreter import SAMPLING, ask, hurried, release
from lambda_latency.runtime.deadline.own_lines import Location, OwnLines
from lambda_latency.runtime.deadline.running import NEVER, Running

# Later samples come after this share of the time so far: 190 in 15 minutes
EVERY_S, EVERY_SHARE = 0.01, 0.05
# On a busy machine, or with a small function's share of a processor, samples are rarer, too: a sample may take this
# share of the processor time that a computing handler has until the next one.
OWN_SHARE, LONGEST_S = 0.01, 0.03
LOOKS_COUNTED = 4  # samples whose processor time is taken together
MOST_PLACES, MOST_LINES = 48, 8
# The source of a place is read once it has that much time
PLACE_LENGTH, LINE_LENGTH, LINE_AFTER_S = 160, 120, 0.05
MOST_LOOKS = 16  # at the system call of a place whose samples come late
WAITING_SHARE = 0.1  # a sample with less CPU than that is one of waiting
# Not a lock: the thread may wait for the interpreter itself
RESTS = ("sleep", "network", "file", "process")


def profiles(*, lines: bool) -> Callable[[Running, object, float], Profile]:
    """Return what makes the profile of an invocation from an instant on; with the text of `lines`, or without it."""
    return partial(Profile, OwnLines(), MOST_LINES if lines else 0)


class Spot:
    """A place in the code with its samples: its seconds, its kind of wait, its source, and looks at its system call."""

    __slots__ = ("line", "looks", "place", "seconds", "waits")

    def __init__(self, place: Location) -> None:
        self.place, self.seconds, self.waits, self.line, self.looks = place, 0.0, "", "", 0


class Profile:
    """The samples of one invocation, from `start` on (seconds since 1970). Until `stop`, the switch interval is short.

    The weight of a sample is the time since the one before, because C code such as a regular expression may keep the
    thread from running for a second. For the same reason the first weight begins at the instant at which it was due.
    """

    def __init__(self, code: OwnLines, lines: int, running: Running, invocation: object, start: float) -> None:
        self.invocation, self._running, self._code, self._lines_left = invocation, running, code, lines
        self._trace_id = running.span.get_span_context().trace_id
        self._stopped, self.every_s, self.start, self._last = False, EVERY_S, start, start
        # Not everywhere: macOS has no clock of another thread.
        self._clock = time.pthread_getcpuclockid(running.thread) if hasattr(time, "pthread_getcpuclockid") else None
        cpu_s, self._process = self._cpu(), time.process_time()
        self._used = cpu_s - min(cpu_s - running.cpu_s, max(0.0, time.time() - start))
        self._process_used, self._cpu_s, self._samples = self._process, 0.0, 0
        self._looks, self._look_s, self._own_s = 0, 0.0, time.thread_time()
        self._spots: dict[Location, Spot] = {}
        # Runs of samples of one spot: it, and seconds of wall clock and CPU, and how late the samples came
        self._runs: list[list[Any]] = []
        self._computing: Spot | None = None  # of the last sample that computed
        self._pauses_s, self._pause_begun, self._faults = 0.0, 0.0, getrusage(RUSAGE_SELF).ru_majflt
        ask(self, SAMPLING)
        gc.callbacks.append(self._collects)

    def sample(self, now_s: float) -> None:
        """Take a sample at an instant (seconds since 1970)."""
        frames, thread = sys._current_frames(), self._running.thread
        if self._stopped or thread not in frames:
            return
        place, via = self._code.locate(frames, thread, self._trace_id)
        del frames  # they keep the request's values alive
        wall, cpu = now_s - self._last if now_s > self._last else 0.0, self._cpu()
        used, self._last, self._used = cpu - self._used, now_s, cpu
        if via == "thread":
            process = time.process_time()
            used, self._process_used = process - self._process_used, process
        used = used if used < wall else wall  # noqa: FURB136 - a call of `min` costs more
        spot = self._spots.get(place)
        if spot is None:
            place = place if len(self._spots) < MOST_PLACES - 1 else Location("")
            spot = self._spots.setdefault(place, Spot(place))
        is_waiting = not via and self._clock is not None and used < WAITING_SHARE * wall
        is_late = wall > 2 * self.every_s and not is_waiting
        wait = spot.waits
        if not via and not wait and (is_waiting or (is_late and spot.looks < MOST_LOOKS)):
            wait = waits_for(thread)
            # bounded, because each look at a file gives the interpreter away three times
            spot.looks += 1
            spot.waits = wait if is_waiting else ""
        if is_late and wait in RESTS and self._computing is not None:
            # A thread at rest leaves interpreter and processor to others: code before it let the sample be late.
            self._add(self._computing, wall - self.every_s, used)
            wall, used, is_waiting = self.every_s, 0.0, True
        if not is_waiting:
            self._computing = spot
        self._add(spot, wall, used)
        if spot.seconds > LINE_AFTER_S and not spot.line and self._lines_left and spot.place.file:
            self._lines_left -= 1
            with hurried():
                line = linecache.getline(self._code.root + place.file, place.line)
                spot.line = line.strip()[:LINE_LENGTH] or " "
        self._looks += 1
        if not self._looks % LOOKS_COUNTED:  # to ask for the time costs, too
            own_s, self._own_s = self._own_s, time.thread_time()
            self._look_s = (self._own_s - own_s) / LOOKS_COUNTED
        every_s = EVERY_SHARE * (now_s - self.start)
        if used and not is_waiting and (rarer_s := self._look_s * wall / used / OWN_SHARE) > every_s:
            every_s = max(every_s, min(LONGEST_S, rarer_s))
        self.every_s = every_s if every_s > EVERY_S else EVERY_S  # noqa: FURB136 - as above

    def stop(self) -> None:
        """Restore the switch interval and end the samples. The handler's thread calls it, or the watch's."""
        if self._stopped:
            return
        self._stopped, every_s, self.every_s = True, self.every_s, NEVER
        release(self)
        if self._collects in gc.callbacks:
            gc.callbacks.remove(self._collects)
        tail_s = time.time() - self._last
        if self._runs and 0 < tail_s < 2 * every_s:  # the end of the last run, until the next sample
            self._runs[-1][1] += tail_s
        self._cpu_s, self._process = self._cpu() - self._running.cpu_s, time.process_time() - self._process
        self._faults = getrusage(RUSAGE_SELF).ru_majflt - self._faults

    def attributes(self) -> dict[str, Any]:
        """Return the attributes of the handler's span, after `stop`. Places with the most time come first."""
        runs = list(self._runs)  # first: the thread may be in a last sample
        spots = sorted(self._spots.values(), key=lambda spot: -spot.seconds)
        attributes = {
            "after_ms": max(0, round((self.start - self._running.start) * 1e3)),
            "samples": self._samples,
            "places": [spot.place.text[:PLACE_LENGTH] for spot in spots],
            "runs": ";".join(self._run_texts(runs, spots)),
            "waits": trimmed([spot.waits for spot in spots]),
            "lines": trimmed([spot.line.strip() for spot in spots]),
            "process_cpu_ms": round(self._process * 1e3),
            "collector_ms": round(self._pauses_s * 1e3),
            "major_faults": self._faults,
            "cpu_ms": round(self._cpu_s * 1e3) if self._clock is not None else [],
        }
        return {f"lambda.profile.{key}": value for key, value in attributes.items() if value != []}

    def _cpu(self) -> float:
        try:
            return time.clock_gettime(self._clock) if self._clock is not None else 0.0
        except OSError:  # in a fork, where the clock's thread does not exist
            return self._running.cpu_s

    def _add(self, spot: Spot, wall: float, used: float) -> None:
        spot.seconds += wall
        self._samples += 1
        if not self._runs or self._runs[-1][0] is not spot:
            self._runs.append([spot, 0.0, 0.0, 0.0])
        run = self._runs[-1]
        run[1] += wall
        run[2] += used
        run[3] += wall - self.every_s if wall > 2 * self.every_s else 0.0

    def _run_texts(self, runs: list[list[Any]], spots: list[Spot]) -> list[str]:
        """Return the runs in the order of time: place, and milliseconds of wall clock, CPU and lateness."""
        texts, ends = [], [0.0, 0.0, 0.0]
        for spot, *run in runs:  # differences of rounded sums: the errors do not add up
            begins, ends = ends, [sum(pair) for pair in zip(ends, run, strict=True)]
            wall, cpu, late = (round(end * 1e3) - round(begin * 1e3) for begin, end in zip(begins, ends, strict=True))
            cpu_text = cpu if self._clock is not None else ""
            late_text = f",{late}" if late > 0 else ""
            texts.append(f"{spots.index(spot)},{wall},{cpu_text}{late_text}")
        return texts

    def _collects(self, phase: str, _info: dict[str, int]) -> None:
        """Time a pause. The garbage collector calls it, on the thread that it interrupts."""
        if phase == "start":
            self._pause_begun = time.time()
        elif self._pause_begun:
            self._pauses_s += max(0.0, time.time() - self._pause_begun)


def trimmed(texts: list[str]) -> list[str]:
    """Return the texts without the empty ones at the end."""
    return texts[: max((count for count, text in enumerate(texts, 1) if text), default=0)]


NUMBERS = {  # of system calls on x86-64 and on arm64
    "lock": ((202,), (98,)),
    "sleep": ((35, 230), (101, 115)),
    "network": ((7, 42, 43, 44, 45, 47, 232, 271, 281, 288), (22, 73, 202, 203, 206, 207, 212, 242)),
    "process": ((61, 247), (95, 260)),
    "file": ((2, 73, 74, 75, 257), (32, 56, 82, 83)),
    "select": ((23, 270), (72,)),
    "read": ((0, 1, 17, 18, 19, 20), (63, 64, 65, 66, 67, 68)),  # or write
}
MACHINES = ["x86_64", "aarch64", os.uname().machine]
CALLS = {number: kind for kind, both in NUMBERS.items() for number in (*both, ())[MACHINES.index(MACHINES[2])]}


def waits_for(thread: int) -> str:
    """Return what a thread waits for: `lock`, `sleep`, `file`, `network`, `process`; empty if unknown or if it runs.

    The system call that the thread is in shows it: Linux lets a process read those of its own threads.
    """
    try:
        native = threading._active[thread].native_id  # type: ignore[attr-defined]
        with open(f"/proc/self/task/{native}/syscall") as file:  # noqa: PTH123 - pathlib takes twice as long
            call, argument, *_ = file.read(64).split()  # one word if it is running
        kind = CALLS.get(int(call), "")
        if kind == "select":  # without files, it is `time.sleep` of Python 3.10
            return "network" if int(argument, 16) else "sleep"
        if kind == "read":
            mode = os.fstat(int(argument, 16)).st_mode
            return "network" if stat.S_ISSOCK(mode) else "process" if stat.S_ISFIFO(mode) else "file"
    except (AttributeError, KeyError, OSError, ValueError):
        return ""
    return kind
