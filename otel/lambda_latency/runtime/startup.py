"""What an environment did before its first request: when its process began, when it was ready, and what it imported."""

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

__all__ = ["ImportTimes", "Startup"]

MOST = 10  # imports that are named
KINDS = {"provisioned-concurrency": "provisioned", "snap-start": "restored"}  # of AWS_LAMBDA_INITIALIZATION_TYPE


class Startup:
    """The init of this environment. After a restore it is that: the init itself may lie days back."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.name = "init"
        self.start_ns = process_start_ns()
        self.end_ns = 0
        self._kind = KINDS.get(environ.get("AWS_LAMBDA_INITIALIZATION_TYPE", ""), "cold")
        self._imports = ImportTimes()
        self._imports.start()
        self._slowest: list[str] = []

    def loading(self, module: str) -> None:
        """The handler is imported next."""
        self._imports.outermost(module)

    def loaded(self) -> None:
        """The handler is imported."""
        self._imports.stop()
        self._slowest = self._imports.slowest()
        self.ready()

    def restored(self) -> None:
        """A snapshot of this process begins to run again."""
        self.name, self.start_ns, self._slowest = "restore", time.time_ns(), []
        self.ready()

    def ready(self) -> None:
        """Requests may come."""
        self.end_ns = time.time_ns()

    @property
    def attributes(self) -> dict[str, AttributeValue]:
        """Of its span."""
        found: dict[str, AttributeValue] = {"lambda.init.type": self._kind}
        if self._slowest:
            found["lambda.init.imports"] = self._slowest
        return found


class ImportTimes:
    """The self time of each import, as `python -X importtime` measures it: at the same place."""

    def __init__(self) -> None:
        self.self_ns: dict[str, int] = {}
        self._nested_ns = 0
        self._outermost = "", 0, 0
        self._thread = get_ident()
        self._importlib: dict[str, Any] = vars(sys.modules["_frozen_importlib"])
        original, by_name = self._importlib["_find_and_load"], self._importlib["_gcd_import"]
        # `importlib.import_module` goes on as it does, for stacks of what it imports show all of Python's own frames.
        globals_ = {**self._importlib, "_find_and_load": original}
        asked = FunctionType(by_name.__code__, globals_, by_name.__name__, by_name.__defaults__)
        self._replaced = {"_find_and_load": (original, self._timed(original)), "_gcd_import": (by_name, asked)}

    def start(self) -> None:
        """Measure what this thread imports from here on."""
        for name, (_, ours) in self._replaced.items():
            self._importlib[name] = ours

    def outermost(self, module: str) -> None:
        """Measure what is imported by name from here to `stop`, too."""
        self._outermost = module, time.perf_counter_ns(), self._nested_ns

    def stop(self) -> None:
        """Leave it as it was, unless somebody has wrapped it since."""
        module, begin, nested_ns = self._outermost
        if module:
            self.self_ns[module] = time.perf_counter_ns() - begin - (self._nested_ns - nested_ns)
        self._thread = 0
        for name, (original, ours) in self._replaced.items():
            if self._importlib[name] is ours:
                self._importlib[name] = original

    def slowest(self) -> list[str]:
        """The slowest first: `botocore.session 31.2 ms`."""
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

        # Python leaves frames of its own file out of the stack of an import that fails, and so it reads as without us.
        code = _find_and_load.__code__.replace(co_filename=original.__code__.co_filename)
        _find_and_load.__code__ = code
        return _find_and_load


def process_start_ns() -> int:
    """When this process began, in nanoseconds since 1970; now, where the kernel does not say it.

    The kernel tells it in steps of 10 ms. What the process has used of a processor, and waited for one, tells when it
    began at the latest: at a start it does little else.
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
    """What the kernel says in this file. By hand: `pathlib` is an import of its own at a cold start."""
    file = os.open(path, os.O_RDONLY)
    try:
        return os.read(file, 4096)
    finally:
        os.close(file)
