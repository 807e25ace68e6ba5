"""Output that cannot be written: a line, status 1, and files that are as they were."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lambda_latency.cli import main
from lambda_latency.trace import dump_line
from tests.disk import run_on_full_disk
from tests.latency.system import order

COMMAND = [sys.executable, "-m", "lambda_latency"]
FREE = "  free space, or name a file on another disk\n"
FULL = "lambda-latency: standard output cannot be written: No space left on device\n"


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    """Twenty orders."""
    path = tmp_path / "traces.jsonl"
    path.write_text("".join(dump_line(order(50 + number, number=number).spans) for number in range(20)))
    return path


def lambda_latency(*arguments: object, stdout: str = os.devnull) -> tuple[int, str]:
    """Status and standard error of the command in a process of its own."""
    with Path(stdout).open("w") as out:
        done = subprocess.run(
            [*COMMAND, *map(str, arguments)], stdout=out, stderr=subprocess.PIPE, text=True, check=False, timeout=60
        )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [["report", "traces"], ["report", "traces", "--json", "-"], ["--version"], ["--help"], ["report", "-h"]],
)
def test_a_full_standard_output_is_a_line(orders: Path, arguments: list[str]) -> None:
    """Text, JSON: no traceback, and Python says nothing at its exit."""
    given = [str(orders) if one == "traces" else one for one in arguments]
    assert lambda_latency(*given, stdout="/dev/full") == (1, FULL)


@pytest.mark.parametrize("option", ["--json", "--html", "--markdown"])
def test_a_full_disk_costs_no_file(orders: Path, option: str) -> None:
    """What stood there stays, no half of a file is left, and no page is promised."""
    target = orders.with_name("target")
    target.write_text("before")
    done = run_on_full_disk([*COMMAND, "report", str(orders), option, str(target)], 100)
    assert (done.returncode, done.stderr) == (1, f"lambda-latency: {target} cannot be written: File too large\n{FREE}")
    assert (target.read_text(), len(list(orders.parent.iterdir()))) == ("before", 2)
    assert lambda_latency("report", orders, option, "/dev/full") == (
        1,
        f"lambda-latency: /dev/full cannot be written: No space left on device\n{FREE}",
    )


def test_targets_are_refused_before_anything_is_printed(orders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same file twice, the traces themselves, a folder: a line, status 1."""
    folder = orders.with_name("folder")
    folder.mkdir()
    page = orders.with_name("page")
    before = orders.read_bytes()
    for options, said in (
        (["--json", page, "--html", page], f"{page} is named twice: each form of a report needs a file of its own"),
        (
            ["--markdown", page, "--html", f"{folder}/../page"],
            f"{folder}/../page is named twice: each form of a report needs a file of its own",
        ),
        (["--html", orders], f"{orders} is read by this command: name another file"),
        (["--html", folder], f"{folder} cannot be written: Is a directory\n  name a file in this folder"),
    ):
        assert main(["report", str(orders), *map(str, options)]) == 1
        assert capsys.readouterr() == ("", f"lambda-latency: {said}\n")
    assert (orders.read_bytes(), page.exists(), list(folder.iterdir())) == (before, False, [])


def test_the_baseline_is_not_written_over(orders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nor is what the report is compared with."""
    baseline = orders.with_name("baseline.jsonl")
    baseline.write_bytes(orders.read_bytes())
    assert main(["report", str(orders), "--against", str(baseline), "--json", str(baseline)]) == 1
    assert capsys.readouterr().err == f"lambda-latency: {baseline} is read by this command: name another file\n"
    assert baseline.read_bytes() == orders.read_bytes()


def test_a_closed_standard_output_is_no_failure(orders: Path) -> None:
    """As with `>&-`: files are written all the same."""
    page = orders.with_name("page.html")
    shell = f'"$0" -m lambda_latency report "{orders}" --html "{page}" >&-'
    done = subprocess.run(["sh", "-c", shell, sys.executable], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr, page.exists()) == (0, "", True)


def test_a_full_standard_error_changes_no_status(orders: Path) -> None:
    """There is nowhere to say it."""
    shell = f'"$0" -m lambda_latency report "{orders}.gone" 2>/dev/full'
    done = subprocess.run(["sh", "-c", shell, sys.executable], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (1, "")
