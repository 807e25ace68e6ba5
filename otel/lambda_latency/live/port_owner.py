"""Which process listens on a port of this machine, as Linux tells it: the reason why the port is not free."""

from __future__ import annotations

import contextlib
from pathlib import Path

TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
LISTENS = "0A"


def owner_of(port: int) -> str:
    """The process that listens, such as `otelcol (process 4711)`; empty if the system does not tell."""
    wanted = {f"socket:[{inode}]" for inode in _inodes(port)}
    if not wanted:
        return ""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # another user's process, or one that has just ended
            for file in (process / "fd").iterdir():
                with contextlib.suppress(OSError):
                    if str(file.readlink()) in wanted:
                        name = (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
                        return f"{name} (process {process.name})"
    return ""


def _inodes(port: int) -> list[str]:
    """The inodes of the sockets that listen on a port."""
    found = []
    for table in TABLES:
        with contextlib.suppress(OSError):
            for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
                cells = line.split()
                if cells[3] == LISTENS and int(cells[1].rpartition(":")[2], 16) == port:
                    found.append(cells[9])
    return found
