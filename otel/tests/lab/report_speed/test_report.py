"""The table of the report's benchmark: its rows, its floors, its text."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lab.report_speed.floors import LEAST, MOST_BEYOND_MB, failures
from lab.report_speed.measuring import MB, Measured, loads, measure
from lab.report_speed.million import Million, Run
from lab.report_speed.rows import JAEGER, OTLP, ROWS, XRAY
from lab.report_speed.table import HEAD, document, line, million_lines, summary

ROW = Measured("realistic/as-is", OTLP, 1000, 2 * MB, MB, loads_s=1.0, text_s=1.0, json_s=1.25, peak=61 * MB)
JAEGER_ROW = replace(ROW, name="jaeger/one-line", format=JAEGER, json_s=2.5)
MILLION = Million(360 * MB, 0.5, Run(10.0, 9.5, 70 * MB), Run(5.0, 9.9, 60 * MB))


def test_rows_have_names_of_their_own_and_a_file_each() -> None:
    """Each corpus with each variation that it has a place for: none is another's file."""
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)
    assert [len([row for row in ROWS if row.format == form]) for form in (OTLP, JAEGER, XRAY)] == [51, 5, 3]
    begins = {row.name: "".join(row.texts(itertools.islice(row.traces(), 3))) for row in ROWS}
    alike = [(one, two) for one, two in itertools.combinations(names, 2) if begins[one] == begins[two]]
    assert alike == []


@pytest.mark.parametrize("form", [OTLP, JAEGER, XRAY])
def test_a_row_is_measured_in_processes_of_its_own(form: str, tmp_path: Path) -> None:
    """Its figures are those of its file, of which nothing is left."""
    row = next(row for row in ROWS if row.format == form)
    small = replace(row, traces=lambda: itertools.islice(row.traces(), 30))
    measured = measure(small, tmp_path, rounds=1)
    texts = list(small.texts(small.traces()))
    expected = (row.name, form, sum(map(len, texts)), max(map(len, texts)))
    assert (measured.name, measured.format, measured.size, measured.largest) == expected
    assert measured.spans > 300
    assert min(measured.loads_s, measured.text, measured.json) > 0
    assert 20 * MB < measured.peak < 100 * MB
    assert list(tmp_path.iterdir()) == []


def test_json_loads_reads_what_the_report_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line, or all at once, and X-Ray's documents too."""
    read: list[str | bytes] = []
    decode = json.loads

    def heard(text: str | bytes) -> Any:
        read.append(text)
        return decode(text)

    monkeypatch.setattr("lab.report_speed.measuring.json.loads", heard)
    by_name = {row.name: row for row in ROWS}
    path = tmp_path / "t.json"
    path.write_text('{"Traces":[{"Segments":[{"Document":"{}"},{"Document":"[]"}]}]}\n')
    loads(path, by_name["x-ray/plain"])
    assert read == [path.read_bytes(), "{}", "[]"]
    for name, expected in (("jaeger/indented", [b"[\n]\n"]), ("plain/blanks", [b"1\n", b"2\n"])):
        read.clear()
        path.write_bytes(b"".join(expected))
        loads(path, by_name[name])
        assert read == expected


def test_floors_hold_for_the_slower_report_of_each_row() -> None:
    """As text or as JSON; at the floor it holds."""
    assert list(failures([ROW, JAEGER_ROW, replace(ROW, json_s=1 / 0.65)], MILLION)) == []
    below = [
        replace(ROW, json_s=1.6),
        replace(JAEGER_ROW, text_s=2.6),
        replace(ROW, name="x-ray/plain", format=XRAY, text_s=4.0),
    ]
    assert list(failures(below)) == [
        "realistic/as-is: 0.62x of json.loads, below 0.65 (OTLP)",
        "jaeger/one-line: 0.38x of json.loads, below 0.4 (Jaeger)",
        "x-ray/plain: 0.25x of json.loads, below 0.3 (X-Ray)",
    ]


def test_no_row_of_otlp_may_be_twice_as_fast_as_another() -> None:
    """What is tuned to one corpus shows in the others; other formats are others."""
    fast = replace(ROW, name="plain/as-is", text_s=0.5, json_s=0.6)
    assert list(failures([ROW, fast, JAEGER_ROW])) == ["OTLP: the fastest row is 2.1x the slowest, above 2x"]
    assert list(failures([ROW, replace(fast, json_s=0.625)])) == []


def test_memory_is_counted_beyond_the_largest_document() -> None:
    """Which has to be held while it is read; of a million spans all of it counts."""
    assert list(failures([replace(ROW, largest=30 * MB, peak=110 * MB)])) == []
    assert list(failures([replace(ROW, peak=90 * MB)])) == [
        "realistic/as-is: 89 MB beyond the largest document, above 80 MB"
    ]
    slow = replace(MILLION, two=Run(6.5, 9.9, 85 * MB))
    assert list(failures([], slow)) == [
        "a million spans: two processes are 1.54x as fast as one, below 1.6x",
        "a million spans: 85 MB a process, above 80 MB",
    ]


def test_the_table_is_at_most_a_hundred_columns_wide() -> None:
    """A row below its floor is marked."""
    slow = replace(JAEGER_ROW, json_s=10.0)
    text = "\n".join([HEAD, line(1, 2, ROW), line(2, 2, slow), summary([ROW, slow]), million_lines(MILLION)])
    assert (
        text
        == """\
Speed as a multiple of json.loads of the same bytes, one process: 0.50 takes twice as long.
       row                                 spans     MB  json.loads   text   JSON    peak  MB beyond
1/2    realistic/as-is                     1,000    2.0      1.00 s   1.00   0.80      61      60
2/2    jaeger/one-line                     1,000    2.0      1.00 s   1.00   0.10      61      60 !
OTLP   worst 0.80 realistic/as-is                   best 0.80 realistic/as-is
Jaeger worst 0.10 jaeger/one-line                   best 0.10 jaeger/one-line
memory at most 60 MB beyond the largest document (realistic/as-is)
A million spans, 360 MB, load 0.5 before:
  one process  : 10.0 s, 9.5 s of processor, 70 MB a process at most
  two processes: 5.0 s, 9.9 s of processor, 60 MB a process at most
  two are 2.00x as fast"""
    )
    assert max(map(len, text.splitlines())) <= 100


def test_all_figures_are_in_the_json() -> None:
    """Times in seconds, sizes in bytes."""
    assert document([ROW], MILLION, ["a floor"]) == {
        "rows": [
            {
                "name": "realistic/as-is",
                "format": "OTLP",
                "spans": 1000,
                "size": 2_000_000,
                "largest": 1_000_000,
                "loads_s": 1.0,
                "text_s": 1.0,
                "json_s": 1.25,
                "peak": 61_000_000,
                "text": 1.0,
                "json": 0.8,
                "beyond": 60_000_000,
            }
        ],
        "million": {
            "size": 360_000_000,
            "load": 0.5,
            "one": {"took_s": 10.0, "used_s": 9.5, "peak": 70_000_000},
            "two": {"took_s": 5.0, "used_s": 9.9, "peak": 60_000_000},
            "times": 2.0,
        },
        "failures": ["a floor"],
    }


def test_the_page_names_the_floors() -> None:
    """And how many rows there are."""
    page = " ".join((Path(__file__).parents[4] / "docs" / "explanation" / "speed.md").read_text().split())
    otlp, jaeger, xray = (LEAST[form] for form in (OTLP, JAEGER, XRAY))
    assert f"at least {otlp} of the speed of `json.loads` for OTLP, {jaeger} for Jaeger, {xray} for X-Ray" in page
    assert f"at most {MOST_BEYOND_MB} MB per process beyond the largest document" in page
    assert f"`make lab NAME=report-speed` measures {len(ROWS)} kinds of files" in page


def test_an_unknown_row_is_refused_with_the_known_ones() -> None:
    """Before anything is measured."""
    command = [sys.executable, "-m", "lab.report_speed", "--rows", "realistic/as-was"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no row is called realistic/as-was; there are realistic/as-is, realistic/attr" in done.stderr
