"""The first commands of somebody who has installed the wheel."""

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from lambda_latency.trace import dump_line
from tests.fetch.account import sdk_segments
from tests.fetch.conftest import known_to
from tests.fetch.standin import XRay
from tests.fetch.test_fetch import filled
from tests.latency.system import order
from tests.package.conftest import UV, Built, Installed

# What a first start says: which Python the functions get, and that it takes longer than later ones.
NOTES = re.compile(r"^(?:Python 3\.13 is not installed|packages are installed into)[ :].*\n", re.MULTILINE)


@pytest.fixture
def traces(tmp_path: Path) -> Path:
    """Twenty orders."""
    path = tmp_path / "traces.jsonl"
    path.write_text("".join(dump_line(order(50 + number, number=number).spans) for number in range(20)))
    return path


def test_a_project_is_written_tested_run_and_reported_on(installed: Callable[[str], Installed], tmp_path: Path) -> None:
    """init, pytest, demo and report, in a folder whose name has a space."""
    environment = installed("local,testing")
    written = environment.run("lambda-latency", "init", "my shop", cwd=tmp_path)
    assert (written.returncode, written.stderr) == (0, "")
    shop = tmp_path / "my shop"
    commands = [line.strip() for line in written.stdout.splitlines() if line.startswith("  ")]
    assert commands == [
        "cd 'my shop'",
        "pytest",
        "lambda-latency demo",
        "lambda-latency serve",
        "lambda-latency doctor",
    ]
    tested = environment.run("pytest", "-q", cwd=shop)
    assert (tested.returncode, tested.stdout.splitlines()[-1].split(" in ")[0]) == (0, "2 passed")
    ran = environment.run("lambda-latency", "demo", "--page", "off", "--requests", "12", cwd=shop)
    assert (ran.returncode, NOTES.sub("", ran.stderr)) == (0, "")
    reported = environment.run("lambda-latency", "report", "out/traces.jsonl", cwd=shop)
    assert (reported.returncode, reported.stderr) == (0, "")
    assert "(make collector" not in ran.stdout


def test_the_demo_works_in_an_empty_folder(installed: Callable[[str], Installed], tmp_path: Path) -> None:
    """With the example that is in the wheel; it leaves nothing but its folder of traces."""
    ran = installed("local,testing").run("lambda-latency", "demo", "--page", "off", "--requests", "12", cwd=tmp_path)
    assert (ran.returncode, NOTES.sub("", ran.stderr)) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {"report.html", "traces.jsonl"}


def test_without_an_extra_the_demo_reports_a_recorded_run(
    installed: Callable[[str], Installed], tmp_path: Path
) -> None:
    """It says so first, with what runs it here, and writes the page."""
    ran = installed("").run("lambda-latency", "demo", cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("Nothing runs here: this is a recorded run of the example, 150 requests of ")
    assert (tmp_path / "out" / "report.html").is_file()


def test_without_an_extra_a_line_says_how_it_is_installed(
    installed: Callable[[str], Installed], built: Built, tmp_path: Path
) -> None:
    """The command that it names installs the extra from the same wheel."""
    alone = installed("")
    demo = alone.run("lambda-latency", "serve", cwd=tmp_path)
    remedy = f"pip install {shlex.quote(f'{built.wheel}[local]')}"
    assert (demo.returncode, demo.stdout) == (1, "")
    assert demo.stderr == f"lambda-latency: the local system needs the extra local: {remedy}\n"
    fetch = alone.run("lambda-latency", "report", "--xray", cwd=tmp_path)
    remedy = remedy.replace("[local]", "[fetch]")
    assert (fetch.returncode, fetch.stdout) == (1, "")
    assert fetch.stderr == f"lambda-latency: boto3 is not installed, and fetching traces needs it\n  {remedy}\n"
    for command in (("doctor", "--account"), ("cost", "--account")):
        asked = alone.run("lambda-latency", *command, cwd=tmp_path)
        assert (asked.returncode, asked.stdout, asked.stderr) == (1, "", fetch.stderr)
    (tmp_path / "spans.pb").write_bytes(b"\n\x05abcde")
    packed = alone.run("lambda-latency", "report", "spans.pb", cwd=tmp_path)
    needed = remedy.replace("[fetch]", "[formats]")
    said = f"lambda-latency: spans.pb:2: OTLP as protobuf needs the extra formats\n  {needed}\n"
    assert (packed.returncode, packed.stdout, packed.stderr) == (1, "", said)
    dry = [str(UV), *shlex.split(remedy), "--dry-run", "--python", str(alone.bin / "python")]
    planned = subprocess.run(dry, capture_output=True, text=True, check=False, timeout=120)
    assert (planned.returncode, " + boto3==" in planned.stderr) == (0, True)


def test_commands_without_an_account_need_no_extra(installed: Callable[[str], Installed], tmp_path: Path) -> None:
    """A project is written, looked at, adopted and priced by the command alone."""
    alone = installed("")
    assert alone.run("lambda-latency", "init", "shop", cwd=tmp_path).returncode == 0
    doctor = alone.run("lambda-latency", "doctor", cwd=tmp_path / "shop")
    assert (doctor.returncode, doctor.stdout, doctor.stderr) == (0, "No findings.\n", "")
    adopt = alone.run("lambda-latency", "adopt", cwd=tmp_path / "shop")
    assert (adopt.returncode in (0, 4), adopt.stderr) == (True, "")
    cost = alone.run("lambda-latency", "cost", cwd=tmp_path)
    assert (cost.returncode, cost.stderr) == (0, "")


def test_a_report_needs_no_extra(installed: Callable[[str], Installed], traces: Path) -> None:
    """Of a file that somebody has, as text and as a page."""
    done = installed("").run("lambda-latency", "report", str(traces), "--html", "page.html", cwd=traces.parent)
    assert (done.returncode, done.stderr) == (0, "")
    assert (traces.parent / "page.html").read_text().startswith("<!doctype html>")


def test_with_the_extra_for_x_ray_alone_it_is_reported_on(
    installed: Callable[[str], Installed], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that it needs comes with it: boto3, and 40 MB at most. The command alone has less than 14 MB."""
    environment = installed("fetch")
    with closing(XRay(sdk_segments)) as xray:
        filled(xray, 30, 3600)
        for name, value in {**known_to(xray), "AWS_EC2_METADATA_DISABLED": "true", "NO_PROXY": "*"}.items():
            monkeypatch.setenv(name, value)
        done = environment.run("lambda-latency", "report", "--xray", "--format", "json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (4, "")  # CloudWatch, which counts requests, refuses
    assert json.loads(done.stdout)["requests"] == 30
    for extra, megabytes in (("fetch", 40), ("", 14)):
        packages = [path for path in installed(extra).bin.parent.rglob("site-packages/**/*") if path.is_file()]
        assert sum(path.stat().st_size for path in packages if path.suffix != ".pyc") < megabytes * 1024 * 1024


def test_uvx_runs_the_command_from_the_wheel(built: Built, traces: Path, installed: Callable[[str], Installed]) -> None:
    """Without an installation; `uvx` is `uv tool run`."""
    installed("")  # skips where the index does not answer
    command = [str(UV), "tool", "run", "--from", str(built.wheel), "lambda-latency", "report", str(traces)]
    done = subprocess.run(command, cwd=traces.parent, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout.splitlines()[0][:11]) == (0, "Nothing sta")
    assert shutil.which("uv") or UV.exists()
