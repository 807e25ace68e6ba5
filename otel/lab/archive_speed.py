"""What an archive costs: a million spans of a week in, out again, and reported from accounts and from spans.

Status 1 if the accounts that come out are not those of the file, or if the report from spans takes less than 20 times
the processor time of the one from accounts. The clock says less: the report from spans runs on all processors.

Usual time: 5 minutes.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from lab.commands import timed
from lab.generate import Trace, late, realistic_traces, spans_of
from lambda_latency.archive import add, compact, read_requests
from lambda_latency.latency import load
from lambda_latency.trace import Source, find_sources

ROUNDS = 3
TIMES = 20
WEEK_NS = 7 * 24 * 3600 * 1_000_000_000


def main(parser: ArgumentParser) -> int:
    """Measure and print."""
    parser.add_argument("--traces", type=int, default=80_000, metavar="N", help="of 12.5 spans each (80,000)")
    traces = parser.parse_args().traces
    with tempfile.TemporaryDirectory(prefix="archive-speed-") as name:
        folder = Path(name)
        path, where = folder / "traces.jsonl", folder / "archive"
        with path.open("w") as file:
            file.writelines(json.dumps(trace, separators=(",", ":")) + "\n" for trace in late(of_a_week(traces)))
        begin = time.monotonic()
        added = add(str(where), [path])
        print(f"{added.traces:,} traces, {added.spans:,} spans added in {time.monotonic() - begin:.1f} s")
        sizes = {part: sum(f.stat().st_size for f in (where / part).rglob("*.*")) for part in ("spans", "accounts")}
        for part, size in sizes.items():
            print(f"{part}: {size / added.spans:.1f} bytes a span ({size / 1e6:.1f} MB; the file has "
                  f"{path.stat().st_size / 1e6:.0f} MB)")  # fmt: skip
        expected = load([Source("file", path)], []).in_order()
        agree = [list(read_requests(str(where)).breakdowns.in_order()) == list(expected)]
        spans = load(find_sources([where / "spans"], []), []).in_order()
        agree.append(list(spans) == list(expected))
        compact(str(where), 0)
        agree.append(list(read_requests(str(where)).breakdowns.in_order()) == list(expected))
        print(f"accounts as in the file: from accounts {agree[0]}, from spans {agree[1]}, when compacted {agree[2]}")
        (slow, waited), (fast, briefly) = (least_s(source) for source in (where / "spans", where))
    print(f"report from spans {slow:.1f} s of processors, from accounts {fast:.2f} s: {slow / fast:.0f} times as fast; "
          f"by the clock {waited:.1f} s and {briefly:.2f} s")  # fmt: skip
    return int(not all(agree) or slow < TIMES * fast)


def of_a_week(traces: int) -> Iterator[Trace]:
    """The traces, evenly over a week: an hour's file has few of them."""
    for number, trace in enumerate(realistic_traces(traces)):
        for span in spans_of(trace):
            for key in ("startTimeUnixNano", "endTimeUnixNano"):
                span[key] = str(int(span[key]) + number * WEEK_NS // traces)
        yield trace


def least_s(source: Path) -> tuple[float, float]:
    """The least seconds of some reports, each in a process of its own: of processors, and by the clock."""
    used, took = [], []
    # The first report may write bytecode for the others, as the installation of a package does.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for _ in range(ROUNDS):
        command = [sys.executable, "-m", "lambda_latency", "report", source, "-q"]
        _, used_s, took_s = timed(partial(subprocess.run, command, check=True, capture_output=True, env=environment))
        used.append(used_s)
        took.append(took_s)
    return min(used), min(took)
