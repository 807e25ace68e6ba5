"""The imports of `lambda_latency.trace`: msgspec, and no other room of the kit."""

from __future__ import annotations

import subprocess
import sys

PROBE = """
import sys
before = set(sys.modules)
import lambda_latency.trace
new = {name.split(".")[0] for name in set(sys.modules) - before if not name.startswith("lambda_latency")}
print(sorted(new - set(sys.stdlib_module_names) - {"typing_extensions"}))
kit = [name for name in sys.modules if name.startswith("lambda_latency.")]
print([name for name in kit if not name.startswith("lambda_latency.trace")])
"""


def test_reading_traces_needs_msgspec_alone() -> None:
    """All rooms but the runtime may import it; it imports none."""
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["['msgspec']", "[]"]
