"""The command under measurement: its addresses, its processor time and its memory, as Linux counts them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType

TICKS = os.sysconf("SC_CLK_TCK")


class Command:
    """`lambda-latency live` on free ports, from `with` until its end."""

    def __init__(self) -> None:
        command = [sys.executable, "-u", "-m", "lambda_latency", "live", "--otlp-port", "0"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.page = self._process.stdout.readline().split()[1]
        match = re.search(r"http://\S+\d", self._process.stdout.readline())
        assert match is not None
        self.otlp = match[0]

    def __enter__(self) -> Command:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait(20)
        assert self._process.stdout is not None
        self._process.stdout.close()

    @property
    def page_port(self) -> int:
        return int(self.page.split(":")[2].split("/")[0])

    def processor_s(self) -> float:
        """The processor time of all its threads."""
        cells = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(cells[11]) + int(cells[12])) / TICKS

    def memory_mb(self) -> float:
        """The most memory that it had."""
        match = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii"))
        assert match is not None
        return int(match[1]) / 1024
