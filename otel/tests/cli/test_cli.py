"""The command as a newcomer meets it: help, mistakes, exit statuses."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import tempfile
import webbrowser
from dataclasses import replace
from pathlib import Path

import pytest

from lambda_latency.cli import main
from lambda_latency.cli.entry import COMMANDS
from lambda_latency.trace import SpanKind, dump_line
from lambda_latency.version import VERSION
from tests.latency.generated import hundred
from tests.trace.build import MS, node, tree

ROOT = Path(__file__).parents[3]

NO_TEMPLATE = "nowhere.yaml:1: cannot be read (No such file or directory)"


def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    command = [sys.executable, "-m", "lambda_latency", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)])
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


def test_the_list_of_commands_imports_none_of_them() -> None:
    """So that it takes little longer than Python itself; `typing` alone would be a tenth of its time."""
    code = (
        "import sys; from lambda_latency.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: print(sorted(name for name in sys.modules if name.startswith('lambda_latency')))"
    )
    ended = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(ROOT / 'otel')!r}); {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    inside = ["", ".entry", ".exit_statuses", ".messages", ".parser"]
    assert ended.stdout.splitlines()[-1] == repr(
        ["lambda_latency", *(f"lambda_latency.cli{name}" for name in inside), "lambda_latency.version"]
    )


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_80_columns(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Descriptions and examples, too; a per cent sign is printed once."""
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        main([*([command] if command else []), "--help"])
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if len(line) > 80 or "%%" in line] == []


def test_both_names_are_the_same_command() -> None:
    """The console script and python -m lambda_latency."""
    script = subprocess.run(
        [Path(sys.executable).with_name("lambda-latency"), "--help"], capture_output=True, text=True, check=True
    )
    assert script.stdout == run("--help").stdout


@pytest.mark.parametrize(
    ("arguments", "what", "command"),
    [
        (("dmeo",), "there is no command 'dmeo'; did you mean demo?", ""),
        (
            ("weather",),
            (
                "there is no command 'weather': choose from demo, report, fetch, archive, explain, alarm, doctor, "
                "cost, serve, live, invoke, mcp, init, adopt, completion"
            ),
            "",
        ),
        (("--hlep",), "there is no option --hlep; did you mean --help?", ""),
        (("report", "--hlep"), "there is no option --hlep; did you mean --help?", "report"),
        (("report", "x", "--htm", "y"), "there is no option --htm; did you mean --html?", "report"),
        (("report", "x", "--jsno=y"), "there is no option --jsno; did you mean --json?", "report"),
        (("report", "x", "--weather"), "there is no option --weather", "report"),
        (("report", "x", "--color", "nevr"), "--color cannot be 'nevr'; did you mean never?", "report"),
        (("report", "x", "--slow", "fast"), "--slow must be milliseconds, got 'fast'", "report"),
        (
            ("report", "x", "--since", "noon"),
            "--since must be a time like 2026-11-25T08:00:00Z or how long ago, like 24h, got 'noon'",
            "report",
        ),
        (("demo", "--requests", "0"), "--requests must be 1 or more, got 0", "demo"),
        (("demo", "--requests", "many"), "--requests must be a whole number, got 'many'", "demo"),
        (("demo", "twice"), "'twice': unexpected argument", "demo"),
        (("demo", "--parameter", "Tracing"), "--parameter must read NAME=VALUE, got 'Tracing'", "demo"),
        (("serve", "--port", "99999"), "--port must be between 0 and 65535, got 99999", "serve"),
        (("serve", "--port", "http"), "--port must be a whole number, got 'http'", "serve"),
        (("invoke",), "FUNCTION is missing", "invoke"),
        (("completion", "csh"), "there is no shell 'csh'; did you mean tcsh?", "completion"),
        (("completion", "fish"), "there is no shell 'fish': choose from bash, zsh, tcsh", "completion"),
        (("completion", "man"), "there is no shell 'man': choose from bash, zsh, tcsh", "completion"),
        (
            ("report", "x", "--fail-if", "p95 > slow"),
            "--fail-if 'p95 > slow' is not a condition: write, for example, 'p95 > 800ms', 'errors > 5%'",
            "report",
        ),
    ],
)
def test_a_wrong_command_line_is_usage(
    arguments: tuple[str, ...], what: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2; the first line says what is wrong, the second which help says what is right."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    out, err = capsys.readouterr()
    first, second = err.splitlines()
    assert (ended.value.code, out, second) == (
        2,
        "",
        f"  {' '.join(f'lambda-latency {command}'.split())} --help shows the usage",
    )
    assert first.startswith(f"lambda-latency: {what}")


@pytest.mark.parametrize("typed", [(), ("help",), ("--help",)])
def test_the_command_alone_prints_the_help(typed: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """Status 0, on stdout, as `help` and `--help` do."""
    with pytest.raises(SystemExit) as ended:
        main(typed)
    out, err = capsys.readouterr()
    assert (ended.value.code, out.splitlines()[0], err) == (0, "usage: lambda-latency COMMAND [OPTION ...]", "")


def test_help_of_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    """`help report` is `report --help`."""
    said = []
    for typed in (("help", "report"), ("report", "--help")):
        with pytest.raises(SystemExit):
            main(typed)
        said.append(capsys.readouterr().out)
    assert said[0] == said[1] != ""


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """By either name of the option."""
    for option in ("--version", "-V"):
        with pytest.raises(SystemExit) as ended:
            main([option])
        assert (ended.value.code, capsys.readouterr().out) == (0, f"lambda-latency {VERSION}\n")


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_a_shell_completes_commands_and_options(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """By a script that the shell itself takes, where it is here."""
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert {"against", "parameter", "invoke"} <= set(re.findall(r"[a-z-]*[a-z]", script.replace("--", " ")))
    program = shutil.which(shell)
    if program is not None:
        subprocess.run([program, "-n"], input=script, text=True, check=True)


def test_what_fails_has_its_stack_where_that_is_wanted() -> None:
    """With -v, below the message."""
    plain, verbose = (run("demo", "--template", "nowhere.yaml", *options) for options in ((), ("-v",)))
    assert (plain.returncode, verbose.returncode) == (1, 1)
    assert len(plain.stderr.splitlines()) == 2
    assert verbose.stderr.startswith(f"{plain.stderr}Traceback (most recent call last):\n")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (
            ("demo", "--template", "nowhere.yaml"),
            1,
            f"{NO_TEMPLATE}\n  name a template with --template, or write the example's with lambda-latency init DIR",
        ),
        (
            ("demo", "--parameter", "PaymentUrl=Off"),
            2,
            "template.yaml has no parameter PaymentUrl\n  did you mean 'PaymentsUrl'?",
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
            "pyproject.toml/out cannot be written: Not a directory; choose another folder with --out",
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
    for name in ("template.yaml", "observability.yaml", "explain.yaml"):
        shutil.copy(ROOT / name, project)
    (project / "functions" / "payments.py").write_text("import not_here\n")
    ended = run("demo", cwd=project)
    assert (ended.returncode, ended.stdout) == (1, "")
    page, what, todo = ended.stderr.splitlines()
    assert page.startswith("Page until the demo ends: ")
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
    before, todo = (
        signal.getsignal(signal.SIGTERM),
        "check the path: lambda-latency demo and serve write into the folder out",
    )
    assert main(["report", "nowhere.jsonl"]) == 1
    assert capsys.readouterr() == ("", f"lambda-latency: nowhere.jsonl: No such file or directory\n  {todo}\n")
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_cannot_be_read_is_said_of_each_source(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, with the place and the first reason; nothing is printed on stdout but what was asked for."""
    text, empty = tmp_path / "notes.md", tmp_path / "empty.jsonl"
    text.write_text("# Notes\n\nNo trace.\n")
    empty.write_text("")
    assert main(["report", str(text), str(empty)]) == 1
    out, err = capsys.readouterr()
    assert (out, err) == (
        "",
        (
            f"lambda-latency: {empty}: empty: no trace in it\n  {text}:1: cut or not JSON: invalid character (byte 0)\n"
            "  what writes this file has recorded nothing: lambda-latency doctor says why a SAM app does not\n"
            "  a trace file is OTLP, Jaeger, Zipkin, X-Ray or CloudWatch spans; lambda-latency report --help has more\n"
        ),
    )


def test_the_page_is_opened_where_that_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The one that was written, or one in a folder of its own."""
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    traces, page = tmp_path / "t.jsonl", tmp_path / "page.html"
    traces.write_text("".join(dump_line(trace.spans) for trace in hundred()))
    assert main(["report", str(traces), "--open", "--html", str(page)]) == 0
    assert main(["report", str(traces), "--open"]) == 0
    own = next(tmp_path.glob("lambda-latency-*/report.html"))
    assert opened == [page.as_uri(), own.as_uri()]
    assert f"{own}." in capsys.readouterr().out
    assert main(["report", str(traces), "--html", str(page), "--quiet"]) == 0
    assert len(opened) == 2


def test_too_many_failed_requests_fail_a_gate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`errors` is their share; without the gate the report leads with them, and its status is 0."""
    failed = tree(node("GET /", 0, 9, kind=SpanKind.SERVER, attributes={"http.response.status_code": 500}), unit=MS)
    traces = tmp_path / "t.jsonl"
    traces.write_text(dump_line(failed.spans))
    assert main(["report", str(traces)]) == 0
    assert "The request failed." in capsys.readouterr().out
    assert main(["report", str(traces), "--fail-if", "errors > 5%"]) == 3
    assert capsys.readouterr().err == ("lambda-latency: The share of failed requests is 100 %: more than 5 %.\n")


def test_failed_requests_come_before_a_verdict_that_nothing_stands_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """10 of 12: the first line of the text, and of the comment on a pull request."""
    traces = tmp_path / "t.jsonl"
    with traces.open("w") as file:
        for number in range(12):
            status = {"http.response.status_code": 500 if number < 10 else 200}
            spans = tree(node("GET /", 0, 9 + number, kind=SpanKind.SERVER, attributes=status), unit=MS).spans
            file.write(dump_line([replace(span, trace_id=f"{number + 1:032x}") for span in spans]))
    for options in ((), ("--markdown", "-")):
        assert main(["report", str(traces), *options]) == 0
        first, *rest = capsys.readouterr().out.replace("\u202f", " ").replace("**", "").splitlines()
        assert first == "10 of 12 requests failed (83 %): GET / with status 500."
        assert "Nothing else stands out" in "".join(rest[:2])
        assert "requests failed" not in "".join(rest)


def test_the_options_of_a_report_are_in_groups(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each with the options that belong together."""
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        main(["report", "--help"])
    lines = capsys.readouterr().out.splitlines()
    groups = [line for line in lines if re.fullmatch(r"[a-z].*:", line)]
    assert groups == ["options:", "input:", "filter:", "output:", "gate:", "account, with --xray:", "messages:"]


def test_a_programs_own_otel_is_not_touched(tmp_path: Path) -> None:
    """An app may have an `otel.py`: neither the command nor pytest's plugin imports it."""
    (tmp_path / "otel.py").write_text("raise RuntimeError\n")
    (tmp_path / "test_it.py").write_text("def test_it(): pass\n")
    commands = (["-m", "lambda_latency", "--version"], ["-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py"])
    ended = [
        subprocess.run([sys.executable, *one], cwd=tmp_path, capture_output=True, text=True, check=False)
        for one in commands
    ]
    assert [one.returncode for one in ended] == [0, 0], ended


def test_what_is_piped_has_no_thin_space(tmp_path: Path) -> None:
    """So that it can be searched for `1,290 ms`."""
    traces = tmp_path / "t.jsonl"
    traces.write_text("".join(dump_line(trace.spans) for trace in hundred()))
    ended = run("report", str(traces), cwd=tmp_path)
    assert (ended.returncode, "1,290 ms" in ended.stdout, "\u202f" in ended.stdout) == (0, True, False)
