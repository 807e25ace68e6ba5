"""A million spans with one process and with two, alternating: wall-clock time, processor time, and memory."""

import os
from dataclasses import dataclass
from pathlib import Path

from lab.commands import timed
from lab.generate import realistic
from lab.report_speed.measuring import peak_of

TRACES = 80_000


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds of wall-clock time and of all processors, and bytes of the largest process."""

    took_s: float
    used_s: float
    peak: int


@dataclass(frozen=True, slots=True)
class Million:
    """The best run with one process and with two.

    `load` is the load of the machine before the runs: a high one distorts wall-clock times. `size` is that of the file
    in bytes.
    """

    size: int
    load: float
    one: Run
    two: Run

    @property
    def times(self) -> float:
        """How many times as fast two processes are, in wall-clock time."""
        return self.one.took_s / self.two.took_s

    @property
    def peak(self) -> int:
        """The peak of the larger run, in bytes."""
        return max(self.one.peak, self.two.peak)


def measure_million(folder: Path, rounds: int) -> Million:
    """Write the file and report on it. The wall-clock times hold only if the processors are otherwise idle."""
    path = folder / "million.jsonl"
    with path.open("w") as file:
        file.writelines(realistic(TRACES))
    load = os.getloadavg()[0]
    try:
        runs = [(_run(path, 1), _run(path, 2)) for _ in range(rounds)]
        one, two = (min(of_count, key=lambda run: run.took_s) for of_count in zip(*runs, strict=True))
        return Million(path.stat().st_size, load, one, two)
    finally:
        path.unlink()


def _run(path: Path, processes: int) -> Run:
    peak, used_s, took_s = timed(lambda: peak_of(path, processes))
    return Run(took_s, used_s, peak)
