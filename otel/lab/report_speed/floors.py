"""The floors of the report's speed. A floor must hold for the slowest row: some users have only such traces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.report_speed.measuring import MB
from lab.report_speed.rows import JAEGER, OTLP, XRAY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.report_speed.measuring import Measured
    from lab.report_speed.million import Million

__all__ = ["LEAST", "MOST_BEYOND_MB", "MOST_TIMES", "TWO_PROCESSES", "failures"]

# Multiples of the speed of `json.loads`. OTLP: typed decoding takes a quarter of json.loads' time; attributes, paths
# and tables take the rest. Jaeger: kind, status and scope are among the tags of each span. X-Ray: the documents are
# JSON in JSON, and their times need decimals.
LEAST = {OTLP: 0.65, JAEGER: 0.4, XRAY: 0.3}
# The fastest row of OTLP over the slowest: code tuned to one corpus would be slow on the others.
MOST_TIMES = 2.0
# Memory: a Lambda function or a small CI runner has 128 MB, and a document is in memory while it is read.
MOST_BEYOND_MB = 80
# In wall-clock time. Pieces are read and judged independently; one process computes the verdict.
TWO_PROCESSES = 1.6


def failures(measured: Sequence[Measured], million: Million | None = None) -> Iterator[str]:
    """A sentence for each floor that does not hold."""
    for row in measured:
        least = LEAST[row.format]
        if row.slower < least:
            yield f"{row.name}: {row.slower:.2f}x of json.loads, below {least} ({row.format})"
        if row.beyond > MOST_BEYOND_MB * MB:
            yield f"{row.name}: {row.beyond / MB:.0f} MB beyond the largest document, above {MOST_BEYOND_MB} MB"
    speeds = [row.slower for row in measured if row.format == OTLP]
    if speeds and max(speeds) > MOST_TIMES * min(speeds):
        yield f"OTLP: the fastest row is {max(speeds) / min(speeds):.1f}x the slowest, above {MOST_TIMES:g}x"
    if million is not None:
        if million.times < TWO_PROCESSES:
            yield f"a million spans: two processes are {million.times:.2f}x as fast as one, below {TWO_PROCESSES}x"
        if million.peak > MOST_BEYOND_MB * MB:
            yield f"a million spans: {million.peak / MB:.0f} MB a process, above {MOST_BEYOND_MB} MB"
