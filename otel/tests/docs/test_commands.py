"""The commands that the documentation names exist; those that are cheap are run."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from lab.__main__ import programs
from lambda_latency.archive import add
from lambda_latency.trace import dump_line
from tests.docs.pages import PAGES, README, ROOT
from tests.latency.generated import load

if TYPE_CHECKING:
    from pathlib import Path

CODE = [(page.path, line) for page in PAGES for line in page.code()]
TARGETS = sorted({target for _, line in CODE for target in re.findall(r"^make ([a-z-]+)", line)})
COMMANDS = sorted({command for _, line in CODE for command in re.findall(r"^lambda-latency ([a-z]+)\b", line)})
LINES = sorted({line for _, line in CODE if re.match(r"lambda-latency [a-z]+ .*--", line)})
REPORTS = sorted(
    {
        line
        for page in PAGES
        for block in page.blocks("sh")
        for line in block.splitlines()
        if line.startswith(("lambda-latency report", "lambda-latency fetch"))
    }
)


def told(command: str) -> subprocess.CompletedProcess[str]:
    """A command's help."""
    program = [sys.executable, "-m", "lambda_latency", command, "--help"]
    return subprocess.run(program, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("target", TARGETS)
def test_every_make_target_exists(target: str) -> None:
    """make -n knows it."""
    dry = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert dry.returncode == 0, dry.stderr


def test_the_targets_are_found() -> None:
    """The pages name those that a newcomer needs."""
    assert {"build", "check", "demo", "deploy", "lab", "pictures", "serve", "test", "wheel"} <= set(TARGETS)


def test_make_alone_lists_what_people_need() -> None:
    """With a line of help each; the rest are programs of the laboratory."""
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert sorted(re.findall(r"^  make (\S+) +\S", listed, re.MULTILINE)) == [
        "build", "check", "clean", "collector", "demo", "deploy", "format", "help", "lab", "layer", "lock", "pictures",
        "prove", "serve", "setup", "test", "wheel",
    ]  # fmt: skip


def test_the_programs_that_the_pages_name_exist() -> None:
    """Each `make lab NAME=...`, and each row of the table of programs."""
    named = {name for page in PAGES for name in re.findall(r"\bmake\s+lab\s+NAME=([a-z-]+)", page.text)}
    rows = re.findall(r"^\| `([a-z-]+)` \|", (ROOT / "docs" / "explanation" / "tests.md").read_text(), re.MULTILINE)
    assert (named | set(rows)) - {program.name for program in programs()} == set()
    assert {"same", "page-speed"} <= named & set(rows)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    """Each subcommand that the pages name."""
    assert told(command).returncode == 0


def test_the_commands_are_found() -> None:
    """The pages name all."""
    found = ["adopt", "alarm", "archive", "completion", "cost", "demo", "doctor", "explain", "fetch", "init", "invoke"]
    assert [*found, "live", "mcp", "report", "serve"] == COMMANDS


@pytest.mark.parametrize("line", LINES)
def test_every_option_is_one_of_its_command(line: str) -> None:
    """As its help has it."""
    command, rest = re.fullmatch(r"lambda-latency ([a-z]+) (.*)", line).groups()  # type: ignore[union-attr]
    assert set(re.findall(r"--[a-z-]+", rest)) <= set(re.findall(r"--[a-z-]+", told(command).stdout))


@pytest.mark.parametrize("line", REPORTS)
def test_every_report_that_is_shown_runs(line: str, tmp_path: Path) -> None:
    """On traces as the demo leaves them; what asks an account prints its policy."""
    (tmp_path / "out").mkdir()
    for name in ("out/traces.jsonl", "out/served.jsonl", "traces.jsonl", "spans.json", "new.jsonl", "old.jsonl"):
        (tmp_path / name).write_text("".join(dump_line(trace.spans) for trace in load()))
    add(str(tmp_path / "traces"), [tmp_path / "traces.jsonl"])
    arguments = shlex.split(line)[1:]
    at = min(trace.outermost.start_ns for trace in load())
    arguments = [one.replace("traces@7d", "traces@9000d") for one in arguments]
    if arguments[:4] == ["report", "traces", "--since", "24h"]:
        arguments[3] = f"{datetime.fromtimestamp(at // 10**9, timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
    if "--xray" in arguments or arguments[0] == "fetch":
        arguments.append("--print-policy")
    program = [sys.executable, "-m", "lambda_latency", *arguments]
    ran = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == (3 if "--fail-if 'p95" in line else 0), ran.stdout + ran.stderr


def test_the_first_command_comes_early() -> None:
    """Within 200 words of the README, the picture and the verdict aside."""
    before = re.sub(r"```text.*?```|<picture>.*?</picture>", "", README.text.split("```sh")[0], flags=re.DOTALL)
    assert len(before.split()) < 200
