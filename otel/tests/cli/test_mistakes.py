"""Mistakes of a newcomer: the whole message, and the status."""

import shlex
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambda_latency.cli import main
from lambda_latency.cli.entry import COMMANDS
from lambda_latency.documentation import page_address
from lambda_latency.trace import dump_line
from lambda_latency.trace.readers.formats import KNOWN
from tests.latency.generated import hundred

GOOD = "".join(dump_line(trace.spans) for trace in hundred())
ABSENT = "check the path: lambda-latency demo and serve write into the folder out"
REPORTED = "it is a report of this command: name the traces, which its key sources has"
TERMS = (
    "for example: slower than 2s, faster than 100ms, route = POST /orders, part ~ payments, status >= 500, cold, "
    "error, timed out"
)
CORRECT = f"correct it: {page_address('reference/settings')} lists the settings"
NOTHING = "what writes this file has recorded nothing: lambda-latency doctor says why a SAM app does not"
FORMATS = "a trace file is OTLP, Jaeger, Zipkin, X-Ray or CloudWatch spans; lambda-latency report --help has more"
EXAMPLES = "'p95 > 800ms', 'errors > 5%', 'share(external) > 60%', or with --against 'slower > 5%'"
BUCKETS = (
    "cold start, own code, connect, retries, telemetry, step, replay, wait, aws, external, database, messaging, pool, "
    "network, step functions, queue, api gateway, lambda, laptop, unknown"
)
ONE_TRACE = "--trace shows one request and cannot be combined with --against, --fail-if, --by, or another --format"
TWICE = "is named twice: each form of a report needs a file of its own"
READ = "good.jsonl is read by this command: name another file"
EMPTY = "empty.jsonl: empty: no trace in it"
NOT_JSON = "notes.md:1: cut or not JSON: invalid character (byte 0)"
NO_TRACE = f"report.json:1: no trace: got schema, command; {KNOWN}"
ONE_ALARM = "--alarm reads the traces of the alarm's window and takes no other input"
# By the text of `--fail-if` what is wrong with it.
CONDITIONS = {
    "p95 > 5%": "p95 is compared with a number of ms or s, got %",
    "error > 5%": "nothing is called 'error'; did you mean errors?",
    "share(nobody) > 5%": f"no bucket is called 'nobody'; buckets are {BUCKETS}",
    "p95 > 800": "p95 is compared with a number of ms or s, got no unit",
    "share(externl) > 5%": "no bucket is called 'externl'; did you mean external?",
}
# What is refused with the usage of a command: by the command what follows it, and what is wrong.
USAGE: dict[str, dict[str, str]] = {
    "report": {
        "good.jsonl --port 3000": "there is no option --port: it is an option of serve",
        "good.jsonl --slow -5": "--slow must be 0 or more, got -5",
        "good.jsonl --slow nan": "--slow must be milliseconds, got 'nan'",
        "good.jsonl -x": "there is no option -x",
        "good.jsonl --format brief=a": "--format prints brief: write > a",
        "good.jsonl --format yaml": (
            "--format must be text, brief, markdown, json, or one of them and a file, got 'yaml'"
        ),
        "good.jsonl --fail-if 'p95>'": f"--fail-if 'p95>' is not a condition: write, for example, {EXAMPLES}",
        "good.jsonl --top 5": "there is no option --top",
        "good.jsonl --since yesterday": (
            "--since must be a time like 2026-11-25T08:00:00Z or how long ago, like 24h, got 'yesterday'"
        ),
        "good.jsonl --slow 100ms": "--slow must be milliseconds, got '100ms'",
        "--hlep": "there is no option --hlep; did you mean --help?",
        "x --htm y": "there is no option --htm; did you mean --html?",
        "x --formt=y": "there is no option --formt; did you mean --format?",
        **{f"good.jsonl --fail-if '{text}'": f"--fail-if '{text}': {why}" for text, why in CONDITIONS.items()},
    },
    "serve": {
        "--requests 3": "there is no option --requests: it is an option of demo, cost",
        "--page maybe": "--page must be a whole number, got 'maybe'",
        "--port 99999": "--port must be between 0 and 65535, got 99999",
        "--port http": "--port must be a whole number, got 'http'",
    },
    "demo": {
        "--prot 3000": "there is no option --prot",
        "--requests 99999999999999999999": "--requests must be 1000000 or less, got 99999999999999999999",
        "--parameter =x": "--parameter must read NAME=VALUE, got '=x'",
        "--requests 0": "--requests must be 1 or more, got 0",
        "twice": "'twice': unexpected argument",
        "--parameter Tracing": "--parameter must read NAME=VALUE, got 'Tracing'",
    },
    "": {
        "--port 3000 serve": "there is no option --port: it is an option of serve",
        "--format": "there is no option --format: it is an option of report, doctor, cost, diff",
        "-v": "COMMAND is missing",
        "version": "there is no command 'version'; did you mean --version?",
        "help dmo": "there is no command 'dmo'; did you mean demo?",
        "dmeo": "there is no command 'dmeo'; did you mean demo?",
        "weather": f"there is no command 'weather': choose from {', '.join(COMMANDS)}",
        "--hlep": "there is no option --hlep; did you mean --help?",
    },
    "archive": {
        "": "ACTION is missing",
        "--older-than 90d": "there is no option --older-than: it is an option of archive ACTION",
    },
    "cost": {
        "--requests 1e400": "--requests must be 1000000000000000 or less, got 1e400",
        "--region mars": "--region must be a region of AWS, such as eu-west-1, got 'mars'",
        "--rate 200%": "--rate must be a share such as 5% or 0.05, got 200%",
        "--requests many": "--requests must be a number, got 'many'",
        "--requests -1": "--requests must be 0 or more, got -1",
        "good.jsonl": "'good.jsonl': unexpected argument",
        "--rate 7": "--rate must be a share such as 5% or 0.05, got 7",
    },
    "fetch": {"more --out x": "'more': unexpected argument"},
    "init": {"": "DIR is missing"},
    "archive add": {"": "FILE is missing"},
    "archive query": {"": "SQL is missing"},
    "archive prune": {"": "--older-than is missing"},
    "completion": {
        "": "SHELL is missing",
        "csh": "there is no shell 'csh'; did you mean tcsh?",
        "fish": "there is no shell 'fish': choose from bash, zsh, tcsh",
        "man": "there is no shell 'man': choose from bash, zsh, tcsh",
    },
    "doctor": {"--format srif": "--format cannot be 'srif'; did you mean sarif?"},
    "invoke": {"": "FUNCTION is missing"},
}
# By the status and what to do: what was typed, and what is wrong.
MISTAKES: dict[tuple[int, str], dict[str, str]] = {
    (2, "name a trace file or a folder, use - for standard input, or add --xray"): {"report": "there is no input"},
    (1, "name the file itself: the link leads to itself"): {
        "report loop.jsonl": "loop.jsonl: Too many levels of symbolic links",
    },
    (1, ABSENT): {
        "report nope.jsonl": "nope.jsonl: No such file or directory",
    },
    (1, NOTHING): {
        "report empty.jsonl": EMPTY,
        "report nothing.json": "nothing.json: there is no span in it",
    },
    (1, FORMATS): {
        "report notes.md": NOT_JSON,
        "report bytes.bin": "bytes.bin:1: not text: the bytes are not UTF-8",
        "report picture.webp": "picture.webp:1: no trace file: its bytes are neither text nor OTLP as protobuf",
    },
    (1, f"{page_address('reference/formats')} says how to get a trace file of each form"): {
        "report list.json": f"list.json:1: no trace: got a whole number; {KNOWN}",
        "report app.log": f"app.log:1: no trace: got level; {KNOWN}",
    },
    (1, ""): {
        "report folder.tar": "folder.tar:1: not read: a tar archive: unpack it first",
        "report folder.tar.gz": "folder.tar.gz:1: not read: a tar archive: unpack it first",
        "report good.jsonl --format=json=good.jsonl": READ,
        "report good.jsonl --html a.html --format=json=a.html": f"a.html {TWICE}",
        "init .": ". is not empty: name a new folder",
        "demo --out good.jsonl": "good.jsonl cannot be written: File exists; choose another folder with --out",
        "report good.jsonl --format=markdown=page --html hollow/../page": f"hollow/../page {TWICE}",
        "report notes.md --against good.jsonl --html good.jsonl": READ,
        "demo --out good.jsonl/x": "good.jsonl/x cannot be written: Not a directory; choose another folder with --out",
    },
    (2, "name a file for one of them"): {"report - --against -": "standard input is named twice, and can be read once"},
    (1, "wait until the file is complete, or copy it again"): {
        "report cut.jsonl": "cut.jsonl:1: cut: the JSON ends too early",
    },
    (1, "download the file and name it"): {
        "report https://example.com/traces.json": (
            "https://example.com/traces.json is the address of a file, and a report reads addresses of archives"
        ),
    },
    (1, "check the pattern: ** stands for folders"): {"report x*.jsonl": "x*.jsonl: no file matches this pattern"},
    (2, "check the variable that holds it"): {
        "report '' good.jsonl": "SOURCE is empty",
        "report good.jsonl --html ''": "--html is empty",
        "report good.jsonl --trace ''": "--trace is empty",
        "report good.jsonl --route=": "--route is empty",
        "init ''": "DIR is empty",
    },
    (2, "a duration is an age: --since 2h --until 1h is the hour before the last"): {
        "report good.jsonl --since 1h --until 2h": "--since must be before --until",
    },
    (2, "name a file"): {
        "report good.jsonl --html -": "--html cannot print to standard output",
        "report good.jsonl --flame -": "--flame cannot print to standard output",
    },
    (2, "`lambda-latency report out/served.jsonl --slow MS` says why requests were slow"): {
        "serve --slow-ms=500": "the option --slow-ms is gone",
    },
    (2, "create one: lambda-latency archive add FILE --archive nope"): {
        "archive show deadbeef --archive nope": "nope is not an archive",
    },
    (2, "set memory_mb in the table [usage] of a file: --details FILE"): {
        "cost --requests 5 --memory 512": "the option --memory is gone",
    },
    (2, f"{page_address('reference/cli')} has the keys of this file"): {
        "cost --details nothing.json": "nothing.json cannot be read: Invalid statement (at line 1, column 1)",
    },
    (1, "routes seen: POST /orders"): {
        "report good.jsonl --route 'GET /orders'": "no request of the route 'GET /orders'",
    },
    (1, "the report's JSON lists the ids (--all --format json)"): {
        "report good.jsonl --trace deadbeef": "no trace deadbeef in the input",
    },
    (1, "requests seen: from 2026-11-24T22:40:00Z to 2026-11-24T22:40:00Z"): {
        "report good.jsonl --since 2030-01-01T00:00:00Z": "no request in this time",
    },
    (2, "remove one of them"): {
        "report good.jsonl --trace a --against good.jsonl": ONE_TRACE,
        "report good.jsonl --redact --route /": (
            "--redact renames routes and traces and cannot be combined with --trace or --route"
        ),
        "report good.jsonl --format json=a --format json=b": "--format json is named twice",
        "adopt --write --undo": "--undo and --write cannot be combined",
        "report good.jsonl --trace 6b05 --fail-if 'max > 1s'": ONE_TRACE,
        "report --alarm A --since 1h": "--alarm and --since cannot be combined",
        "report --alarm A --fail-if 'p95 > 1s'": "--alarm and --fail-if cannot be combined",
        "report --alarm A --format json": "--alarm and --format cannot be combined",
    },
    (2, "name a file for one of them: --format markdown=FILE"): {
        "report good.jsonl --format json --format markdown": "--format json and --format markdown both print",
    },
    (2, "name a file for one of them: --format json=FILE"): {
        "report good.jsonl --format brief --format json": "--format brief and --format json both print",
    },
    (2, "add --against BASELINE"): {
        "report good.jsonl --fail-if 'slower > 5%'": "--fail-if 'slower ...' needs --against",
    },
    (2, "add --xray"): {"report good.jsonl --region eu-west-1": "--region needs --xray or --alarm"},
    (2, "remove --xray or the files"): {"report good.jsonl --xray": "files and --xray cannot be combined"},
    (1, f"{ABSENT}\n  --against takes the same input as SOURCE"): {
        "report good.jsonl --against nope.jsonl": "no request in the baseline: nope.jsonl: No such file or directory",
    },
    (1, "make the folder first, or name another one"): {
        "report good.jsonl --html nowhere/page.html": "nowhere/page.html cannot be written: No such file or directory",
    },
    (1, "did you mean good.jsonl?"): {
        "report -- --good.jsonl": "--good.jsonl: No such file or directory",
        "report god.jsonl": "god.jsonl: No such file or directory",
        "report good.json": "good.json: No such file or directory",
    },
    (2, "add --out FILE, or --archive DIR"): {"fetch": "--out is missing"},
    (2, "write --out FILE"): {"fetch --out": "--out has no value"},
    (1, "name a file below a folder: a part of the path is a file"): {
        "init good.jsonl": "good.jsonl cannot be written: Not a directory",
        "init good.jsonl/shop": "good.jsonl/shop cannot be written: Not a directory",
        "report good.jsonl --format=json=good.jsonl/x": "good.jsonl/x cannot be written: Not a directory",
    },
    (2, "name a JSON file, or - for stdin"): {
        "invoke F nope.json": "nope.json cannot be read: No such file or directory",
        "invoke F hollow": "hollow cannot be read: Is a directory",
    },
    (1, "name a template with --template, or write the example's with lambda-latency init DIR"): {
        "serve --template nope.yaml": "nope.yaml: No such file or directory",
    },
    (2, "use docker, none, or the path of a collector (make collector builds one)"): {
        "demo --collector nope": "--collector nope is not an executable program",
    },
    (1, "check the path: there is no folder below"): {
        "report below/good.jsonl": "below/good.jsonl: No such file or directory",
    },
    (1, "name the file if it ends otherwise"): {
        "report hollow": "hollow: no trace file in this folder (.json, .jsonl, .ndjson, or .gz)",
    },
    (1, REPORTED): {"report report.json": NO_TRACE},
    (2, "write --html F"): {"report good.jsonl --html": "--html has no value"},
    (1, f"{REPORTED}\n  --against takes the same input as SOURCE"): {
        "report good.jsonl --against report.json": f"no request in the baseline: {NO_TRACE}",
    },
    (2, TERMS): {
        "archive find 'slower then 2s' --archive nope": "'slower then 2s' is not understood",
    },
    (1, "name a SAM template, or the folder that has one"): {"adopt --template nope": "nope does not exist"},
    (2, "write --template PATH"): {
        f"{command} app/template.yaml": "the argument PATH is gone" for command in ("adopt", "doctor")
    },
    (2, "write the name of the stack whose alarms are to be explained"): {"stack alarm --deploy": "NAME is missing"},
    (2, "did you mean layer-old?"): {"doctor --explain layer-od": "there is no rule 'layer-od'"},
    (2, "lambda-latency report --alarm NAME; for a time: report --xray --since 30m --slow MS"): {
        "explain shop-SlowAlarm": "the command explain is gone",
    },
    (1, "name a file in this folder"): {"report good.jsonl --html hollow": "hollow cannot be written: Is a directory"},
    (2, "--faults takes a JSON file"): {
        "serve --faults nope.json": "nope.json cannot be read: No such file or directory",
    },
    (2, "remove --alarm or the input"): {
        "report --alarm A good.jsonl": ONE_ALARM,
        "report --alarm A --xray": ONE_ALARM,
    },
    (2, "add --topic ARN, --webhook-parameter NAME, or both"): {
        "stack alarm shop --deploy": "explanations have no receiver",
    },
    (1, f"{NOTHING}\n  {FORMATS}"): {
        "report notes.md empty.jsonl": f"{EMPTY}\n  {NOT_JSON}",
    },
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a good file and some that are none."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.jsonl").write_text(GOOD)
    (tmp_path / "cut.jsonl").write_text(GOOD[:900])
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "loop.jsonl").symlink_to("loop.jsonl")
    (tmp_path / "nothing.json").write_text('{"resourceSpans": []}')
    (tmp_path / "notes.md").write_text("# Notes\n")
    (tmp_path / "list.json").write_text("[1, 2]")
    for name, packed in (("folder.tar", "w"), ("folder.tar.gz", "w:gz")):
        with tarfile.open(tmp_path / name, packed) as archive:  # type: ignore[call-overload]
            archive.add(tmp_path / "good.jsonl", "good.jsonl")
    (tmp_path / "hollow").mkdir()
    (tmp_path / "report.json").write_text('{"schema": 3, "command": "lambda-latency report"}')
    (tmp_path / "app.log").write_text('{"level": "INFO"}\n')
    (tmp_path / "picture.webp").write_bytes(b"RIFF\x00\x00\x00\x00WEBP")
    (tmp_path / "bytes.bin").write_bytes(b"\xff\xfa\xfb a picture")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('theirs = "bank\n', "cannot be read: Illegal character '\\n' (at line 1, column 15)"),
        ("[tool.lambda-latency]\nslow = 5\n", ": settings have no table here: remove the line [tool.lambda-latency]"),
        ('fail-if = "p95 > 5%"\n', ": fail-if 'p95 > 5%': p95 is compared with a number of ms or s, got %"),
    ],
)
def test_a_mistake_in_the_settings_has_one_message(
    text: str, wrong: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the name of the file."""
    (folder / "lambda-latency.toml").write_text(text)
    assert main(["report", "good.jsonl"]) == 2
    separator = "" if wrong.startswith(":") else " "
    assert capsys.readouterr() == ("", f"lambda-latency: lambda-latency.toml{separator}{wrong}\n  {CORRECT}\n")


def mistakes() -> Iterator[tuple[str, int, str]]:
    """What is typed, with the status and the message."""
    for command, rows in USAGE.items():
        usage = " ".join(["lambda-latency", *command.split(), "--help shows the usage"])
        for arguments, text in rows.items():
            yield f"{command} {arguments}".strip(), 2, f"lambda-latency: {text}\n  {usage}\n"
    for (status, todo), rows in MISTAKES.items():
        for typed, text in rows.items():
            yield typed, status, f"lambda-latency: {text}\n" + (f"  {todo}\n" if todo else "")


CASES = {typed: (status, message) for typed, status, message in mistakes()}


@pytest.mark.parametrize("typed", CASES)
def test_a_mistake_has_one_message(typed: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing on standard output, no stack trace, no new file, and none that was written."""
    times = {path: path.lstat().st_mtime_ns for path in folder.iterdir()}
    try:
        ended = main(shlex.split(typed))
    except SystemExit as error:
        ended = int(str(error.code))
    status, message = CASES[typed]
    assert (ended, *capsys.readouterr()) == (status, "", message)
    assert {path: path.lstat().st_mtime_ns for path in folder.iterdir()} == times
