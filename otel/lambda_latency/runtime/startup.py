"""The init of an environment: the start of its process, the end of the init, and the slowest imports."""

from __future__ import annotations

import os
import sys
import time
from threading import get_ident
from types import FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.util.types import AttributeValue

MOST = 10  # imports on the span
KINDS = {"provisioned-concurrency": "provisioned", "snap-start": "restored"}  # by AWS_LAMBDA_INITIALIZATION_TYPE


class Startup:
    """The init of this environment; after a restore, the restore, because the init may be days ago."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.name = "init"
        self.start_ns = process_start_ns()
        self.end_ns = 0
        self._kind = KINDS.get(environ.get("AWS_LAMBDA_INITIALIZATION_TYPE", ""), "cold")
        self._imports = ImportTimes()
        self._imports.start()
        self._slowest: list[str] = []

    @property
    def is_early(self) -> bool:
        """Whether the init runs before a request needs it: nobody waits for it."""
        return self._kind != "cold"

    def loading(self, module: str) -> None:
        """The import of the handler begins."""
        self._imports.outermost(module)

    def loaded(self) -> None:
        """The import of the handler has ended."""
        self._imports.stop()
        self._slowest = self._imports.slowest()
        self.ready()

    def restored(self) -> None:
        """A restored copy of this process starts to run."""
        self.name, self.start_ns, self._slowest = "restore", time.time_ns(), []
        self.ready()

    def ready(self) -> None:
        """The environment is ready for requests."""
        self.end_ns = time.time_ns()

    @property
    def attributes(self) -> dict[str, AttributeValue]:
        """The attributes of the span."""
        found: dict[str, AttributeValue] = {"lambda.init.type": self._kind}
        if self._slowest:
            found["lambda.init.imports"] = self._slowest
        return found


class ImportTimes:
    """The self time of each import, measured at the same place as by `python -X importtime`."""

    def __init__(self) -> None:
        self.self_ns: dict[str, int] = {}
        self._nested_ns = 0
        self._outermost = "", 0, 0
        self._thread = get_ident()
        self._importlib: dict[str, Any] = vars(sys.modules["_frozen_importlib"])
        original, by_name = self._importlib["_find_and_load"], self._importlib["_gcd_import"]
        # `importlib.import_module` keeps the original function: its stacks show all of Python's own frames.
        globals_ = {**self._importlib, "_find_and_load": original}
        asked = FunctionType(by_name.__code__, globals_, by_name.__name__, by_name.__defaults__)
        self._replaced = {"_find_and_load": (original, self._timed(original)), "_gcd_import": (by_name, asked)}

    def start(self) -> None:
        """Start to measure the imports of this thread."""
        for name, (_, ours) in self._replaced.items():
            self._importlib[name] = ours

    def outermost(self, module: str) -> None:
        """Measure the import of the module `module` too, from now to `stop`."""
        self._outermost = module, time.perf_counter_ns(), self._nested_ns

    def stop(self) -> None:
        """Stop measuring, and restore the functions that were not wrapped again."""
        module, begin, nested_ns = self._outermost
        if module:
            self.self_ns[module] = time.perf_counter_ns() - begin - (self._nested_ns - nested_ns)
        self._thread = 0
        for name, (original, ours) in self._replaced.items():
            if self._importlib[name] is ours:
                self._importlib[name] = original

    def slowest(self) -> list[str]:
        """The slowest imports, slowest first: `botocore.session 31.2 ms`."""
        ordered = sorted(self.self_ns, key=self.self_ns.__getitem__, reverse=True)[:MOST]
        return [f"{name} {self.self_ns[name] / 1e6:.1f} ms" for name in ordered]

    def _timed(self, original: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
        clock = time.perf_counter_ns

        def _find_and_load(name: str, import_: Any) -> Any:
            if get_ident() != self._thread:
                return original(name, import_)
            outer, self._nested_ns = self._nested_ns, 0
            begin = clock()
            try:
                return original(name, import_)
            finally:
                took = clock() - begin
                self.self_ns[name] = took - self._nested_ns
                self._nested_ns = outer + took

        # Python removes frames of its own file from the stack of a failed import, so the stack is as without the kit.
        code = _find_and_load.__code__.replace(co_filename=original.__code__.co_filename)
        _find_and_load.__code__ = code
        return _find_and_load


def process_start_ns() -> int:
    """The start of this process in nanoseconds since 1970; now, if the kernel does not tell it.

    The kernel's value has steps of 10 ms. The process has run and waited for a processor since its start, which bounds
    the start from above.
    """
    now = time.time_ns()
    try:
        ticks = int(told("/proc/self/stat").rpartition(b")")[2].split()[19])
        ran, waited = map(int, told("/proc/self/schedstat").split()[:2])
    except (OSError, ValueError, IndexError):
        return now
    step = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    earliest = now - time.clock_gettime_ns(time.CLOCK_BOOTTIME) + ticks * step
    return min(max(now - ran - waited, earliest), earliest + step)


def told(path: str) -> bytes:
    """The content of a file of the kernel, without `pathlib`, whose import would cost the cold start."""
    with open(path, "rb") as file:  # noqa: PTH123
        return file.read()
