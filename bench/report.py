"""How fast the report is: spans per second against `json.loads` of the same bytes, in one process, and peak memory.

Timings on a shared machine mean little by themselves, so all take turns in one run, the least of five counts, and the
ratio is what is told: of the report as text, and of the one as JSON, which holds the map and more. `--million` reads a
million realistic spans with one process and with two instead, three times in turns.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.generate import deep, plain, realistic
from lambda_latency.cli.report import Request, run_report
from lambda_latency.text import Style

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ROUNDS, MILLIONS = 5, 3
LEAST = 1.0
KINDS: dict[str, Callable[[], Iterable[str]]] = {
    "plain, 2,000 x 50, 3 attr.": lambda: plain(2000, 50),
    "deep, 200 x 500, 3 attr.": lambda: deep(200, 500),
    "realistic, 8,300 x 12.5": lambda: realistic(8300),
}


def main() -> int:
    """Measure each kind of trace; status 1 if one is slower than it has to be."""
    parser = argparse.ArgumentParser("python -m bench.report", description=__doc__)
    parser.add_argument("--memory", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--processes", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--million", action="store_true")
    options = parser.parse_args()
    if options.million:
        return _million()
    if options.memory is not None:
        _report(options.memory, options.processes)
        # Not ru_maxrss: that of a child begins with what its parent had.
        peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
        print(max(int(peak.split()[1]), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) // 1024)
        return 0
    slow = 0
    print(
        f"{'':26}{'spans':>9}{'bytes':>10}{'json.loads':>13}{'text':>8}{'range':>14}{'JSON':>8}{'range':>14}{'peak':>8}"
    )
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for name, make in KINDS.items():
            path = Path(folder) / "traces.jsonl"
            path.write_text("".join(make()))
            spans = path.read_bytes().count(b'"spanId"')
            times = [[_timed(work, path) for work in (_loads, _text, _report)] for _ in range(ROUNDS)]
            least = [min(each) for each in zip(*times, strict=True)]
            slow += least[0] / least[2] < LEAST
            told = "".join(_ratio(times, least, column) for column in (1, 2))
            size = path.stat().st_size / 1e6
            print(f"{name:26}{spans:9,}{size:7.1f} MB{spans / least[0] / 1000:9.0f} k/s{told}{_peak_mb(path):5} MB")
    print(f"spans/s of the whole command over those of json.loads; below {LEAST} of JSON is a failure")
    return int(slow > 0)


def _million() -> int:
    """Wall clock, processor time and the largest process's memory; as long as nobody else needs the processors."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder) / "traces.jsonl"
        with path.open("w") as file:
            file.writelines(realistic(80_000))
        print(f"{path.stat().st_size / 1e6:.0f} MB, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
        least: dict[int, tuple[float, float]] = {}
        peak: dict[int, int] = {}
        for _ in range(MILLIONS):
            for processes in (1, 2):
                told = _run(path, processes)
                least[processes] = min(told[:2], least.get(processes, told[:2]))
                peak[processes] = max(told[2], peak.get(processes, 0))
        for processes, (took, used) in least.items():
            print(f"{processes} process(es): {took:.2f} s, {used:.2f} s of processor, peak {peak[processes]} MB")
        print(
            f"two are {least[1][0] / least[2][0]:.2f}x as fast, with {least[2][1] / least[1][1]:.2f}x of the processor"
        )
    return 0


def _run(path: Path, processes: int) -> tuple[float, float, int]:
    """Seconds of the clock and of processors, and megabytes, of the whole command with so many processes."""
    command = [sys.executable, "-m", "bench.report", "--memory", str(path), "--processes", str(processes)]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    peak = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    after, took = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - start
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, peak


def _timed(work: Callable[[Path], object], path: Path) -> float:
    start = time.process_time()  # of a shared machine: the others' turns are not counted
    work(path)
    return time.process_time() - start


def _loads(path: Path) -> None:
    with path.open("rb", buffering=1024 * 1024) as file:
        for line in file:
            json.loads(line)


def _ratio(times: list[list[float]], least: list[float], column: int) -> str:
    each = sorted(one[0] / one[column] for one in times)
    return f"{least[0] / least[column]:8.2f}{each[0]:9.2f}-{each[-1]:.2f}"


def _text(path: Path) -> None:
    run_report(Request([path]), Style(), io.StringIO())


def _report(path: Path, processes: int | None = None) -> None:
    run_report(Request([path], json="-", processes=processes), Style(), io.StringIO())


def _peak_mb(path: Path) -> int:
    """Peak memory of a process that makes one report; the interpreter is in it."""
    command = [sys.executable, "-m", "bench.report", "--memory", str(path)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


if __name__ == "__main__":
    sys.exit(main())
