"""What a command leaves behind: processes, listening ports, temporary folders."""

import contextlib
import os
import socket
from pathlib import Path
from typing import Any

from tests.sandbox.state import is_gone, until


def own_temporary(folder: Path) -> dict[str, str]:
    """The variables of a process whose temporary files are nobody else's, for a `Footprint` of it."""
    folder.mkdir()
    return {**os.environ, "TMPDIR": str(folder)}


class Footprint:
    """The descendants of a process and the ports they listen on, as seen now; later, what is left of them.

    The process was given `own_temporary`: in a folder that others share, what is new may be theirs.
    """

    def __init__(self, pid: int) -> None:
        self.pids = [pid, *_descendants(pid)]
        self.ports = sorted({port for one in self.pids for port in _ports(one)})
        self._temporary = _temporary(pid)

    def left(self) -> dict[str, list[Any]]:
        """What is still there although the command has ended; given two seconds to go."""
        # A process counts as gone when its first thread is; the others may hold its ports a little longer.
        until(lambda: all(map(is_gone, self.pids)) and not any(map(_answers, self.ports)) and not self._files(), 2)
        return {
            "processes": [_command(pid) for pid in self.pids if not is_gone(pid)],
            "ports": [port for port in self.ports if _answers(port)],
            "folders": self._files(),
        }

    def _files(self) -> list[Path]:
        return sorted(self._temporary.iterdir())


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


def _temporary(pid: int) -> Path:
    variables = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return Path(next(one for one in variables if one.startswith("TMPDIR=")).removeprefix("TMPDIR="))
