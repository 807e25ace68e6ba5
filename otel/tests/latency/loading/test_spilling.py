"""Input beyond memory: the report does not depend on processes or order, and nothing remains on the disk."""

import io
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab.generate import realistic
from lambda_latency.cli.commands.report import run_report
from lambda_latency.cli.request import Request
from lambda_latency.latency import AnalysisOptions, Owners
from lambda_latency.latency.breakdowns.choice import ReportError
from lambda_latency.latency.loading import spilling
from lambda_latency.latency.loading.load import load
from lambda_latency.text import Style
from lambda_latency.trace import LineIndex, Source, dump_line, find_sources, find_traces
from lambda_latency.trace.files.blocks import blocks, count_lines, texts
from tests.disk import run_on_full_disk
from tests.latency.generated import hundred
from tests.latency.generated import load as every_kind
from tests.latency.system import attempts, put_item, request
from tests.trace.build import MS, tree

RETRIED = "6b05a667affeb9dbb0aa7f2b000000ff"
BROKEN = '{"resourceSpans": [{"scopeSpans": 7}]}\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Traces in lines far apart over several files, with timeouts, broken lines and other formats."""
    made = list(realistic(60))
    call = put_item(20, 120, more={"retry_attempts": 1}, events=attempts((30, 50), (118, None)))
    retried = tree(request(call, end=200), unit=MS, trace_id=RETRIED)
    lines = [dump_line([span]) for trace in [*every_kind(), *hundred()[:20], retried] for span in trace.spans]
    random.Random(1).shuffle(lines)  # noqa: S311 - a repeatable seed
    (tmp_path / "a.jsonl").write_text("".join([*made[:100], BROKEN, *lines[::2]]))
    (tmp_path / "b.jsonl").write_text("".join([*made[100:], *lines[1::2], "{cut"]))
    (tmp_path / "c.json").write_text(json.dumps(json.loads(made[0]), indent=1))
    golden = Path(__file__).parents[2] / "golden" / "xray"
    for number, file in enumerate(sorted(golden.glob("*.json"))[:3]):
        (tmp_path / f"d{number}.json").write_bytes(file.read_bytes())
    return tmp_path


def _json(*sources: Path | str, processes: int | None = None) -> tuple[int, str]:
    out = io.StringIO()
    terms = AnalysisOptions(owners=Owners(theirs=("*.example.com",)))
    request = Request([*sources], json="-", everything=True, processes=processes, analysis_options=terms)
    return run_report(request, Style(), out), out.getvalue()


def test_neither_processes_nor_the_order_of_files_change_a_byte(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also with small pieces and partitions, so that all processes share the lines."""
    files = sorted(folder.iterdir())
    expected = _json(*files)
    report = json.loads(expected[1])
    assert (expected[0], report["requests"] > 100, len(report["problems"]) > 2) == (4, True, True)
    assert _json(*files[::-1]) == expected
    monkeypatch.setattr("lambda_latency.latency.loading.load.IN_MEMORY", 0)
    monkeypatch.setattr(spilling, "PIECE", 20_000)
    monkeypatch.setattr(spilling, "PARTITION", 50_000)
    for processes in (1, 2, 3):
        mixed = random.Random(processes).sample(files, len(files))  # noqa: S311
        assert _json(*mixed, processes=processes) == expected


def test_windows_line_ends_and_processes_by_spawn_change_nothing(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No worker is a fork, which macOS does not have by default; problems have the same lines."""
    windows = tmp_path_factory.mktemp("windows")
    for file in folder.iterdir():
        (windows / file.name).write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    expected = _json(*sorted(folder.iterdir()))

    def forked() -> int:
        raise AssertionError("a process was forked")

    monkeypatch.setattr(os, "fork", forked)
    monkeypatch.setattr("lambda_latency.latency.loading.load.IN_MEMORY", 0)
    monkeypatch.setattr(spilling, "PIECE", 20_000)
    start_method = multiprocessing.get_start_method(allow_none=True)
    multiprocessing.set_start_method("spawn", force=True)
    try:
        for processes in (1, 3):
            status, report = _json(*sorted(windows.iterdir()), processes=processes)
            assert (status, report.replace(str(windows), str(folder))) == expected
    finally:
        multiprocessing.set_start_method(start_method, force=True)


def test_functions_and_their_callees_are_numbered_by_name(tmp_path: Path) -> None:
    """The numbers do not depend on the order of reading."""
    made = "".join(realistic(20))
    for name, prefix in (("Alter", "6b05a669"), ("Create", "6b05a668")):
        text = made.replace("6b05a667", prefix).replace("CreateOrder", f"{name}Order").replace("stock", f"of{name}")
        (tmp_path / f"{name}.jsonl").write_text(text.replace("payments.example", f"{name.lower()}.example"))
    files = sorted(tmp_path.iterdir())
    expected = _json(*files)
    nodes = [node["name"] for node in json.loads(expected[1])["map"]["nodes"]]
    assert nodes == [
        "AlterOrder",
        "API Gateway",
        "DynamoDB customers",
        "DynamoDB ofAlter",
        "DynamoDB orders",
        "alter.example.com",
        "CreateOrder",
        "DynamoDB ofCreate",
        "create.example.com",
    ]
    assert _json(*files[::-1]) == expected


def test_the_pieces_of_a_file_have_all_its_lines(tmp_path: Path) -> None:
    """For any size of pieces, each line occurs once, with its number in the file."""
    draw = random.Random(3)  # noqa: S311
    path = tmp_path / "t.jsonl"
    path.write_text("".join("x" * draw.randrange(9) + "\n" for _ in range(300)) + "end")
    source, size = Source("t", path), path.stat().st_size
    expected = _lines(source, (0, size))
    for piece in (1, 2, 7, 50, size, size + 1):
        lines = []
        for begin in range(0, size, piece):
            preceding = count_lines(source, begin)
            lines += [(preceding + number, line) for number, line in _lines(source, (begin, begin + piece))]
        assert lines == expected


def _lines(source: Source, between: tuple[int, int]) -> list[tuple[int, bytes]]:
    file_blocks = blocks(texts(source, [], between[0]), between=between)
    return [pair for block in file_blocks for pair in zip(block.numbers, block.lines, strict=True)]


def test_the_index_has_the_traces_of_all_processes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Traces shown in full are found by it, also if the tolerant reader read a line."""
    monkeypatch.setattr(spilling, "PIECE", 20_000)
    good = folder / "good.jsonl"
    good.write_text("".join(realistic(30)))
    sources = find_sources([good, folder / "a.jsonl"], [])
    index, alone = LineIndex(), LineIndex()
    accounts = load(sources, [], index=index, processes=2)
    load(sources, [], index=alone)
    for breakdown in accounts:
        for source in sources:
            assert index.offsets(source, [breakdown.trace_id]) == alone.offsets(source, [breakdown.trace_id])
    assert index.offsets(sources[0], [accounts[0].trace_id]) is not None
    assert index.offsets(sources[1], [accounts[0].trace_id]) is not None
    ids = [RETRIED, accounts[0].trace_id]
    indexed, expected = find_traces(sources, ids, index), find_traces(sources, ids)
    assert {key: trace.spans for key, trace in indexed.items()} == {key: trace.spans for key, trace in expected.items()}
    assert set(indexed) == set(ids)


def test_only_large_input_goes_to_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Input is large above 48 MB; here, above 64 KB."""
    calls: list[int | None] = []

    def spilled(*_: object) -> object:
        calls.append(None)
        raise ReportError("disk", "")

    monkeypatch.setattr("lambda_latency.latency.loading.spilling.load_spilled", spilled)
    sources = find_sources([folder], [])
    load(sources, [])
    assert calls == []
    monkeypatch.setattr("lambda_latency.latency.loading.load.IN_MEMORY", 64 * 1024)
    with pytest.raises(ReportError):
        load(sources, [])


def test_a_full_disk_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has the size that is needed, and the variable for another folder."""
    command = [sys.executable, "-c", FULL, str(folder)]
    for processes in ("1", "2"):
        done = run_on_full_disk([*command, processes], 1000)
        assert done.stdout.startswith("ReportError: /")
        assert (
            "has no room for temporary files: File too large\n  about 1 MB are needed: free some space, or"
            in done.stdout
        )
        assert "TMPDIR" in done.stdout


FULL = """
import sys
from lambda_latency.latency.loading import load as loading
from lambda_latency.latency.breakdowns.choice import ReportError
from lambda_latency.trace import find_sources
loading.IN_MEMORY = 0
try:
    loading.load(find_sources([sys.argv[1]], []), [], processes=int(sys.argv[2]))
except ReportError as error:
    print("ReportError:", error)
"""


def test_a_killed_process_is_an_error(folder: Path) -> None:
    """Linux may kill a process for its memory: the input of the others alone is no report."""
    done = subprocess.run([sys.executable, "-c", ENDED, str(folder)], capture_output=True, text=True, check=False)
    assert done.stdout == "ReportError: a process that read traces was killed\n  run the command again\n"


ENDED = """
import os, signal, sys
from pathlib import Path
from lambda_latency.latency.loading import spilling
from lambda_latency.latency.breakdowns.choice import ReportError
from lambda_latency.latency.loading.load import load
from lambda_latency.latency.loading.progress import Progress
from lambda_latency.trace import find_sources

class End(Progress):
    def step(self, size):
        for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
            os.kill(int(child), signal.SIGKILL)

spilling.PIECE = 20_000
try:
    load(find_sources([sys.argv[1]], []), [], End(), processes=2)
except ReportError as error:
    print("ReportError:", error)
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of 115 MB, which is spilled."""
    path = tmp_path_factory.mktemp("large") / "t.jsonl"
    lines = "".join(realistic(1700))
    with path.open("w") as file:
        for _ in range(6):
            file.write(lines)
    return path


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_signal_leaves_files_or_processes(tmp_path: Path, large: Path, end: signal.Signals) -> None:
    """Killed during spilling: the files have no names, and the workers end with the report's process."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    command = [sys.executable, "-m", "lambda_latency", "report", str(large)]
    environ = {**os.environ, "TMPDIR": str(temporary)}
    running = subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        workers = _wait_for_spilling(running.pid)
        assert list(temporary.iterdir()) == []
        if end is signal.SIGINT:
            os.killpg(running.pid, end)  # as a terminal does
        else:
            running.send_signal(end)
        _, errors = running.communicate(timeout=60)
        assert running.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}[end]
        assert errors.decode() == ""
        deadline = time.monotonic() + 60
        while any(Path(f"/proc/{worker}").exists() for worker in workers):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert list(temporary.iterdir()) == []
    finally:
        running.kill()
        running.wait()


def _wait_for_spilling(pid: int) -> list[int]:
    """The worker processes of a report, as soon as one of them has written to a file without a name."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for process in (pid, *children):
            try:
                held = [fd.stat() for fd in Path(f"/proc/{process}/fd").iterdir() if "(deleted)" in str(fd.readlink())]
            except OSError:
                continue
            if any(status.st_size for status in held):
                return [int(child) for child in children]
        time.sleep(0.01)
    raise AssertionError("nothing was spilled")


def test_standard_input_is_spilled_without_a_name(folder: Path, tmp_path: Path) -> None:
    """Several processes read it, more than once."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    script = (
        "import lambda_latency.latency.loading.load as loading, sys\n"
        "loading.IN_MEMORY = 0\n"
        "from lambda_latency.cli import main\n"
        "sys.exit(main(['report', '-', '--format', 'json']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=(folder / "a.jsonl").read_bytes(),
        env={**os.environ, "TMPDIR": str(temporary)},
        capture_output=True,
        check=False,
    )
    assert json.loads(done.stdout)["sources"] == ["-"]
    assert json.loads(done.stdout)["requests"] == json.loads(_json(folder / "a.jsonl")[1])["requests"]
