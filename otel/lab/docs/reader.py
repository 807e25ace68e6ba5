"""A reader of a page: an environment with the wheel, the folders that a page supposes, and a shell."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lab.commands import ROOT
from lab.docs.blocks import TRACE_ID, Block, missing_line

LIMIT_S = 600
UV = Path(sys.executable).with_name("uv")
# pip would load half a gigabyte anew for each environment. uv does the same from its cache.
PIP = f'#!/bin/sh\nexec "{UV}" pip "$@"\n'


class WrongError(Exception):
    """A block did not do what the page says."""


@dataclass(slots=True)
class Reader:
    """Where a page is followed: `folder` is where the next block runs; `started` are the commands that go on."""

    home: Path
    folder: Path
    started: list[tuple[subprocess.Popen[str], threading.Thread]] = field(default_factory=list)

    def follow(self, block: Block) -> None:
        """Do what a block says. Raises `WrongError` with what was printed in place of what the page says."""
        if block.annotations.get("in") == "checkout":
            self.folder = _checkout(self.home)
        if "before" in block.annotations:
            self._run(block.annotations["before"], 0)
        if "file" in block.annotations:
            path = self.folder / block.annotations["file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, "utf-8")
        elif "until" in block.annotations:
            self._start(block.text, block.annotations["until"])
        else:
            command = block.text if block.language == "sh" else f"python - <<'PROGRAM'\n{block.text}PROGRAM\n"
            if "ids" in block.annotations:
                command = TRACE_ID.sub(self._first_id(block.annotations["ids"]), command)
            printed = self._run(command, int(block.annotations.get("status", 0)))
            line = missing_line(block.output, printed)
            if line is not None:
                raise WrongError(f"the page shows the line\n  {line}\nbut the block printed\n{_quoted(printed)}")

    def _first_id(self, command: str) -> str:
        """The first trace id that a command prints."""
        printed = self._run(command, 0)
        match = TRACE_ID.search(printed)
        if match is None:
            raise WrongError(f"{command} prints no trace id:\n{_quoted(printed)}")
        return match[0]

    def _run(self, command: str, status: int) -> str:
        """The output of a shell command; the next one begins in the folder that it ends in."""
        where = self.home / "folder"
        script = f"set -e\ntrap 'pwd > \"{where}\"' EXIT\n{command}"
        try:
            done = subprocess.run(
                ["bash", "-c", script], cwd=self.folder, env=self._environ(), stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, check=False, timeout=LIMIT_S,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise WrongError(f"it goes on after {LIMIT_S} s: `until TEXT` lets the page go on, too") from None
        self.folder = Path(where.read_text().strip())
        if done.returncode != status:
            raise WrongError(f"status {done.returncode}, not {status}:\n{_quoted(done.stdout)}")
        return done.stdout

    def _start(self, command: str, text: str) -> None:
        """Start a command that goes on; returns when it has printed the text."""
        process = subprocess.Popen(
            ["bash", "-c", f"exec {command}"], cwd=self.folder, env=self._environ(), stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        printed: list[str] = []
        has_printed = threading.Event()
        reading = threading.Thread(target=_drain, args=(process, text, printed, has_printed))
        reading.start()
        self.started.append((process, reading))
        has_printed.wait(LIMIT_S)
        if not any(text in line for line in printed):
            raise WrongError(f"it has not printed {text!r}:\n{_quoted(''.join(printed))}")

    def _environ(self) -> dict[str, str]:
        base = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PYTEST", "VIRTUAL"))}
        path = os.pathsep.join([str(self.home / "programs"), str(self.home / "venv" / "bin"), os.environ["PATH"]])
        return {**base, "PATH": path, "VIRTUAL_ENV": str(self.home / "venv"), "NO_COLOR": "1", "COLUMNS": "100"}


def prepare(home: Path, wheel: Path, extras: str) -> None:
    """Make an environment with the wheel and its extras, and the example app, in a folder."""
    (home / "programs").mkdir(parents=True)
    pip = home / "programs" / "pip"
    pip.write_text(PIP)
    pip.chmod(0o755)
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, home / "venv"], check=True)
    package = f"{wheel}[{extras}]" if extras else str(wheel)
    subprocess.run([UV, "pip", "install", "--quiet", "--python", home / "venv" / "bin" / "python", package], check=True)
    subprocess.run([home / "venv" / "bin" / "lambda-latency", "init", home / "app"], check=True, capture_output=True)


@contextmanager
def reading(home: Path) -> Iterator[Reader]:
    """A reader in the example app of a prepared folder; at the end its commands get Ctrl-C."""
    reader = Reader(home, home / "app")
    try:
        yield reader
    finally:
        for process, reading in reader.started:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
            reading.join()


def _drain(process: subprocess.Popen[str], text: str, printed: list[str], has_printed: threading.Event) -> None:
    """Read what a process prints until it ends, so that it never waits for a reader; tell when the text has come."""
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            printed.append(line)
            if text in line:
                has_printed.set()
    has_printed.set()


def _checkout(home: Path) -> Path:
    """A copy of what this checkout has under version control, in a folder whose name has a space."""
    folder = home / "a checkout"
    if not folder.exists():
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
    return folder


def _quoted(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines()[-40:])
