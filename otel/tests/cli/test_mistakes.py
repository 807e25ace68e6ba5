"""Mistakes of a newcomer beside those of the command line itself: the whole message, and the status."""

from __future__ import annotations

import shlex
import tarfile
from pathlib import Path

import pytest

from lambda_latency.cli import main
from lambda_latency.trace import dump_line
from lambda_latency.trace.readers.formats import KNOWN
from tests.latency.generated import hundred

REPORT = "lambda-latency report --help shows the usage"
ABSENT = "check the path: lambda-latency demo and serve write into the folder out"
HOW = "docs/reference/formats.md says how to get a trace file of each form"
REPORTED = "it is a report of this command: name the traces, which its key sources has"
TERMS = (
    "for example: slower than 2s, faster than 100ms, route = POST /orders, part ~ payments, status >= 500, cold, "
    "error, timed out"
)
CORRECT = "correct it: docs/reference/settings.md lists the settings"
NOTHING = "what writes this file has recorded nothing: lambda-latency doctor says why a SAM app does not"
PATTERN = "check the pattern: ** stands for folders"
UNSET = "check the variable that holds it"
FORMATS = "a trace file is OTLP, Jaeger, Zipkin, X-Ray or CloudWatch spans; lambda-latency report --help has more"
EXAMPLES = "'p95 > 800ms', 'errors > 5%', 'share(external) > 60%', or with --against 'slower > 5%'"
BUCKETS = (
    "cold start, own code, connect, retries, telemetry, aws, external, database, messaging, pool, network, "
    "step functions, queue, api gateway, lambda, laptop, unknown"
)
# By what was typed the status, what is wrong, and what to do.
MISTAKES: dict[str, tuple[int, str, str]] = {
    "report": (2, "there is no input", "name a trace file or a folder, use - for standard input, or add --xray"),
    "report loop.jsonl": (
        1,
        "loop.jsonl: Too many levels of symbolic links",
        "name the file itself: the link leads to itself",
    ),
    "report nope.jsonl": (1, "nope.jsonl: No such file or directory", ABSENT),
    "report empty.jsonl": (1, "empty.jsonl: empty: no trace in it", NOTHING),
    "report nothing.json": (1, "nothing.json: there is no span in it", NOTHING),
    "report notes.md": (1, "notes.md:1: cut or not JSON: invalid character (byte 0)", FORMATS),
    "report list.json": (1, f"list.json:1: no trace: got a whole number; {KNOWN}", HOW),
    "report folder.tar": (1, "folder.tar:1: not read: a tar archive: unpack it first", ""),
    "report folder.tar.gz": (1, "folder.tar.gz:1: not read: a tar archive: unpack it first", ""),
    "report - --against -": (
        *(2, "standard input is named twice, and can be read once"),
        "name a file for one of them",
    ),
    "report cut.jsonl": (
        1,
        "cut.jsonl:1: cut: the JSON ends too early",
        "wait until the file is complete, or copy it again",
    ),
    "report bytes.bin": (1, "bytes.bin:1: not text: the bytes are not UTF-8", FORMATS),
    "report https://example.com/traces.json": (
        *(1, "https://example.com/traces.json is the address of a file, and a report reads addresses of archives"),
        "download the file and name it",
    ),
    "report x*.jsonl": (1, "x*.jsonl: no file matches this pattern", PATTERN),
    "report '' good.jsonl": (2, "SOURCE is empty", UNSET),
    "report good.jsonl --html ''": (2, "--html is empty", UNSET),
    "report good.jsonl --trace ''": (2, "--trace is empty", UNSET),
    "report good.jsonl --route=": (2, "--route is empty", UNSET),
    "init ''": (2, "DIR is empty", UNSET),
    "report nope.jsonl --trace deadbeef": (1, "nope.jsonl: No such file or directory", ABSENT),
    "report good.jsonl --since 1h --until 2h": (
        *(2, "--since must be before --until"),
        "a duration is an age: --since 2h --until 1h is the hour before the last",
    ),
    "report good.jsonl --html -": (2, "--html cannot print to standard output", "name a file"),
    "report good.jsonl --flame -": (2, "--flame cannot print to standard output", "name a file"),
    "report good.jsonl --port 3000": (2, "there is no option --port: it is an option of serve", REPORT),
    "serve --requests 3": (
        *(2, "there is no option --requests: it is an option of demo, cost"),
        "lambda-latency serve --help shows the usage",
    ),
    "demo --prot 3000": (2, "there is no option --prot", "lambda-latency demo --help shows the usage"),
    "--port 3000 serve": (
        *(2, "there is no option --port: it is an option of serve"),
        "lambda-latency --help shows the usage",
    ),
    "demo --requests 99999999999999999999": (
        *(2, "--requests must be 1000000 or less, got 99999999999999999999"),
        "lambda-latency demo --help shows the usage",
    ),
    "adopt --rewrite": (
        *(2, "the option --rewrite is gone"),
        "the kit runs X-Ray SDK code as it is; docs/how-to/adopt.md has the edits by hand",
    ),
    "demo --seed 2 --alarm": (
        *(2, "the option --alarm is gone"),
        "`lambda-latency explain NAME` explains an alarm of an account",
    ),
    "serve --slow-ms=500": (
        *(2, "the option --slow-ms is gone"),
        "`lambda-latency report out/served.jsonl --slow MS` says why requests were slow",
    ),
    "archive": (2, "ACTION is missing", "lambda-latency archive --help shows the usage"),
    "archive show deadbeef --archive nope": (
        *(2, "nope is not an archive"),
        "create one: lambda-latency archive add FILE --archive nope",
    ),
    "cost --requests 1e400": (
        *(2, "--requests must be 1000000000000000 or less, got 1e400"),
        "lambda-latency cost --help shows the usage",
    ),
    "cost --requests 5 --memory 512": (
        *(2, "the option --memory is gone"),
        "set memory_mb in the table [usage] of a file: --details FILE",
    ),
    "cost --details nothing.json": (
        *(2, "nothing.json cannot be read: Invalid statement (at line 1, column 1)"),
        "docs/reference/cli.md has the keys of this file",
    ),
    "report good.jsonl --route 'GET /orders'": (
        *(1, "no request of the route 'GET /orders'"),
        "routes seen: POST /orders",
    ),
    "report good.jsonl --trace deadbeef": (
        *(1, "no trace deadbeef in the input"),
        "the report's JSON lists the ids (--json -)",
    ),
    "report good.jsonl --since 2030-01-01T00:00:00Z": (
        *(1, "no request in this time"),
        "requests seen: from 2026-11-24T22:40:00Z to 2026-11-24T22:40:00Z",
    ),
    "report good.jsonl --slow -5": (2, "--slow must be 0 or more, got -5", REPORT),
    "report good.jsonl --slow nan": (2, "--slow must be milliseconds, got 'nan'", REPORT),
    "report good.jsonl --from handler": (2, "--from cannot be 'handler': choose from root, lambda", REPORT),
    "report good.jsonl -x": (2, "there is no option -x", REPORT),
    "report good.jsonl --per-request": (2, "--per-request needs --json", "add --json FILE or --json -"),
    "report good.jsonl --trace a --against good.jsonl": (
        *(2, "--trace shows one request and cannot be combined with --against, --fail-if, --markdown or --by"),
        "remove one of them",
    ),
    "report good.jsonl --redact --route /": (
        *(2, "--redact renames routes and traces and cannot be combined with --trace or --route"),
        "remove one of them",
    ),
    "report good.jsonl --json - --markdown -": (
        *(2, "--json - and --markdown - both write to standard output"),
        "name a file for one of them",
    ),
    "report good.jsonl --fail-if 'slower > 5%'": (
        *(2, "--fail-if 'slower ...' needs --against"),
        "add --against BASELINE",
    ),
    "report good.jsonl --fail-if 'p95>'": (
        *(2, f"--fail-if 'p95>' is not a condition: write, for example, {EXAMPLES}"),
        REPORT,
    ),
    "report good.jsonl --fail-if 'p95 > 5%'": (
        *(2, "--fail-if 'p95 > 5%': p95 is compared with a number of ms or s, got %"),
        REPORT,
    ),
    "report good.jsonl --fail-if 'error > 5%'": (
        *(2, "--fail-if 'error > 5%': nothing is called 'error'; did you mean errors?"),
        REPORT,
    ),
    "report good.jsonl --fail-if 'share(nobody) > 5%'": (
        *(2, f"--fail-if 'share(nobody) > 5%': no bucket is called 'nobody'; buckets are {BUCKETS}"),
        REPORT,
    ),
    "report good.jsonl --max 5": (2, "--max needs --xray", "add --xray"),
    "report good.jsonl --xray": (2, "files and --xray cannot be combined", "remove --xray or the files"),
    "report good.jsonl --against nope.jsonl": (
        *(1, f"no request in the baseline: nope.jsonl: No such file or directory\n  {ABSENT}"),
        "--against takes the same input as SOURCE",
    ),
    "report good.jsonl --html nowhere/page.html": (
        *(1, "nowhere/page.html cannot be written: No such file or directory"),
        "make the folder first, or name another one",
    ),
    "report good.jsonl --json good.jsonl": (1, "good.jsonl is read by this command: name another file", ""),
    "report good.jsonl --html a.html --json a.html": (
        *(1, "a.html is named twice: each form of a report needs a file of its own"),
        "",
    ),
    "report -- --good.jsonl": (1, "--good.jsonl: No such file or directory", "did you mean good.jsonl?"),
    "fetch": (2, "--out is missing", "add --out FILE, or --archive DIR"),
    "fetch --out": (2, "--out has no value", "write --out FILE"),
    "fetch more --out x": (2, "'more': unexpected argument", "lambda-latency fetch --help shows the usage"),
    "init": (2, "DIR is missing", "lambda-latency init --help shows the usage"),
    "init good.jsonl": (
        *(1, "good.jsonl cannot be written: Not a directory"),
        "name a file below a folder: a part of the path is a file",
    ),
    "init .": (1, ". is not empty: name a new folder", ""),
    "invoke F nope.json": (
        2,
        "nope.json cannot be read: No such file or directory",
        "name a JSON file, or - for stdin",
    ),
    "serve --template nope.yaml": (
        *(1, "nope.yaml:1: cannot be read (No such file or directory)"),
        "name a template with --template, or write the example's with lambda-latency init DIR",
    ),
    "serve --instrument maybe": (
        *(2, "--instrument cannot be 'maybe': choose from kit, layer, none"),
        "lambda-latency serve --help shows the usage",
    ),
    "demo --out good.jsonl": (
        *(1, "good.jsonl cannot be written: File exists; choose another folder with --out"),
        "",
    ),
    "demo --collector nope": (
        *(2, "--collector nope is not an executable program"),
        "use docker, none, or the path of a collector (make collector builds one)",
    ),
    "demo --parameter =x": (
        *(2, "--parameter must read NAME=VALUE, got '=x'"),
        "lambda-latency demo --help shows the usage",
    ),
    "--json": (
        2,
        "there is no option --json: it is an option of report, doctor, cost",
        "lambda-latency --help shows the usage",
    ),
    "-q": (2, "COMMAND is missing", "lambda-latency --help shows the usage"),
    "report god.jsonl": (1, "god.jsonl: No such file or directory", "did you mean good.jsonl?"),
    "report good.json": (1, "good.json: No such file or directory", "did you mean good.jsonl?"),
    "report below/good.jsonl": (
        *(1, "below/good.jsonl: No such file or directory"),
        "check the path: there is no folder below",
    ),
    "report hollow": (
        *(1, "hollow: no trace file in this folder (.json, .jsonl, .ndjson, or .gz)"),
        "name the file if it ends otherwise",
    ),
    "report report.json": (
        *(1, f"report.json:1: no trace: got schema, command; {KNOWN}"),
        REPORTED,
    ),
    "report app.log": (1, f"app.log:1: no trace: got level; {KNOWN}", HOW),
    "report picture.webp": (
        *(1, "picture.webp:1: no trace file: its bytes are neither text nor OTLP as protobuf"),
        FORMATS,
    ),
    "report good.jsonl --html": (2, "--html has no value", "write --html F"),
    "report good.jsonl --top 5": (2, "there is no option --top", REPORT),
    "report good.jsonl --since yesterday": (
        *(2, "--since must be a time like 2026-11-25T08:00:00Z or how long ago, like 24h, got 'yesterday'"),
        REPORT,
    ),
    "report good.jsonl --slow 100ms": (2, "--slow must be milliseconds, got '100ms'", REPORT),
    "report good.jsonl --against report.json": (
        *(1, f"no request in the baseline: report.json:1: no trace: got schema, command; {KNOWN}"),
        f"{REPORTED}\n  --against takes the same input as SOURCE",
    ),
    "report good.jsonl --fail-if 'p95 > 800'": (
        *(2, "--fail-if 'p95 > 800': p95 is compared with a number of ms or s, got no unit"),
        REPORT,
    ),
    "version": (
        *(2, "there is no command 'version'; did you mean --version?"),
        "lambda-latency --help shows the usage",
    ),
    "help dmo": (2, "there is no command 'dmo'; did you mean demo?", "lambda-latency --help shows the usage"),
    "archive add": (
        *(2, "archive add needs trace files: lambda-latency archive add FILE"),
        "lambda-latency archive --help has more",
    ),
    "archive query": (
        *(2, 'archive query needs SQL, such as "select route, count(*) from accounts group by route"'),
        "lambda-latency archive --help has more",
    ),
    "archive find 'slower then 2s' --archive nope": (
        *(2, "'slower then 2s' is not understood"),
        TERMS,
    ),
    "archive prune": (2, "prune needs --older-than", "add --older-than 90d"),
    "cost --region mars": (
        *(2, "--region must be a region of AWS, such as eu-west-1, got 'mars'"),
        "lambda-latency cost --help shows the usage",
    ),
    "cost --rate 200%": (
        *(2, "--rate must be a share such as 5% or 0.05, got 200%"),
        "lambda-latency cost --help shows the usage",
    ),
    "adopt --write --undo": (2, "--undo and --write cannot be combined", "remove one of them"),
    "adopt nope": (1, "nope does not exist", "name a SAM template, or the folder that has one"),
    "alarm --deploy": (
        *(2, "--stack is missing"),
        "add --stack and the name of the stack whose alarms are to be explained",
    ),
    "doctor --explain layer-od": (2, "there is no rule 'layer-od'", "did you mean layer-old?"),
    "invoke F hollow": (2, "hollow cannot be read: Is a directory", "name a JSON file, or - for stdin"),
    "mcp --install vim": (
        *(2, "--install cannot be 'vim': choose from claude, cursor, kiro, vscode"),
        "lambda-latency mcp --help shows the usage",
    ),
    "init good.jsonl/shop": (
        *(1, "good.jsonl/shop cannot be written: Not a directory"),
        "name a file below a folder: a part of the path is a file",
    ),
    "completion": (2, "SHELL is missing", "lambda-latency completion --help shows the usage"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a good file and some that are none."""
    monkeypatch.chdir(tmp_path)
    good = "".join(dump_line(trace.spans) for trace in hundred())
    (tmp_path / "good.jsonl").write_text(good)
    (tmp_path / "cut.jsonl").write_text(good[:900])
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
        ('their = "bank"\n', ": there is no setting 'their'; did you mean theirs?"),
        ('slow = "fast"\n', ": slow must be milliseconds, got 'fast'"),
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


@pytest.mark.parametrize("typed", MISTAKES)
def test_a_mistake_has_one_message(typed: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing on standard output, no stack trace, and no file that was not there before."""
    before = sorted(folder.iterdir())
    try:
        status = main(shlex.split(typed))
    except SystemExit as ended:
        status = int(str(ended.code))
    wanted, what, todo = MISTAKES[typed]
    message = f"lambda-latency: {what}\n" + (f"  {todo}\n" if todo else "")
    assert (status, *capsys.readouterr()) == (wanted, "", message)
    assert sorted(folder.iterdir()) == before
