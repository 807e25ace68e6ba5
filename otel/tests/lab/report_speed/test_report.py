"""The table of the report's benchmark: its rows, its floors, its text."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lab.report_speed.measuring import MB, Measured, loads, measure
from lab.report_speed.million import Million, Run
from lab.report_speed.rows import JAEGER, OTLP, ROWS, XRAY
from lab.report_speed.table import LEAST, MOST_BEYOND_MB, failures

ROW = Measured("realistic/as-is", OTLP, 1000, 2 * MB, MB, loads_s=1.0, text_s=1.0, json_s=1.25, peak=61 * MB)
JAEGER_ROW = replace(ROW, name="jaeger/one-line", format=JAEGER, json_s=2.5)
MILLION = Million(360 * MB, 0.5, Run(10.0, 9.5, 70 * MB), Run(5.0, 9.9, 60 * MB))


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
        replace(JAEGER_ROW, text_s=14.0),
        replace(ROW, name="x-ray/plain", format=XRAY, text_s=4.0),
    ]
    assert list(failures(below)) == [
        "realistic/as-is: 0.62x of json.loads, below 0.65 (OTLP)",
        "jaeger/one-line: 0.07x of json.loads, below 0.08 (Jaeger)",
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


def test_the_page_names_the_floors() -> None:
    """And how many rows there are."""
    page = " ".join((Path(__file__).parents[4] / "docs" / "explanation" / "speed.md").read_text().split())
    otlp, jaeger, xray = (LEAST[form] for form in (OTLP, JAEGER, XRAY))
    assert f"at least {otlp} of the speed of `json.loads` for OTLP, {jaeger} for Jaeger, {xray} for X-Ray" in page
    assert f"at most {MOST_BEYOND_MB} MB per process beyond the largest document" in page
    assert f"`make lab NAME=report-speed` measures {len(ROWS)} kinds of files" in page
