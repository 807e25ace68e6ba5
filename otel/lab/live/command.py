"""The command under measurement: its addresses, its processor time and its memory, as Linux counts them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

TICKS = os.sysconf("SC_CLK_TCK")


class Command:
    """`lambda-latency live` on free ports, from `with` until its end."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-u", "-m", "lambda_latency", "live", "--otlp-port", "0", *arguments]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.page = self._process.stdout.readline().split()[1]
        found = re.search(r"http://\S+\d", self._process.stdout.readline())
        assert found is not None
        self.otlp = found[0]

    def __enter__(self) -> Command:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        if self._process.poll() is None:
            self.end(signal.SIGINT)
        assert self._process.stdout is not None
        self._process.stdout.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def page_port(self) -> int:
        return int(self.page.split(":")[2].split("/")[0])

    def end(self, number: signal.Signals) -> tuple[int, float]:
        """Send a signal; returns the exit status, and the seconds until the end."""
        begun = time.monotonic()
        self._process.send_signal(number)
        return self._process.wait(20), time.monotonic() - begun

    def processor_s(self) -> float:
        """The processor time of all its threads."""
        cells = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(cells[11]) + int(cells[12])) / TICKS

    def memory_mb(self) -> float:
        """The most memory that it had."""
        found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{self.pid}/status").read_text(encoding="ascii"))
        assert found is not None
        return int(found[1]) / 1024
