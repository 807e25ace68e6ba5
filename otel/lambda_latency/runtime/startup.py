"""The init of an environment: the start of its process and the end of the init."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.util.types import AttributeValue

KINDS = {"provisioned-concurrency": "provisioned", "snap-start": "restored"}  # by AWS_LAMBDA_INITIALIZATION_TYPE


class Startup:
    """The init of this environment; after a restore, the restore, because the init may be days ago.

    `attributes` are those of its span. `is_early`: it runs before a request needs it, and nobody waits for it.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.name = "init"
        self.start_ns = process_start_ns()
        self.end_ns = 0
        kind = KINDS.get(environ.get("AWS_LAMBDA_INITIALIZATION_TYPE", ""), "cold")
        self.attributes: dict[str, AttributeValue] = {"lambda.init.type": kind}
        self.is_early = kind != "cold"

    def restored(self) -> None:
        """A restored copy of this process starts to run."""
        self.name, self.start_ns = "restore", time.time_ns()
        self.ready()

    def ready(self) -> None:
        """The environment is ready for requests."""
        self.end_ns = time.time_ns()


def process_start_ns() -> int:
    """Return the start of this process in nanoseconds since 1970; now, if the kernel does not tell it.

    The kernel's value has steps of 10 ms. The process has run and waited for a processor since its start, which bounds
    the start from above.
    """
    now_ns = time.time_ns()
    try:
        ticks = int(content_of("/proc/self/stat").rpartition(b")")[2].split()[19])
        ran, waited = map(int, content_of("/proc/self/schedstat").split()[:2])
    except (OSError, ValueError, IndexError):
        return now_ns
    step = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    earliest = now_ns - time.clock_gettime_ns(time.CLOCK_BOOTTIME) + ticks * step
    return min(max(now_ns - ran - waited, earliest), earliest + step)


def content_of(path: str) -> bytes:
    """Read a file of the kernel, without `pathlib`, whose import would cost the cold start."""
    with open(path, "rb") as file:  # noqa: PTH123
        return file.read()
