"""What a thread waits for, by the system call that it is in: Linux tells a process about its own threads."""

from __future__ import annotations

import os
import stat
import threading

__all__ = ["waits_for"]

NUMBERS = {  # of system calls on x86-64 and on arm64
    "lock": ((202,), (98,)),
    "sleep": ((35, 230), (101, 115)),
    "network": ((7, 42, 43, 44, 45, 47, 232, 271, 281, 288), (22, 73, 202, 203, 206, 207, 212, 242)),
    "process": ((61, 247), (95, 260)),
    "file": ((2, 73, 74, 75, 257), (32, 56, 82, 83)),
    "select": ((23, 270), (72,)),
    "read": ((0, 1, 17, 18, 19, 20), (63, 64, 65, 66, 67, 68)),  # or write
}
MACHINES = ["x86_64", "aarch64", os.uname().machine]
CALLS = {number: kind for kind, both in NUMBERS.items() for number in (*both, ())[MACHINES.index(MACHINES[2])]}


def waits_for(thread: int) -> str:
    """`lock`, `sleep`, `file`, `network` or `process`; empty if it is unknown, or if the thread is running."""
    try:
        native = threading._active[thread].native_id  # type: ignore[attr-defined]
        with open(f"/proc/self/task/{native}/syscall") as file:  # noqa: PTH123 - pathlib takes twice as long
            call, first, *_ = file.read(64).split()  # one word if it is running
        kind = CALLS.get(int(call), "")
        if kind == "select":  # without files, it is `time.sleep` of Python 3.10
            return "network" if int(first, 16) else "sleep"
        if kind == "read":
            mode = os.fstat(int(first, 16)).st_mode
            return "network" if stat.S_ISSOCK(mode) else "process" if stat.S_ISFIFO(mode) else "file"
    except (AttributeError, KeyError, OSError, ValueError):
        return ""
    return kind
