"""What a command leaves behind: processes, listening ports, temporary folders."""

from __future__ import annotations

import contextlib
import socket
import tempfile
from pathlib import Path
from typing import Any

from tests.sandbox.state import is_gone, until

__all__ = ["Footprint"]


class Footprint:
    """The descendants of a process and the ports they listen on, as seen now; later, what is left of them."""

    def __init__(self, pid: int) -> None:
        self.pids = [pid, *_descendants(pid)]
        self.ports = sorted({port for one in self.pids for port in _ports(one)})
        self.folders = _folders()

    def left(self) -> dict[str, list[Any]]:
        """What is still there although the command has ended; given two seconds to go."""
        # A process counts as gone when its first thread is; the others may hold its ports a little longer.
        until(lambda: all(map(is_gone, self.pids)) and not any(map(_answers, self.ports)), 2)
        return {
            "processes": [_command(pid) for pid in self.pids if not is_gone(pid)],
            "ports": [port for port in self.ports if _answers(port)],
            "folders": sorted(_folders() - self.folders),
        }


def _descendants(pid: int) -> list[int]:
    children = []
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError):  # a thread that has ended meanwhile
            children += [int(child) for child in (thread / "children").read_text().split()]
    return [one for child in children for one in (child, *_descendants(child))]


def _ports(pid: int) -> list[int]:
    sockets = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            sockets.add(str(link.readlink()))
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [int(row[1].split(":")[1], 16) for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets]


def _answers(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")


def _folders() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob("lambda-latency-*"))
