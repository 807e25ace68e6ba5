"""What a thread waits for, by the system call that it is in: Linux tells a process about its own threads."""

from __future__ import annotations

import os
import stat
import threading

__all__ = ["waits_for"]

# Numbers of system calls on x86-64 and on arm64.
CALLS = {
    "lock": ((202,), (98,)),
    "sleep": ((35, 230), (101, 115)),
    "network": ((7, 23, 42, 43, 44, 45, 47, 232, 270, 271, 281, 288), (22, 72, 73, 202, 203, 206, 207, 212, 242)),
    "process": ((61, 247), (95, 260)),
    "file": ((2, 73, 74, 75, 257), (32, 56, 82, 83)),
}
SELECTS = ((23, 270), (72,))  # without files, it is `time.sleep` of Python 3.10
READS = ((0, 1, 17, 18, 19, 20), (63, 64, 65, 66, 67, 68))  # of a file, a socket or a pipe
BY_NUMBER = [{number: name for name, both in CALLS.items() for number in both[at]} for at in (0, 1)]


def waits_for(thread: int) -> str:
    """`lock`, `sleep`, `file`, `network` or `process`; empty if it is unknown, or if the thread is running."""
    which = {"x86_64": 0, "aarch64": 1}.get(os.uname().machine) if hasattr(os, "uname") else None
    one = getattr(threading, "_active", {}).get(thread)
    if which is None or one is None:
        return ""
    try:
        with open(f"/proc/self/task/{one.native_id}/syscall") as file:  # noqa: PTH123 - pathlib takes twice as long
            call, first = [*file.read(64).split(), "", ""][:2]
        if not call.isdecimal():  # it is running
            return ""
        if int(call) in SELECTS[which] and not int(first, 16):
            return "sleep"
        if int(call) in READS[which]:
            mode = os.fstat(int(first, 16)).st_mode
            return "network" if stat.S_ISSOCK(mode) else "process" if stat.S_ISFIFO(mode) else "file"
    except (OSError, ValueError):
        return ""
    return BY_NUMBER[which].get(int(call), "")
