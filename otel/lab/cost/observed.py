"""The handler in a process under callgrind: it marks the start of each import, of the set-up and of the first request.

At each mark callgrind writes its counters to its log, and `MARKS` is the file with the names of the marks. The garbage
collector is off: the time of a collection is unrelated to the module that is being imported.
"""

import ctypes
import gc
import mmap
import os
import sys
from importlib import import_module
from threading import get_ident
from typing import Any

# A client request to valgrind on x86-64, as a function of the request's address: it moves the address to rax and 0 to
# rdx. Valgrind recognizes four rotations without effect and the exchange of a register with itself.
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


def mark(name: str) -> None:
    """Write the counters; the distance of the first two marks is the cost of a mark."""
    ask(address)
    marks.append(name)


def watch_imports() -> None:
    """Mark the imports of this thread, in the function where `python -X importtime` measures them."""
    importlib: dict[str, Any] = vars(sys.modules["_frozen_importlib"])
    original, thread = importlib["_find_and_load"], get_ident()

    def _find_and_load(name: str, import_: Any) -> Any:
        if get_ident() != thread:
            return original(name, import_)
        mark(f"> {name}")
        try:
            return original(name, import_)
        finally:
            mark(f"< {name}")

    importlib["_find_and_load"] = _find_and_load


gc.disable()
for _ in range(3):  # lab.cost.remains.PRICE
    mark("price")
watch_imports()
mark("> set-up")
where, attribute = os.environ["OBSERVED"].rsplit(".", 1)
observed = getattr(import_module(where), attribute)
mark("< set-up")


def handler(event: Any, context: Any) -> Any:
    """The observed handler, with marks around its first request."""
    mark("> first request")
    try:
        return observed(event, context)
    finally:
        mark("< first request")
        with open(os.environ["MARKS"], "w") as file:  # noqa: PTH123 - importing pathlib would count
            file.write("\n".join(marks))
