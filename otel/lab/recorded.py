"""Writes the trace that `lambda-latency demo` reports where the local system is not installed: a run of the real demo.

The file's name has the date of the run. Paths of this machine in stacks become those of Lambda.

Usual time: two minutes.
"""

import gzip
import re
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path

from lab.commands import ROOT

EXAMPLE = ROOT / "otel" / "lambda_latency" / "example"
MOST_BYTES = 100_000


def main(parser: ArgumentParser) -> int:
    """0 if a file of at most 100 kB was written."""
    parser.add_argument("--traces", type=Path, metavar="FILE", help="traces of a demo of today, in place of a new run")
    traces = parser.parse_args().traces
    with tempfile.TemporaryDirectory() as folder:
        if traces is None:
            command = [sys.executable, "-m", "lambda_latency", "demo", "--page", "off", "--out", folder]
            subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
            traces = Path(folder, "traces.jsonl")
        text = as_on_lambda(traces.read_text("utf-8"))
    packed = gzip.compress(text.encode(), 9, mtime=0)
    if len(packed) > MOST_BYTES:
        print(f"{len(packed):,} bytes are more than {MOST_BYTES:,}", file=sys.stderr)
        return 1
    for path in EXAMPLE.glob("recorded-*.jsonl.gz"):
        path.unlink()
    path = EXAMPLE / f"recorded-{time.strftime('%Y-%m-%d', time.gmtime())}.jsonl.gz"
    path.write_bytes(packed)
    print(f"{path.relative_to(ROOT)}: {len(packed):,} bytes")
    return 0


def as_on_lambda(text: str) -> str:
    """Traces with the paths that files have on Lambda: the checkout's, and those of Python's own modules."""
    text = text.replace(f"{ROOT}/", "/var/task/")
    return re.sub(r"/[\w./-]+/lib/python3\.\d+/(?!site-packages)", "/var/lang/lib/python3.11/", text)
