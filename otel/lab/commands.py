"""Commands that programs start: make for what they need under build/, and Chromium.

And the name of the processor that they run on.
"""

import platform
import resource
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).parents[2]
Result = TypeVar("Result")


def make(target: Path) -> None:
    """Bring a file of this checkout up to date. A failure, which make has told, ends the program.

    The environment that the program runs in stays as it is.
    """
    command = ["make", "--silent", "--no-print-directory", "--old-file=.venv/ready", str(target.relative_to(ROOT))]
    if status := subprocess.run(command, cwd=ROOT, check=False).returncode:
        raise SystemExit(status)


def processor() -> str:
    """The name of this machine's processor, or of its kind."""
    with Path("/proc/cpuinfo").open() as lines:
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return name or platform.machine()


def timed(act: Callable[[], Result]) -> tuple[Result, float, float]:
    """What an act returns, with the processor seconds of the children that it ended, and the seconds by the clock."""
    before, start_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    result = act()
    after, took_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - start_s
    return result, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, took_s


def browser_programs() -> list[str]:
    """Chromium and its driver. Ends the program where one is missing."""
    paths = [shutil.which(name) for name in ("chromium", "chromedriver")]
    if None in paths:
        raise SystemExit("chromium and chromedriver are not here: apt install chromium chromium-driver")
    return [str(path) for path in paths]
