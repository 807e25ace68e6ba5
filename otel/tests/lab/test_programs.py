"""`python -m lab`: the list of programs, and how one is run."""

import os
import re
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

import pytest

from lab.__main__ import Program, main, programs
from lab.report_speed.rows import JAEGER, OTLP, ROWS, XRAY
from lab.report_speed.table import LEAST, MOST_BEYOND_MB

ROOT = Path(__file__).parents[3]
PROGRAMS = programs()


def lab(*arguments: str) -> tuple[int, str, str]:
    """Its status and what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "lab", *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, done.stdout, done.stderr


def test_every_program_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """By its name on the command line, and no module that is none."""
    assert main([]) == 0
    listed = re.findall(r"^  ([a-z-]+) ", capsys.readouterr().out, re.MULTILINE)
    assert listed == sorted(program.name for program in PROGRAMS)
    assert {"bridge", "cost", "planted", "report-speed"} <= set(listed)
    assert not {"commands", "contracts", "generate"} & set(listed)


def test_the_list_may_be_cut_off() -> None:
    """By a reader that has enough of it, as `head`: there is no traceback."""
    reads, writes = os.pipe()
    os.close(reads)
    done = subprocess.run([sys.executable, "-m", "lab"], cwd=ROOT, stdout=writes, stderr=subprocess.PIPE, check=False)
    os.close(writes)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_a_program_says_what_it_does_and_its_time(program: Program) -> None:
    """In its docstring, which --help prints."""
    assert (program.about[-1:], bool(program.time)) in {(".", True), ("?", True)}


def test_help_is_the_programs_own() -> None:
    """A name with an underscore is the same name."""
    status, output, problems = lab("local_cost", "--help")
    assert (status, output.partition("\n")[0], problems) == (
        0,
        "usage: python -m lab local-cost [-h]",
        "",
    )


def test_a_status_passes_through() -> None:
    """That of a wrong option."""
    status, output, problems = lab("same", "--only", "nobody's name")
    assert (status, output) == (2, "")
    assert problems.endswith('python -m lab same: error: no name has "nobody\'s name" in it\n')


@pytest.mark.parametrize(
    ("name", "hint"), [("sane", "did you mean same? "), ("report_spead", "did you mean report-speed? "), ("xyz", "")]
)
def test_an_unknown_name_is_told(capsys: pytest.CaptureFixture[str], name: str, hint: str) -> None:
    """With the one that was meant."""
    assert main([name]) == 2
    assert capsys.readouterr() == ("", f"no program is called {name}: {hint}`python -m lab` lists them\n")


def test_an_interrupt_is_told_as_a_shell_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """130."""

    def interrupted(_: ArgumentParser) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lab.same.__main__.main", interrupted)
    monkeypatch.setattr(sys, "argv", ["lab"])
    assert main(["same"]) == 130


def test_the_page_about_speed_names_the_goals_of_report_speed() -> None:
    """And how many kinds of files there are."""
    page = " ".join((ROOT / "docs" / "explanation" / "speed.md").read_text().split())
    otlp, jaeger, xray = (LEAST[form] for form in (OTLP, JAEGER, XRAY))
    assert f"at least {otlp} of the speed of `json.loads` for OTLP, {jaeger} for Jaeger, {xray} for X-Ray" in page
    assert f"at most {MOST_BEYOND_MB} MB per process beyond the largest document" in page
    assert f"`make lab NAME=report-speed` measures {len(ROWS)} kinds of files" in page
