"""The imports of `lambda_latency.latency`: `trace`, and no package for drawing."""

from __future__ import annotations

import subprocess
import sys

PROBE = """
import sys
before = set(sys.modules)
import lambda_latency.text
new = {name.split(".")[0] for name in set(sys.modules) - before if not name.startswith("lambda_latency")}
print(sorted(new - set(sys.stdlib_module_names) - {"typing_extensions"}))
rooms = {".".join(name.split(".")[:2]) for name in sys.modules if name.startswith("lambda_latency.")}
print(sorted(rooms))
"""


def test_a_report_needs_msgspec_alone() -> None:
    """As text too; of other rooms only the traces and the prices are imported."""
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "['msgspec']",
        ("['lambda_latency.latency', 'lambda_latency.prices', 'lambda_latency.text', 'lambda_latency.trace']"),
    ]
