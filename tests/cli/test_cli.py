"""The command as a newcomer meets it: help, mistakes, exit statuses."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lambda_latency.cli import main

ROOT = Path(__file__).parents[2]


def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    command = [sys.executable, "-m", "lambda_latency", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize("command", [(), ("demo",), ("fetch",), ("report",), ("serve",)])
def test_help_imports_the_standard_library_alone(command: tuple[str, ...]) -> None:
    """It is there at once, whatever is installed."""
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'otel')!r})\n"
        "from lambda_latency.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "own = {name.split('.')[0] for name in sys.modules} - sys.stdlib_module_names\n"
        "print('third-party:', sorted(name for name in own if not name.startswith('_')))"
    )
    ended = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import sys; sys.path.insert(0, {str(ROOT / 'otel')!r}); {code}",
            *command,
            "--help",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.startswith("usage: lambda-latency")
    assert ended.stdout.splitlines()[-1] == "third-party: ['lambda_latency']"


def test_both_names_are_the_same_command() -> None:
    """The console script and python -m lambda_latency."""
    script = subprocess.run(
        [Path(sys.executable).with_name("lambda-latency"), "--help"], capture_output=True, text=True, check=True
    )
    assert script.stdout == run("--help").stdout


NO_CONDITION = (
    "lambda-latency report: error: argument --fail-if: 'p95 > slow' is no condition: write for example "
    "'p95 > 800ms', 'share(external) > 60%', or with --against 'slower > 5%'"
)


@pytest.mark.parametrize(
    ("arguments", "last"),
    [
        ((), "lambda-latency: error: the following arguments are required: COMMAND"),
        (("dmeo",), "lambda-latency: error: argument COMMAND: invalid choice: 'dmeo'"),
        (("demo", "--requests", "0"), "lambda-latency demo: error: argument --requests: must be 1 or more, got 0"),
        (("serve", "--port", "99999"), "lambda-latency serve: error: argument --port: must be between 0 and 65535"),
        (
            ("demo", "--parameter", "Tracing"),
            "lambda-latency demo: error: argument --parameter: must read NAME=VALUE, got 'Tracing'",
        ),
        (
            ("report", "x", "--fail-if", "p95 > slow"),
            NO_CONDITION,
        ),
    ],
)
def test_a_wrong_command_line_is_usage(arguments: tuple[str, ...], last: str) -> None:
    """Status 2, and the last line says which argument and why."""
    ended = run(*arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.splitlines()[-1].startswith(last)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (
            ("demo", "--template", "nowhere.yaml"),
            2,
            "no template at nowhere.yaml: No such file or directory\n  give the path of one with --template",
        ),
        (
            ("demo", "--parameter", "PaymentUrl=Off"),
            2,
            "template.yaml has no parameter PaymentUrl\n  did you mean PaymentsUrl?",
        ),
        (
            ("demo", "--parameter", "Tracing=Maybe"),
            2,
            "Tracing must be one of Active, PassThrough, Off, got 'Maybe'\n  template.yaml allows no other value",
        ),
        (
            ("serve", "--faults", "nowhere.json"),
            2,
            "nowhere.json cannot be read: No such file or directory\n  --faults takes a JSON file",
        ),
        (
            ("demo", "--out", "pyproject.toml/out"),
            1,
            "cannot write pyproject.toml/out/system.log: Not a directory\n  choose another folder with --out",
        ),
    ],
)
def test_a_mistake_is_one_message(arguments: tuple[str, ...], status: int, message: str) -> None:
    """What, where, what to do; no traceback."""
    ended = run(*arguments)
    assert (ended.returncode, ended.stdout, ended.stderr) == (status, "", f"lambda-latency: {message}\n")


def test_a_function_that_does_not_import_stops_the_demo(tmp_path: Path) -> None:
    """Said once, with the runtime's own error, instead of 120 failed requests."""
    project = tmp_path / "project"
    shutil.copytree(ROOT / "functions", project / "functions")
    shutil.copy(ROOT / "template.yaml", project)
    (project / "functions" / "payments.py").write_text("import not_here\n")
    ended = run("demo", cwd=project)
    assert (ended.returncode, ended.stdout) == (1, "")
    what, todo = ended.stderr.splitlines()
    assert what.startswith("lambda-latency: ")
    assert (
        what.endswith(
            "Order does not initialize: Runtime.ImportModuleError: Unable to import module 'functions.orders': "
            "No module named 'not_here'"
        )
        or "ListOrders" in what
    )
    assert todo.startswith("  correct functions.orders.")


def test_a_program_that_calls_a_command_keeps_its_signals(capsys: pytest.CaptureFixture[str]) -> None:
    """SIGTERM is the command's only while it runs."""
    before = signal.getsignal(signal.SIGTERM)
    assert main(["report", "nowhere.jsonl"]) == 1
    assert "nowhere.jsonl" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGTERM) is before
