"""The table as text, at most 100 columns wide, and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lab.report_speed.floors import LEAST, MOST_BEYOND_MB
from lab.report_speed.measuring import MB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.report_speed.measuring import Measured
    from lab.report_speed.million import Million, Run

__all__ = ["HEAD", "document", "line", "million_lines", "summary"]

HEAD = (
    "Speed as a multiple of json.loads of the same bytes, one process: 0.50 takes twice as long.\n"
    f"{'':7}{'row':33}{'spans':>8}{'MB':>7}{'json.loads':>12}{'text':>7}{'JSON':>7}{'peak':>8}  MB beyond"
)


def line(number: int, of: int, row: Measured) -> str:
    """A row, for printing as soon as it is measured; `!` marks a row below its floor."""
    low = "!" if row.slower < LEAST[row.format] or row.beyond > MOST_BEYOND_MB * MB else ""
    return (
        f"{f'{number}/{of}':7}{row.name:33}{row.spans:8,}{row.size / MB:7.1f}{row.loads_s:10.2f} s"
        f"{row.text:7.2f}{row.json:7.2f}{row.peak / MB:8.0f}{row.beyond / MB:8.0f} {low}".rstrip()
    )


def summary(measured: Sequence[Measured]) -> str:
    """The slowest and the fastest row of each format, and the row with the most memory."""
    found = []
    for form in dict.fromkeys(row.format for row in measured):
        rows = sorted((row for row in measured if row.format == form), key=lambda row: row.slower)
        worst, best = rows[0], rows[-1]
        found.append(f"{form:7}worst {worst.slower:.2f} {worst.name:33} best {best.slower:.2f} {best.name}")
    most = max(measured, key=lambda row: row.beyond)
    found.append(f"memory at most {most.beyond / MB:.0f} MB beyond the largest document ({most.name})")
    return "\n".join(found)


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


def document(measured: Sequence[Measured], million: Million | None, failed: Sequence[str]) -> dict[str, Any]:
    """All figures: times in seconds, sizes in bytes, speeds as multiples of `json.loads`."""
    return {
        "rows": [
            {**asdict(row), "text": round(row.text, 3), "json": round(row.json, 3), "beyond": row.beyond}
            for row in measured
        ],
        "million": None if million is None else {**asdict(million), "times": round(million.times, 3)},
        "failures": list(failed),
    }
