"""The commands and options that pages and messages name exist; commands that are cheap are run."""

import json
import re
import shlex
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest

from lab.__main__ import programs
from lambda_latency.archive import add
from lambda_latency.cli.entry import REMOVED_COMMANDS, parser
from lambda_latency.cli.parser import REMOVED
from lambda_latency.cli.report_options import conflict_of
from lambda_latency.trace import dump_line
from tests.docs.command_line import (
    GONE,
    OPTION,
    OPTIONS,
    PARSERS,
    mistakes_of_page,
    mistakes_of_source,
    wrong_calls,
    wrong_short_calls,
)
from tests.docs.pages import PAGES, README, ROOT, Page, page
from tests.latency.generated import load

CODE = [(page.path, line) for page in PAGES for line in page.code()]
TARGETS = sorted({target for _, line in CODE for target in re.findall(r"^make ([a-z-]+)", line)})
SHELL = sorted({line for page in PAGES for block in page.blocks("sh") for line in block.splitlines()})
CALLS = [line for line in SHELL if line.startswith(("lambda-latency report", "lambda-latency fetch"))]
ACCOUNT_CALLS = [line for line in CALLS if "fetch" in line or "--xray" in line or "--alarm" in line]
REPORTS = [line for line in CALLS if line not in ACCOUNT_CALLS]
# Pages about earlier versions: only their columns of what to do now are checked.
HISTORY = {"CHANGELOG.md": "what | what to do now", "docs/how-to/upgrade.md": "old | new"}
CHECKED = [p for p in [*PAGES, Page("SECURITY.md")] if p.path not in HISTORY]
KIT = ROOT / "otel" / "lambda_latency"
SOURCES = [*sorted(KIT.rglob("*.py")), ROOT / "action" / "gate.py"]
OF_KIT = [path for suffix in ("json", "ts", "yaml") for path in sorted(KIT.rglob(f"*.{suffix}"))]
AROUND = ["*.y*ml", ".*.y*ml", ".github/**/*.yml", ".ci/run", "Makefile", "Dockerfile"]
OTHERS = [path for pattern in AROUND for path in sorted(ROOT.glob(pattern))]


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


@pytest.mark.parametrize("path", OPTIONS, ids=" ".join)
def test_every_command_has_help(path: tuple[str, ...]) -> None:
    """Each command and sub-command."""
    program = [sys.executable, "-m", "lambda_latency", *path, "--help"]
    assert subprocess.run(program, capture_output=True, check=False).returncode == 0


def test_every_command_is_in_the_pages() -> None:
    """With its sub-commands, as a person types them."""
    code = "\n".join(line for _, line in CODE)
    assert [path for path in OPTIONS if not re.search(rf"\b{' '.join(path)}\b", code)] == []


@pytest.mark.parametrize("checked", CHECKED, ids=lambda checked: checked.path)
def test_a_page_names_commands_and_options_that_exist(checked: Page) -> None:
    """In its shell blocks, and in code marks with or without the program's name."""
    assert mistakes_of_page(checked) == []


@pytest.mark.parametrize("path", HISTORY)
def test_what_replaces_an_option_exists(path: str) -> None:
    """In the last column of the tables about earlier versions."""
    rows = Page(path).table(HISTORY[path])
    new = [span for row in rows for span in re.findall(r"`([^`]+)`", row[-1])]
    assert [span for span in new if wrong_calls(span) or wrong_short_calls(span)] == []
    assert GONE & set(OPTION.findall(" ".join(new))) == set()


def test_every_removed_name_has_a_row_of_the_upgrade() -> None:
    """Options, and commands and actions: those that the parsers refuse with what replaces them."""
    old = " ".join(cells[0] for cells in page("how-to/upgrade.md").table("old | new"))
    removed = {*REMOVED, *REMOVED_COMMANDS}.union(*(child.removed for child in PARSERS.values()))
    assert sorted(name for name in removed if not re.search(rf"(?<![\w-]){name}(?![\w-])", old)) == []


def test_a_message_names_commands_and_options_that_exist() -> None:
    """In each string of the kit and of the GitHub Action, and in lists of arguments."""
    wrong = {str(path.relative_to(ROOT)): mistakes_of_source(path.read_text(encoding="utf-8")) for path in SOURCES}
    assert [f"{path}:{mistake}" for path, mistakes in wrong.items() for mistake in mistakes] == []


def test_other_files_name_commands_and_options_that_exist() -> None:
    """Templates, workflows, the Makefile and what is beside them; schemas and scripts of the kit."""
    texts = {path: path.read_text(encoding="utf-8") for path in [*OTHERS, *OF_KIT]}
    assert [(path.name, call) for path, text in texts.items() for call in wrong_calls(text)] == []
    assert [(path.name, name) for path in OF_KIT for name in GONE & set(OPTION.findall(texts[path]))] == []


def test_the_entries_for_assistants_start_the_server() -> None:
    """Each client's JSON has the arguments of the command."""
    for block in page("how-to/ask-an-assistant.md").blocks("json"):
        ((servers),) = json.loads(block).values()
        entry = servers["lambda-latency"]
        assert entry["command"] == "lambda-latency"
        assert parser().parse_args(entry["args"]).root == ["."]


@pytest.mark.parametrize("line", ACCOUNT_CALLS)
def test_every_call_of_an_account_is_understood(line: str) -> None:
    """Also the second one of a pipeline; nothing is called."""
    for call in line.split(" | "):
        options = parser().parse_args(shlex.split(call)[1:])
        assert options.command == "fetch" or conflict_of(options) is None


@pytest.mark.parametrize("line", REPORTS)
def test_every_report_that_is_shown_runs(line: str, tmp_path: Path) -> None:
    """On traces as the demo leaves them."""
    (tmp_path / "out").mkdir()
    for name in ("out/traces.jsonl", "out/served.jsonl", "traces.jsonl", "spans.json", "new.jsonl", "old.jsonl"):
        (tmp_path / name).write_text("".join(dump_line(trace.spans) for trace in load()))
    add(str(tmp_path / "traces"), [tmp_path / "traces.jsonl"])
    arguments = shlex.split(line)[1:]
    start_ns = min(trace.request_root.start_ns for trace in load())
    arguments = [argument.replace("traces@7d", "traces@9000d") for argument in arguments]
    if arguments[:4] == ["report", "traces", "--since", "24h"]:
        arguments[3] = f"{datetime.fromtimestamp(start_ns // 10**9, timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
    program = [sys.executable, "-m", "lambda_latency", *arguments]
    ran = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == (3 if "--fail-if 'p95" in line else 0), ran.stdout + ran.stderr


def test_the_first_command_comes_early() -> None:
    """Within 200 words of the README, the picture and the verdict aside."""
    intro = re.sub(r"```text.*?```|<picture>.*?</picture>", "", README.text.split("```sh")[0], flags=re.DOTALL)
    assert len(intro.split()) < 200
