"""The handler in a process that callgrind counts: it tells when each import, the set-up and the first request begin.

Callgrind writes its counters into its log at each of these marks, the first of them into the file `MARKS` too. Garbage
is not collected: when that happens says nothing about the module that is imported just then.
"""

from __future__ import annotations

import ctypes
import gc
import mmap
import os
import sys
from importlib import import_module
from threading import get_ident
from typing import Any

__all__ = ["handler"]

# A client request to valgrind on x86-64, as a function of the request's address: the address into rax, 0 into rdx, four
# rotations that come to nothing and an exchange of a register with itself, by which valgrind knows it.
# https://valgrind.org/docs/manual/manual-core-adv.html#manual-core-adv.clientreq
CODE = bytes.fromhex("4889f8 4831d2 48c1c703 48c1c70d 48c1c73d 48c1c733 4887db 4889d0 c3")
MONITOR_COMMAND = 0x1202

page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(CODE)
ask = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_void_p)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
command = ctypes.create_string_buffer(b"status internal")
request = (ctypes.c_uint64 * 6)(MONITOR_COMMAND, ctypes.addressof(command))
address = ctypes.addressof(request)
marks: list[str] = []


def mark(what: str) -> None:
    """Have the counters written; its own price is the distance between the first two marks."""
    ask(address)
    marks.append(what)


def watch_imports() -> None:
    """Of this thread, at the place where `python -X importtime` does."""
    importlib: dict[str, Any] = vars(sys.modules["_frozen_importlib"])
    original, this = importlib["_find_and_load"], get_ident()

    def _find_and_load(name: str, import_: Any) -> Any:
        if get_ident() != this:
            return original(name, import_)
        mark(f"> {name}")
        try:
            return original(name, import_)
        finally:
            mark(f"< {name}")

    importlib["_find_and_load"] = _find_and_load


gc.disable()
for _ in range(3):  # bench.cost.remains.PRICE
    mark("price")
watch_imports()
mark("> set-up")
where, attribute = os.environ["OBSERVED"].rsplit(".", 1)
observed = getattr(import_module(where), attribute)
mark("< set-up")


def handler(event: Any, context: Any) -> Any:
    """The same."""
    mark("> first request")
    try:
        return observed(event, context)
    finally:
        mark("< first request")
        with open(os.environ["MARKS"], "w") as file:  # noqa: PTH123 - pathlib may be one of those that count
            file.write("\n".join(marks))
