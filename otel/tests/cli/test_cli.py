"""The command as a newcomer meets it: help, mistakes, exit statuses."""

import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lambda_latency.cli import main
from lambda_latency.cli.entry import COMMANDS, parser
from lambda_latency.cli.parser import REMOVED, Parser
from lambda_latency.trace import SpanKind, dump_line
from lambda_latency.version import VERSION
from tests.latency.generated import hundred
from tests.trace.build import MS, node, tree

ROOT = Path(__file__).parents[3]


def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    command = [sys.executable, "-m", "lambda_latency", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=120)


def isolated(code: str, *arguments: str) -> list[str]:
    """The lines that a program prints after it has called the command, with the standard library alone."""
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'otel')!r})\n"
        "from lambda_latency.cli import main\n"
        "try: main(sys.argv[1:])\n"
        f"except SystemExit: {code}"
    )
    command = [sys.executable, "-I", "-S", "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)])
def test_help_imports_the_standard_library_alone(command: tuple[str, ...]) -> None:
    """It is there at once, whatever is installed."""
    code = "print(*{name.split('.')[0] for name in sys.modules} - sys.stdlib_module_names)"
    usage, *_, imported = isolated(code, *command, "--help")
    assert usage.startswith("usage: lambda-latency")
    assert [name for name in imported.split() if not name.startswith("_")] == ["lambda_latency"]


def test_the_list_of_commands_imports_none_of_them() -> None:
    """So that it takes little longer than Python itself; `typing` alone would be a tenth of its time."""
    code = "print(*sorted(name for name in sys.modules if name.startswith('lambda_latency')))"
    assert isolated(code, "--help")[-1].split() == [
        "lambda_latency",
        *(f"lambda_latency.cli{name}" for name in ("", ".entry", ".exit_statuses", ".messages", ".parser")),
        "lambda_latency.version",
    ]


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_80_columns(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Descriptions and examples, too; a per cent sign is printed once. `help report` is `report --help`."""
    monkeypatch.setenv("COLUMNS", "80")
    printed = []
    for typed in (["help", command], [command, "--help"]):
        with pytest.raises(SystemExit):
            main([word for word in typed if word])
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] != ""
    lines = printed[0].splitlines()
    assert [line for line in lines if len(line) > 80 or "%%" in line] == []
    assert command or len(lines) <= 24  # the list of commands fits a terminal


def test_both_names_are_the_same_command() -> None:
    """The console script and python -m lambda_latency."""
    script = subprocess.run(
        [Path(sys.executable).with_name("lambda-latency"), "--help"], capture_output=True, text=True, check=True
    )
    assert script.stdout == run("--help").stdout


HELP, SAID = "usage: lambda-latency COMMAND [OPTION ...]", f"lambda-latency {VERSION}"


@pytest.mark.parametrize(
    ("typed", "head"), [((), HELP), (("help",), HELP), (("--help",), HELP), (("--version",), SAID), (("-V",), SAID)]
)
def test_the_command_alone_prints_the_help(
    typed: tuple[str, ...], head: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 0, on stdout, as `help` and `--help` do, and as the version has it by either name of its option."""
    with pytest.raises(SystemExit) as ended:
        main(typed)
    out, err = capsys.readouterr()
    assert (ended.value.code, out.splitlines()[0], err) == (0, head, "")


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
    """With -v before the command, below the message."""
    plain, verbose = (run(*options, "demo", "--template", "nowhere.yaml") for options in ((), ("-v",)))
    assert (plain.returncode, verbose.returncode) == (1, 1)
    assert len(plain.stderr.splitlines()) == 2
    assert verbose.stderr.startswith(f"{plain.stderr}Traceback (most recent call last):\n")


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ("PaymentUrl=Off", "template.yaml has no parameter PaymentUrl\n  did you mean 'PaymentsUrl'?"),
        (
            "Tracing=Maybe",
            "Tracing must be one of Active, PassThrough, Off, got 'Maybe'\n  template.yaml allows no other value",
        ),
    ],
)
def test_a_wrong_parameter_is_one_message(parameter: str, message: str) -> None:
    """What, where, what to do; no traceback."""
    ended = run("demo", "--parameter", parameter)
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", f"lambda-latency: {message}\n")


def test_a_function_that_does_not_import_stops_the_demo(tmp_path: Path) -> None:
    """Said once, with the runtime's own error, instead of 120 failed requests."""
    project = tmp_path / "project"
    shutil.copytree(ROOT / "functions", project / "functions")
    for name in ("template.yaml", "observability.yaml", "explain.yaml"):
        shutil.copy(ROOT / name, project)
    (project / "functions" / "payments.py").write_text("import not_here\n")
    ended = run("demo", cwd=project)
    assert (ended.returncode, ended.stdout) == (1, "")
    page, line, todo = ended.stderr.splitlines()
    assert page.startswith("Page until the demo ends: ")
    reason = "Unable to import module 'functions.orders': No module named 'not_here'"
    assert re.fullmatch(rf"lambda-latency: \w+Orders? does not initialize: Runtime.ImportModuleError: {reason}", line)
    assert todo.startswith("  correct functions.orders.")


def test_a_program_that_calls_a_command_keeps_its_signals() -> None:
    """SIGTERM is the command's only while it runs."""
    handler = signal.getsignal(signal.SIGTERM)
    assert main(["report", "nowhere.jsonl"]) == 1
    assert signal.getsignal(signal.SIGTERM) is handler


def removed() -> list[tuple[tuple[str, ...], str]]:
    """Each option, command, action and argument of an earlier version, with the command that had it."""
    rows: list[tuple[tuple[str, ...], str]] = []
    parsers: list[tuple[tuple[str, ...], Parser]] = [((), parser())]
    while parsers:
        path, current = parsers.pop()
        names = {*current.removed, *(REMOVED if path else ())} - set(current._option_string_actions)
        rows += [(path, name) for name in sorted(names)]
        parsers += [((*path, name), inner) for name, inner in current.commands().items()]
    return rows


@pytest.mark.parametrize(("path", "name"), removed(), ids=str)
def test_what_an_earlier_version_had_is_refused_with_what_replaces_it(
    path: tuple[str, ...], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2; no old spelling does something else."""
    with pytest.raises(SystemExit) as ended:
        main([*path, name])
    message, second = capsys.readouterr().err.splitlines()
    assert (ended.value.code, second != "") == (2, True)
    assert re.fullmatch(rf"lambda-latency: the (option|command|action|stack|argument) {name} is gone", message)


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
    for options in ((), ("--format", "markdown")):
        assert main(["report", str(traces), *options]) == 0
        head, *tail = capsys.readouterr().out.replace("\u202f", " ").replace("**", "").splitlines()
        assert head == "10 of 12 requests of GET / failed (83 %) with status 500."
        assert "Nothing else stands out" in "".join(tail[:2])
        assert "requests failed" not in "".join(tail)


def test_the_options_of_a_report_are_in_groups(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each with the options that belong together."""
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        main(["report", "--help"])
    lines = capsys.readouterr().out.splitlines()
    groups = [line for line in lines if re.fullmatch(r"[a-z].*:", line)]
    assert groups == ["options:", "input:", "filter:", "output:", "gate:"]


def test_a_programs_own_otel_is_not_touched(tmp_path: Path) -> None:
    """An app may have an `otel.py`: neither the command nor pytest's plugin imports it."""
    (tmp_path / "otel.py").write_text("raise RuntimeError\n")
    (tmp_path / "test_it.py").write_text("def test_it(): pass\n")
    commands = (["-m", "lambda_latency", "--version"], ["-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py"])
    ended = [
        subprocess.run([sys.executable, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
        for arguments in commands
    ]
    assert [process.returncode for process in ended] == [0, 0], ended


def test_what_is_piped_has_no_thin_space(tmp_path: Path) -> None:
    """So that it can be searched for `1,290 ms`."""
    traces = tmp_path / "t.jsonl"
    traces.write_text("".join(dump_line(trace.spans) for trace in hundred()))
    ended = run("report", str(traces), cwd=tmp_path)
    assert (ended.returncode, "1,290 ms" in ended.stdout, "\u202f" in ended.stdout) == (0, True, False)
