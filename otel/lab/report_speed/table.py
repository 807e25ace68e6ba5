"""The table as text, at most 100 columns wide, and the floors that the figures must hold."""

from collections.abc import Iterator, Sequence

from lab.report_speed.measuring import MB, Measured
from lab.report_speed.million import Million, Run
from lab.report_speed.rows import JAEGER, OTLP, XRAY

# Multiples of the speed of `json.loads`. OTLP: typed decoding takes a quarter of json.loads' time; attributes, paths
# and tables take the rest. Jaeger: each span becomes a message of OTLP first. X-Ray: the documents are JSON in JSON,
# and their times need decimals.
LEAST = {OTLP: 0.65, JAEGER: 0.08, XRAY: 0.3}
# The fastest row of OTLP over the slowest: code tuned to one corpus would be slow on the others.
MOST_TIMES = 2.0
# Memory: a Lambda function or a small CI runner has 128 MB, and a document is in memory while it is read.
MOST_BEYOND_MB = 80
# In wall-clock time. Pieces are read and judged independently; one process computes the verdict.
TWO_PROCESSES = 1.6
HEAD = (
    "Speed as a multiple of json.loads of the same bytes, one process: 0.50 takes twice as long.\n"
    f"{'':7}{'row':33}{'spans':>8}{'MB':>7}{'json.loads':>12}{'text':>7}{'JSON':>7}{'peak':>8}  MB beyond"
)


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
        yield from _failures_of_million(million)


def _failures_of_million(million: Million) -> Iterator[str]:
    if million.times < TWO_PROCESSES:
        yield f"a million spans: two processes are {million.times:.2f}x as fast as one, below {TWO_PROCESSES}x"
    if million.peak > MOST_BEYOND_MB * MB:
        yield f"a million spans: {million.peak / MB:.0f} MB a process, above {MOST_BEYOND_MB} MB"


def line(number: int, of: int, row: Measured) -> str:
    """A row, for printing as soon as it is measured; `!` marks a row below its floor."""
    low = "!" if row.slower < LEAST[row.format] or row.beyond > MOST_BEYOND_MB * MB else ""
    return (
        f"{f'{number}/{of}':7}{row.name:33}{row.spans:8,}{row.size / MB:7.1f}{row.loads_s:10.2f} s"
        f"{row.text:7.2f}{row.json:7.2f}{row.peak / MB:8.0f}{row.beyond / MB:8.0f} {low}".rstrip()
    )


def summary(measured: Sequence[Measured]) -> str:
    """The slowest and the fastest row of each format, and the row with the most memory."""
    lines = []
    for form in dict.fromkeys(row.format for row in measured):
        rows = sorted((row for row in measured if row.format == form), key=lambda row: row.slower)
        worst, best = rows[0], rows[-1]
        lines.append(f"{form:7}worst {worst.slower:.2f} {worst.name:33} best {best.slower:.2f} {best.name}")
    largest = max(measured, key=lambda row: row.beyond)
    lines.append(f"memory at most {largest.beyond / MB:.0f} MB beyond the largest document ({largest.name})")
    return "\n".join(lines)


def million_lines(million: Million) -> str:
    """Both runs, and their ratio."""

    def run_line(name: str, run: Run) -> str:
        return (
            f"  {name}: {run.took_s:.1f} s, {run.used_s:.1f} s of processor, {run.peak / MB:.0f} MB a process at most"
        )

    return "\n".join(
        [
            f"A million spans, {million.size / MB:.0f} MB, load {million.load:.1f} before:",
            run_line("one process  ", million.one),
            run_line("two processes", million.two),
            f"  two are {million.times:.2f}x as fast",
        ]
    )
