"""Finds the process that listens on a port of this machine, on Linux: the reason why the port is not free."""

from __future__ import annotations

import contextlib
from pathlib import Path

TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
LISTENS = "0A"


def owner_of(port: int) -> str:
    """Return the process that listens, such as `otelcol (process 4711)`; empty if the system does not tell."""
    links = {f"socket:[{inode}]" for inode in _inodes(port)}
    if not links:
        return ""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # another user's process, or one that has just ended
            for file in (process / "fd").iterdir():
                with contextlib.suppress(OSError):
                    if str(file.readlink()) in links:
                        name = (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
                        return f"{name} (process {process.name})"
    return ""


def _inodes(port: int) -> list[str]:
    """Return the inodes of the sockets that listen on a port."""
    inodes = []
    for table in TABLES:
        with contextlib.suppress(OSError):
            for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
                edges = line.split()
                if edges[3] == LISTENS and int(edges[1].rpartition(":")[2], 16) == port:
                    inodes.append(edges[9])
    return inodes
