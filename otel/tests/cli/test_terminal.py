"""What a terminal shows: how far a report has come, and the lines of `serve`, which several threads print."""

import io
import re
import sys
from pathlib import Path

import pytest

from lab.generate import realistic
from lambda_latency.cli.laptop import print_line, tell
from lambda_latency.cli.terminal import ProgressBar
from lambda_latency.latency.loading.load import load
from lambda_latency.latency.loading.progress import Progress
from lambda_latency.trace import find_sources


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


class Heard(Progress):
    """The stages, each with its size and with what was done of it."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, int, int]] = []

    def stage(self, name: str, size: int) -> None:
        self.stages.append((name, size, 0))

    def step(self, size: int) -> None:
        name, whole, done = self.stages[-1]
        self.stages[-1] = (name, whole, done + size)


def test_all_bytes_are_told_in_each_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In memory, and on disk by any number of processes."""
    monkeypatch.setattr("lambda_latency.latency.loading.spilling.PIECE", 20_000)
    for number in range(3):
        (tmp_path / f"{number}.jsonl").write_text("".join(realistic(10 + number)))
    sources = find_sources([tmp_path, tmp_path / "none.jsonl"], [])
    size = sum(file.stat().st_size for file in tmp_path.iterdir())
    for processes in (None, 1, 2):
        if processes is not None:
            monkeypatch.setattr("lambda_latency.latency.loading.load.IN_MEMORY", 0)
        heard = Heard()
        load(sources, [], heard, processes=processes)
        reading, *judging = heard.stages
        assert reading == ("reading", size, size)
        assert [(name, done == whole, size - whole < 2) for name, whole, done in judging] == [
            ("judging", True, True)
        ] * (processes is not None)


def test_a_bar_is_shown_of_long_work_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """From some moment on, each stage from its beginning; at the end nothing is left of it."""
    seconds = [0.0]
    out = Terminal()
    monkeypatch.setattr(sys, "stderr", out)
    for name, value in (("COLUMNS", "80"), ("TERM", "xterm"), ("TTY_COMPATIBLE", "1"), ("TTY_INTERACTIVE", "1")):
        monkeypatch.setenv(name, value)
    bar = ProgressBar(clock=lambda: seconds[0])
    bar.stage("reading", 2_000_000)
    bar.step(500_000)
    assert out.getvalue() == ""
    seconds[0] = 1.0
    bar.step(500_000)
    bar.stage("judging", 4_000_000)
    bar.step(3_000_000)
    bar.close()
    bar.step(1_000_000)
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", out.getvalue())
    shown = [" ".join(re.sub("[━╸╺]+", "", line).split()) for line in re.split("[\r\n]+", plain) if line.strip()]
    assert shown[-1] == "judging 3.0/4.0 MB -:--:--"
    assert out.getvalue().endswith("\x1b[2K")


def test_no_bar_where_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Into a file, however long it takes."""
    seconds = [0.0]
    out = io.StringIO()
    monkeypatch.setattr(sys, "stderr", out)
    bar = ProgressBar(clock=lambda: seconds[0])
    seconds[0] = 100.0
    bar.stage("reading", 10)
    bar.step(10)
    bar.close()
    assert out.getvalue() == ""


def test_a_line_is_written_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread's can come before it or behind it, and not between its text and its end."""
    written: list[str] = []

    class Output(io.StringIO):
        def write(self, text: str) -> int:
            written.append(text)
            return len(text)

    monkeypatch.setattr(sys, "stdout", Output())
    monkeypatch.setattr(sys, "stderr", Output())
    print_line("Greet", "hello")
    tell("left out")
    assert [text for text in written if text] == ["Greet: hello\n", "left out\n"]
