"""Samples of a slow request: at which line of the function's own code it computed or waited, and for how long.

The watch's thread takes them. It imports this module at the first slow request.
"""

from __future__ import annotations

import gc
import linecache
import sys
import time
from collections import Counter
from resource import RUSAGE_SELF, getrusage
from typing import TYPE_CHECKING, Any

from lambda_latency.runtime.deadline.interpreter import SAMPLING, ask, hurried
from lambda_latency.runtime.deadline.own_lines import Place, own_lines
from lambda_latency.runtime.deadline.waiting import waits_for
from lambda_latency.runtime.harmless import harmless

if TYPE_CHECKING:
    from lambda_latency.runtime.deadline.running import Running

__all__ = ["Profile"]

EVERY_S = 0.01
MOST_RUNS, MOST_PLACES, MOST_LINES = 256, 48, 8
PLACE_LENGTH, LINE_LENGTH, LINE_AFTER_S = 160, 120, 0.05  # the source of a place is read once it has that much time
MOST_LOOKS = 16  # at the system call of a place whose samples come late
WAITING_SHARE = 0.1  # a sample with less CPU than that is one of waiting
RESTS = ("sleep", "network", "file", "process")  # not a lock: the thread may wait for the interpreter itself
PREFIX = "lambda.profile."
OTHER = Place("", 0, "", "")


class Profile:
    """The samples of one invocation, from `start` on (seconds since 1970). Until `stop`, the switch interval is short.

    The weight of a sample is the time since the one before, because C code such as a regular expression may keep the
    thread from running for a second. For the same reason the first weight begins at the instant at which it was due.
    """

    def __init__(self, running: Running, invocation: object, start: float, *, lines: bool) -> None:
        self.invocation = invocation
        self._thread, self._trace_id = running.thread, running.span.get_span_context().trace_id
        self._begun, self.every_s = running.begun, EVERY_S
        self.start = self._last = start
        self._own, self._with_lines = own_lines(), lines
        # Not everywhere: macOS has no clock of another thread.
        self._clock = time.pthread_getcpuclockid(self._thread) if hasattr(time, "pthread_getcpuclockid") else None
        self._cpu_begun, self._process_begun = running.cpu_s, time.process_time()
        now = self._cpu()
        self._used = now - min(now - running.cpu_s, max(0.0, time.time() - self.start))
        self._process = self._process_begun
        self._places: dict[Place, int] = {}
        self._sums: list[float] = []  # wall seconds by place
        self._waits: dict[int, str] = {}
        self._looks: Counter[int] = Counter()
        self._lines: dict[int, str] = {}
        self._runs: list[list[float]] = []  # place, and seconds: wall, CPU, and how late the samples came
        self._computing: int | None = None  # the place at which it was last seen to compute
        self._samples, self._cpu_s = 0, 0.0
        self._pauses_s, self._pause_begun, self._faults = 0.0, 0.0, getrusage(RUSAGE_SELF).ru_majflt
        self._stopped = False
        self._interval = ask(SAMPLING)
        gc.callbacks.append(self._collects)

    def sample(self, now: float) -> None:
        """Take a sample at an instant (seconds since 1970)."""
        frames = sys._current_frames()
        if self._stopped or self._thread not in frames:
            return
        place, via = self._own.of(frames, self._thread, self._trace_id)
        del frames  # they keep the request's values alive
        wall, cpu = max(0.0, now - self._last), self._cpu()
        used = cpu - self._used
        self._last, self._used = now, cpu
        if via == "thread":
            used, self._process = time.process_time() - self._process, time.process_time()
        used = min(used, wall)
        is_waiting = not via and self._clock is not None and used < WAITING_SHARE * wall
        number = self._number(place)
        is_late = wall > 2 * self.every_s and not is_waiting
        rest = self._waits.get(number, "")
        if not via and not rest and (is_waiting or (is_late and self._looks[number] < MOST_LOOKS)):
            rest = waits_for(self._thread)
            self._looks[number] += 1  # bounded, because each look at a file gives the interpreter away three times
            if is_waiting and rest:
                self._waits[number] = rest
        if is_late and rest in RESTS and self._computing is not None:
            # A thread at rest leaves interpreter and processor to others: code before it let the sample be late.
            self._add(self._computing, wall - self.every_s, used)
            wall, used, is_waiting = self.every_s, 0.0, True
        if not is_waiting:
            self._computing = number
        self._add(number, wall, used)
        if self._with_lines and self._sums[number] > LINE_AFTER_S and number not in self._lines and place.file:
            self._read(number, place)

    def stop(self) -> None:
        """Restore the switch interval and end the samples. The handler's thread calls it, or the watch's."""
        if self._stopped:
            return
        self._stopped = True
        self._interval.release()
        if self._collects in gc.callbacks:
            gc.callbacks.remove(self._collects)
        self._cpu_s = self._cpu() - self._cpu_begun
        rest = time.time() - self._last
        if self._runs and 0 < rest < 2 * self.every_s:  # the end of the last run, until the next sample
            self._runs[-1][1] += rest
        self.every_s = float("inf")
        self._process = time.process_time() - self._process_begun
        self._faults = getrusage(RUSAGE_SELF).ru_majflt - self._faults

    def attributes(self) -> dict[str, Any]:
        """The attributes of the handler's span, after `stop`. Places with the most time come first."""
        runs, sums = list(self._runs), list(self._sums)  # in this order: the thread may be in a last sample
        places = list(self._places)
        order = sorted(range(len(sums)), key=lambda number: -sums[number])
        found: dict[str, Any] = {
            "after_ms": max(0, round((self.start - self._begun) * 1e3)),
            "samples": self._samples,
            "places": [places[number].text[:PLACE_LENGTH] for number in order],
            "runs": ";".join(self._told(runs, {number: at for at, number in enumerate(order)})),
            "waits": trimmed([self._waits.get(number, "") for number in order]),
            "lines": trimmed([self._lines.get(number, "") for number in order]),
            "process_cpu_ms": round(self._process * 1e3),
            "collector_ms": round(self._pauses_s * 1e3),
            "major_faults": self._faults,
        }
        if self._clock is not None:
            found["cpu_ms"] = round(self._cpu_s * 1e3)
        return {PREFIX + key: value for key, value in found.items() if value != []}

    def _cpu(self) -> float:
        try:
            return time.clock_gettime(self._clock) if self._clock is not None else 0.0
        except OSError:  # in a fork, where the clock's thread does not exist
            return self._cpu_begun

    def _number(self, place: Place) -> int:
        number = self._places.get(place)
        if number is None:
            if len(self._places) >= MOST_PLACES - 1:
                place = OTHER
            number = self._places.setdefault(place, len(self._places))
            self._sums += [0.0] * (len(self._places) - len(self._sums))
        return number

    def _add(self, number: int, wall: float, used: float) -> None:
        late = wall - self.every_s if wall > 2 * self.every_s else 0.0
        self._sums[number] += wall
        self._samples += 1
        runs = self._runs
        if runs and runs[-1][0] == number:
            last = runs[-1]
            last[1] += wall
            last[2] += used
            last[3] += late
            return
        runs.append([number, wall, used, late])
        if len(runs) > MOST_RUNS:
            self.every_s *= 2
            self._runs = [joined(*pair) for pair in zip(runs[::2], runs[1::2], strict=False)] + runs[len(runs) & ~1 :]

    def _told(self, runs: list[list[float]], at: dict[int, int]) -> list[str]:
        """The runs in the order of time: place, and milliseconds of wall clock, CPU and lateness."""
        found: list[str] = []
        sums = [0.0, 0.0, 0.0]
        for number, *run in runs:  # differences of rounded sums: the errors do not add up
            before = [round(one * 1e3) for one in sums]
            sums = [one + more for one, more in zip(sums, run, strict=True)]
            wall, cpu, late = (round(one * 1e3) - old for one, old in zip(sums, before, strict=True))
            found.append(f"{at[int(number)]},{wall},{cpu if self._clock is not None else ''}" + f",{late}" * (late > 0))
        return found

    def _read(self, number: int, place: Place) -> None:
        if len(self._lines) < MOST_LINES:
            with hurried():
                line = linecache.getline(self._own.root + place.file, place.line)
            self._lines[number] = line.strip()[:LINE_LENGTH]

    @harmless("timing the garbage collector")
    def _collects(self, phase: str, _info: dict[str, int]) -> None:
        """A callback of the garbage collector, on the thread that it interrupts."""
        if phase == "start":
            self._pause_begun = time.time()
        elif self._pause_begun:
            self._pauses_s += max(0.0, time.time() - self._pause_begun)


def joined(one: list[float], other: list[float]) -> list[float]:
    """Two runs as one, at the place of the longer one."""
    longer = one if one[1] >= other[1] else other
    return [longer[0], *(a + b for a, b in zip(one[1:], other[1:], strict=True))]


def trimmed(texts: list[str]) -> list[str]:
    """The texts without the empty ones at the end."""
    while texts and not texts[-1]:
        texts.pop()
    return texts
