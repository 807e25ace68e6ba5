"""Measures one row: the processor time of the report and of `json.loads`, and the report's peak memory.

Each measurement has a process of its own: earlier files may have filled the caches of a process. `measure` runs this
module as `python -m lab.report_speed.measuring`.
"""

import gc
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lab.report_speed.rows import JAEGER, OTLP, ROWS, XRAY, Row
from lambda_latency.cli.commands.report import run_report
from lambda_latency.cli.request import Request
from lambda_latency.text import Style

MB = 1_000_000
BUFFER = 1024 * 1024
IN_EACH_SPAN = {OTLP: '"spanId"', JAEGER: '"operationName"', XRAY: '\\"start_time\\"'}


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures of a row: seconds of processor time, and bytes. `peak` is that of the whole process of the report."""

    name: str
    format: str
    spans: int
    size: int
    largest: int  # bytes of the largest document
    loads_s: float
    text_s: float
    json_s: float
    peak: int

    @property
    def text(self) -> float:
        """The speed of the report as text: 1.0 is as fast as `json.loads` of the same bytes, 0.5 half as fast."""
        return self.loads_s / self.text_s

    @property
    def json(self) -> float:
        """The speed of the report as JSON, relative to `json.loads`."""
        return self.loads_s / self.json_s

    @property
    def slower(self) -> float:
        """The lower speed of the two."""
        return min(self.text, self.json)

    @property
    def beyond(self) -> int:
        """The peak memory minus the largest document, which any reader has to hold, in bytes."""
        return self.peak - self.largest


def measure(row: Row, folder: Path, rounds: int) -> Measured:
    """Write the file of a row and measure it; the file is removed."""
    path = folder / "traces.jsonl"
    spans, largest = _write(row, path)
    try:
        command = [sys.executable, "-m", "lab.report_speed.measuring", row.name, str(path), str(rounds)]
        output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
        loads_s, text_s, json_s = json.loads(output)
        peak = peak_of(path, processes=1)
        return Measured(row.name, row.format, spans, path.stat().st_size, largest, loads_s, text_s, json_s, peak)
    finally:
        path.unlink()


def peak_of(path: Path, processes: int) -> int:
    """The peak memory of the largest process of a report by `processes` processes, with the interpreter, in bytes."""
    command = [sys.executable, "-m", "lab.report_speed.peak", str(path), str(processes)]
    return int(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def loads(path: Path, row: Row) -> None:
    """The reference of a report: `json.loads` of each document of a file, and of the texts in X-Ray's documents."""
    if row.whole:
        json.loads(path.read_bytes())
        return
    with path.open("rb", buffering=BUFFER) as file:
        for line in file:
            value = json.loads(line)
            if row.format == XRAY:
                for trace in value["Traces"]:
                    for segment in trace["Segments"]:
                        json.loads(segment["Document"])


def _write(row: Row, path: Path) -> tuple[int, int]:
    """Write the file; the number of spans, and the bytes of the largest document."""
    spans = largest = 0
    with path.open("w", encoding="ascii", buffering=BUFFER) as file:
        for text in row.texts(row.traces()):
            spans += text.count(IN_EACH_SPAN[row.format])
            largest = max(largest, len(text))
            file.write(text)
    return spans, largest


def _times(name: str, path: Path, rounds: int) -> list[float]:
    """The least seconds of `json.loads`, of the report as text and as JSON, which alternate."""
    (row,) = [candidate for candidate in ROWS if candidate.name == name]
    gc.disable()  # as the report does; `json.loads` is faster too
    works = (partial(loads, path, row), partial(_report, path, None), partial(_report, path, "-"))
    least = [float("inf")] * len(works)
    for _ in range(rounds):
        for number, work in enumerate(works):
            start = time.process_time()  # excludes the time of other programs
            work()
            least[number] = min(least[number], time.process_time() - start)
    return least


def _report(path: Path, form: str | None) -> None:
    with Path(os.devnull).open("w") as nowhere:
        status = run_report(Request([path], json=form, processes=1), Style(), nowhere)
    if status != 0:
        raise SystemExit(f"the report of {path} ended with {status}: something in it could not be read")


if __name__ == "__main__":
    name, path, rounds = sys.argv[1:]
    print(json.dumps(_times(name, Path(path), int(rounds))))
