"""What the documentation says, held against the code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from lambda_latency.local.faults import KINDS, Plan
from lambda_latency.runtime.settings import SETTINGS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """The README's code blocks in one language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_every_make_target_in_the_readme_exists() -> None:
    """make -n knows each."""
    targets = set(re.findall(r"\bmake ([a-z-]+)", README)) - {"it"}
    assert {"demo", "test", "serve", "check", "build"} <= targets
    for target in targets:
        dry = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
        assert (target, dry.returncode) == (target, 0)


def test_make_alone_lists_every_target() -> None:
    """With a line of help each."""
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    phony = re.findall(r"^\.PHONY: ([a-z-]+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert re.findall(r"^  make (\S+) +\S", listed, re.MULTILINE) == phony


def test_every_command_in_the_readme_has_help() -> None:
    """Each subcommand that the README shows."""
    commands = set(re.findall(r"lambda-latency ([a-z]+)", README))
    assert {"demo", "serve"} <= commands
    for command in commands:
        helped = subprocess.run(
            [sys.executable, "-m", "lambda_latency", command, "--help"], capture_output=True, check=False
        )
        assert (command, helped.returncode) == (command, 0)


def test_the_settings_table_is_the_runtimes_own() -> None:
    """Name, default and line of doc of each setting that a person may set."""
    rows = re.findall(r"^\| `(LAMBDA_LATENCY_\w+)` \| `(\w+)` \| (.*) \|$", README, re.MULTILINE)
    own = [(one.name, one.default, one.doc) for one in SETTINGS if not one.name.endswith("_HANDLER")]
    assert rows == own


def test_the_fault_plan_of_the_readme_is_valid_and_every_kind_is_named() -> None:
    """Its example is read by the command's own reader."""
    (example,) = blocks("json")
    assert len(Plan.from_json(example).rules) == 2
    for place in KINDS:
        assert f"| `{place}` |" in README


def test_the_readmes_python_runs(tmp_path: Path) -> None:
    """On a trace file as the demo leaves it."""
    (code,) = blocks("python")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "traces.jsonl").write_text("")
    exec(compile(code.replace('"out/', f'"{tmp_path}/out/'), "README.md", "exec"), {})  # noqa: S102 - our own README


def test_the_first_command_comes_early() -> None:
    """Within 100 words of text, the picture aside."""
    before = re.sub(r"```text.*?```", "", README.split("make demo")[0], flags=re.DOTALL)
    assert len(before.split()) < 100
