"""What the kernel says about a process."""

import time
from collections.abc import Callable
from pathlib import Path


def is_gone(pid: int) -> bool:
    """Whether no such process runs; one that ended and was not waited for is gone as well."""
    return _state(pid) in ("", "Z", "X")


def is_stopped(pid: int) -> bool:
    """Whether it is frozen."""
    return _state(pid) == "T"


def until(true: Callable[[], bool], limit_s: float = 20) -> bool:
    """Whether it becomes true before the limit."""
    end = time.monotonic() + limit_s
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):  # the second where it goes between open and read
        return ""
