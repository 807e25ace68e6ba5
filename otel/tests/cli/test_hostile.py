"""Small files that are made to take the memory or the time of large ones: packed text, JSON, protobuf and YAML."""

import base64
import gzip
import json
import os
import subprocess
import sys
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from lambda_latency.cli import main
from lambda_latency.trace import dump_line
from tests.agent.asking import request, served
from tests.latency.generated import hundred
from tests.trace.readers.test_formats import zstd_packed as zstd

MB = 1024 * 1024


def gzipped(text: bytes, size: int) -> bytes:
    """A text repeated to `size` bytes, as gzip."""
    packer = zlib.compressobj(9, wbits=31)
    block = text * (MB // len(text))
    return b"".join([*(packer.compress(block) for _ in range(size // len(block))), packer.flush()])


def zstd_packed(text: bytes, size: int) -> bytes:
    """A text repeated to `size` bytes, as frames of zstd."""
    return zstd(text * (64 * MB // len(text))) * (size // (64 * MB))


def framed(message: bytes, count: int = 1) -> bytes:
    """A message as a collector's file exporter writes it, several times."""
    return (len(message).to_bytes(4, "big") + message) * count


def printed(packed: bytes) -> bytes:
    """The line in a function's log that holds the packed spans of one export."""
    payload = base64.b64encode(packed).decode()
    line = {"__otel_otlp_stdout": "0.1", "content-encoding": "gzip", "base64": True, "payload": payload}
    return json.dumps(line).encode()


def many(begin: bytes, item: bytes, end: bytes, size: int) -> bytes:
    """An item repeated to about `size` bytes between a begin and an end."""
    return begin + item * (size // len(item)) + end


# By name: what makes the content, and a part of what is said about it.
TRACE_FILES: Mapping[str, tuple[Callable[[], bytes], str]] = {
    "zstd of spaces": (lambda: zstd_packed(b" ", 256 * MB), "more than 16,777,216 bytes when unpacked"),
    "zstd of newlines": (lambda: zstd_packed(b"\n", 256 * MB), "more than 16,777,216 bytes when unpacked"),
    "zstd of lists": (lambda: zstd_packed(b"[],", 128 * MB), "bytes when unpacked"),
    "gzip of spaces": (lambda: gzipped(b" ", 128 * MB), "bytes when unpacked"),
    "gzip of newlines": (lambda: gzipped(b"\n", 128 * MB), "bytes when unpacked"),
    "gzip of lists": (lambda: gzipped(b"[],[", 128 * MB), "bytes when unpacked"),
    "gzip of small spans": (lambda: gzipped(b'{"traceId":"1","id":"1"},', 64 * MB), "bytes when unpacked"),
    "gzip in a line": (lambda: printed(gzipped(b" ", 256 * MB)), "bytes when unpacked"),
    "zstd in a message": (lambda: framed(zstd_packed(b"a", 256 * MB)), "more than 16,777,216 bytes when unpacked"),
    "zstd in many messages": (lambda: framed(zstd_packed(b"a", 256 * MB), 5), "message 5 is no OTLP"),
    "lists": (lambda: many(b"[", b"[],", b"[]]", 20 * MB), "lists and values without content"),
    "numbers": (lambda: many(b"[", b"0,", b"0]", 20 * MB), "lists and values without content"),
    "lists as traces": (lambda: many(b'{"data":[', b"[],", b"[]]}", 15 * MB), "lists and values without content"),
    "empty traces": (lambda: many(b'{"data":[', b'{"spans":[{}]},', b"{}]}", 15 * MB), "lists and values without"),
    "empty resources": (lambda: many(b'{"resourceSpans":[', b"{},", b"{}]}", 15 * MB), "lists and values without"),
    "texts": (lambda: many(b'{"data":[', b'"a",', b'"a"]}', 15 * MB), "lists and values without content"),
    "depth": (lambda: b"[" * (5 * MB), "lists and values without content"),
    "depth of objects": (lambda: b'{"a":' * MB + b"1" + b"}" * MB, "nested too deeply"),
    "empty protobuf": (lambda: b"\n\x00" * (4 * MB), "fields without content"),
    "empty protobuf as gzip": (lambda: gzip.compress(b"\n\x00" * (4 * MB)), "fields without content"),
}

# Runs a command and prints its largest memory in kB: a child of the test's own process would have that of the test.
MEASURED = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(status)
"""

HEAD = "AWSTemplateFormatVersion: '2010-09-09'\nTransform: AWS::Serverless-2016-10-31\n"
FUNCTION = (
    "Resources:\n  One:\n    Type: AWS::Serverless::Function\n    Properties:\n"
    "      Runtime: python3.12\n      Handler: app.handler\n      CodeUri: src/\n"
)
ALIASES = "".join(
    f"  a{level}: &a{level} [{', '.join([f'*a{level - 1}' if level else 'x'] * 9)}]\n" for level in range(10)
)

# Templates by name: the text, and a part of what `adopt` says of it, empty if it is adopted.
TEMPLATES: Mapping[str, tuple[str, str]] = {
    "aliases of aliases": (f"{HEAD}Metadata:\n{ALIASES}{FUNCTION}", "more than 100,000 values"),
    "an alias in itself": (f"{HEAD}{FUNCTION}Metadata: &m\n  a: *m\n", "more than 100,000 values"),
    "a chain of merge keys": (
        HEAD
        + FUNCTION
        + "Metadata:\n  m0: &m0 {A: b}\n"
        + "".join(f"  m{number}: &m{number}\n    <<: *m{number - 1}\n" for number in range(1, 5000)),
        "more than 100,000 values",
    ),
    "merge keys": (
        f"{HEAD}Metadata:\n  m: &m {{A: b}}\n  n:\n" + "    <<: *m\n" * 20_000 + FUNCTION,
        "'<<' is defined twice",
    ),
    "a merge of many": (
        f"{HEAD}Metadata:\n  m: &m {{A: b}}\n  n:\n    <<: [{', '.join(['*m'] * 20_000)}]\n{FUNCTION}",
        "",
    ),
    "open references": (f"{HEAD}{FUNCTION}      Description: !Sub '{'${' * 20_000}'\n", ""),
    "references": (f"{HEAD}{FUNCTION}      Description: !Sub '{'${One}' * 20_000}'\n", ""),
    "lists in lists": (f"{HEAD}{FUNCTION}Metadata: {'[' * 5000}{']' * 5000}\n", "nested too deeply"),
    "a long text": (f"{HEAD}Description: {'x' * 5_000_000}\n{FUNCTION}", "longer than 4,194,304"),
    "many functions": (
        f"{HEAD}Resources:\n"
        + "".join(
            f"  F{number}: {{Type: 'AWS::Serverless::Function', Properties: {{Handler: a.h, InlineCode: x}}}}\n"
            for number in range(5000)
        ),
        "5,000 resources, and CloudFormation takes 500 in a template",
    ),
}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The paths of the hostile files, of a good one and of a device."""
    folder = tmp_path_factory.mktemp("corpus")
    for name, (make, _) in TRACE_FILES.items():
        (folder / name).write_bytes(make())
    (folder / "good").write_text("".join(dump_line(trace.spans) for trace in hundred()))
    return [*sorted(map(str, folder.iterdir())), "/dev/zero"]


def measured(*arguments: str) -> tuple[int, bytes, str, int]:
    """Run a command; return its status, its output, its errors and its largest memory in kB."""
    command = [sys.executable, "-c", MEASURED, sys.executable, "-m", "lambda_latency", *arguments]
    done = subprocess.run(command, capture_output=True, check=False)
    errors, _, kilobytes = done.stderr.decode().rstrip().rpartition("\n")
    return done.returncode, done.stdout, errors, int(kilobytes)


def test_a_report_of_hostile_files_says_of_each_why_it_is_not_read(corpus: list[str]) -> None:
    """In one process with at most 300 MB; the requests of the file among them are reported."""
    status, printed_report, _, kilobytes = measured("report", "--format", "json", *corpus)
    report = json.loads(printed_report)
    reasons = {"/dev/zero": "a device, not a file"} | {name: reason for name, (_, reason) in TRACE_FILES.items()}
    actual: dict[str, str] = {}
    for problem in report["problems"]:
        name = problem["source"].removeprefix(f"{Path(corpus[0]).parent}/")
        actual[name] = f"{actual.get(name, '')} {problem['reason']}"
    differing = {name: actual.get(name) for name, reason in reasons.items() if reason not in actual.get(name, "")}
    assert (status, differing, report["requests"]) == (4, {}, 120)
    assert kilobytes < 300 * 1024


def test_an_archive_takes_what_can_be_read_of_hostile_files(corpus: list[str], tmp_path: Path) -> None:
    """Within the same memory, and says what it skips."""
    where = tmp_path / "archive"
    status, printed_line, errors, kilobytes = measured("archive", "add", *corpus, "--archive", str(where), "-q")
    assert (status, printed_line.startswith(f"{where}: 120 traces with ".encode())) == (4, True)
    assert ("a device, not a file" in errors, "more parts were skipped" in errors, "Traceback" in errors) == (
        True,
        True,
        False,
    )
    assert kilobytes < 300 * 1024


def test_an_agent_is_told_why_a_hostile_file_is_not_read(tmp_path: Path) -> None:
    """Of every fourth of them, by one server, which then answers about a good file."""
    names = [*list(TRACE_FILES)[::4], "good"]
    for name in names[:-1]:
        (tmp_path / name).write_bytes(TRACE_FILES[name][0]())
    (tmp_path / "good").write_text("".join(dump_line(trace.spans) for trace in hundred()))
    calls = [
        request(number, "tools/call", name="why_slow", arguments={"source": name}) for number, name in enumerate(names)
    ]
    results = [answer["result"] for answer in served(tmp_path, *calls)]
    texts = [result["content"][0]["text"] for result in results]
    assert [result["isError"] for result in results] == [True, True, True, True, True, False]
    assert [
        name for name, text in zip(names, texts, strict=True) if name != "good" and TRACE_FILES[name][1] not in text
    ] == []


@pytest.mark.parametrize(
    "text", ["x=a" + ".b" * 100_000, "x=" + "-" * 200_000 + "1", "x=" + "(" * 100_000 + ")" * 100_000, "x=1\n" * 4**10]
)
def test_a_hostile_source_is_left_out(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By doctor: what Python cannot parse, or is too large, has no finding."""
    (tmp_path / "app.py").write_text(text)
    (tmp_path / "template.yaml").write_text(HEAD + FUNCTION.replace("src/", "."))
    monkeypatch.chdir(tmp_path)
    assert main(["doctor"]) == 0
    assert "nothing-traced" in capsys.readouterr().out


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_hostile_template_is_read_or_refused_with_a_reason(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By doctor and adopt alike; a pipe among the sources is not waited for."""
    text, reason = TEMPLATES[name]
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text("def handler(event, context):\n    return 1\n")
    os.mkfifo(tmp_path / "src" / "pipe.py")
    (tmp_path / "template.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    for command in (["doctor"], ["adopt", "--vendor", "--region", "eu-west-1"]):
        status = main(command)
        printed = capsys.readouterr()
        assert reason in printed.out + printed.err
        if not reason:
            assert status == 0


@pytest.mark.parametrize("folder", ["src", "."])
def test_large_requirements_are_not_read(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beside a function they are a mistake; above its folder nothing depends on them."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text("def handler(event, context):\n    return 1\n")
    (tmp_path / folder / "requirements.txt").write_text("aws-xray-sdk==2.14\n" * 300_000)
    (tmp_path / "template.yaml").write_text(HEAD + FUNCTION)
    monkeypatch.chdir(tmp_path)
    status, printed = main(["adopt", "--vendor", "--region", "eu-west-1"]), capsys.readouterr()
    said = "lambda-latency: src/requirements.txt is longer than 4,194,304 bytes\n  make it smaller\n"
    assert (status, printed.err, "X-Ray SDK" in printed.out) == (
        (1, said, False) if folder == "src" else (0, "", False)
    )
