"""Peak memory of a report as JSON: `python -m lab.report_speed.peak FILE PROCESSES` prints bytes.

This module imports only what the command imports: modules of the benchmark would count too.
"""

import os
import resource
import sys
from pathlib import Path

from lambda_latency.cli.commands.report import run_report
from lambda_latency.cli.request import Request
from lambda_latency.text import Style


def _peak(path: Path, processes: int) -> int:
    """The peak of the largest process, in bytes. Ends with status 1 if a part of the file could not be read."""
    with Path(os.devnull).open("w") as nowhere:
        status = run_report(Request([path], json="-", processes=processes), Style(), nowhere)
    if status != 0:
        raise SystemExit(f"the report of {path} ended with {status}: something in it could not be read")
    # Not ru_maxrss of this process: it begins with the value of the parent.
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return max(int(peak.split()[1]), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) * 1024


if __name__ == "__main__":
    print(_peak(Path(sys.argv[1]), int(sys.argv[2])))
