"""What a span costs on Spark in local mode, in archives of several sizes."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from lab.generate import realistic_traces
from lab.spark.environment import run_job
from lambda_latency.archive.layout import MARK, spans_path

__all__ = ["measure"]

TRACES = 10_000  # in one file
PREFIX = b"6b05a667"  # of the trace ids of `realistic_traces`
HOUR_NS = 3600 * 1_000_000_000
T0 = 1_795_560_000_000_000_000


def measure(python: Path, folder: Path, sizes: list[int]) -> int:
    """Print the seconds, and the microseconds a span, of each size; 0."""
    lines, spans = file_of(TRACES)
    print(f"{'spans':>12}  {'seconds':>8}  {'us/span':>8}", flush=True)
    for size in [spans, *sizes]:
        archive = folder / f"archive{size}"
        count = max(1, round(size / spans))
        write(archive, lines, count)
        out = folder / "seconds.json"
        run_job(python, "lab.spark.timed", [str(folder / "spark"), str(archive), str(out)], {})
        seconds, requests = json.loads(out.read_text())
        assert requests == count * TRACES, requests
        print(f"{count * spans:>12,}  {seconds:>8.1f}  {seconds / count / spans * 1e6:>8.2f}", flush=True)
        for path in archive.rglob("*.gz"):
            path.unlink()
    return 0


def file_of(traces: int) -> tuple[bytes, int]:
    """The lines of a spans file, a trace a line, and the number of its spans."""
    texts, spans = [], 0
    for trace in realistic_traces(traces):
        groups = [group for part in trace for group in part["resourceSpans"]]
        spans += sum(len(scope["spans"]) for group in groups for scope in group["scopeSpans"])
        texts.append(json.dumps({"resourceSpans": groups}, separators=(",", ":")))
    return ("\n".join(texts) + "\n").encode(), spans


def write(archive: Path, lines: bytes, count: int) -> None:
    """An archive of spans: the same lines, so many times, with other trace ids."""
    archive.mkdir()
    (archive / MARK).write_text('{"archive": 1}\n')
    for number in range(count):
        path = archive / spans_path(T0 + number * HOUR_NS)
        path.parent.mkdir(parents=True)
        path.write_bytes(gzip.compress(lines.replace(b'"traceId":"' + PREFIX, b'"traceId":"%08x' % number), 1))
