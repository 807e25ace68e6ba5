"""`python -m lab`: the list of programs, and how one is run."""

import re
from pathlib import Path

import pytest

from lab.__main__ import Program, main, programs
from lab.report_speed.rows import JAEGER, OTLP, ROWS, XRAY
from lab.report_speed.table import LEAST, MOST_BEYOND_MB

ROOT = Path(__file__).parents[3]
PROGRAMS = programs()


def test_every_program_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """By its name on the command line, and no module that is none."""
    assert main([]) == 0
    listed = re.findall(r"^  ([a-z-]+) ", capsys.readouterr().out, re.MULTILINE)
    assert listed == sorted(program.name for program in PROGRAMS)
    assert {"bridge", "cost", "planted", "report-speed"} <= set(listed)
    assert not {"commands", "contracts", "generate"} & set(listed)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_a_program_says_what_it_does_and_its_time(program: Program) -> None:
    """In its docstring, which --help prints."""
    assert (program.about[-1:], bool(program.time)) in {(".", True), ("?", True)}


def test_the_page_about_speed_names_the_goals_of_report_speed() -> None:
    """And how many kinds of files there are."""
    page = " ".join((ROOT / "docs" / "explanation" / "speed.md").read_text().split())
    otlp, jaeger, xray = (LEAST[form] for form in (OTLP, JAEGER, XRAY))
    assert f"at least {otlp} of the speed of `json.loads` for OTLP, {jaeger} for Jaeger, {xray} for X-Ray" in page
    assert f"at most {MOST_BEYOND_MB} MB per process beyond the largest document" in page
    assert f"`make lab NAME=report-speed` measures {len(ROWS)} kinds of files" in page
