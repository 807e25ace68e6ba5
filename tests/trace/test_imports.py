"""What `otel.trace` needs: the standard library, and nothing else of the kit."""

from __future__ import annotations

import subprocess
import sys

PROBE = """
import sys
before = set(sys.modules)
import otel.trace
new = {name.split(".")[0] for name in set(sys.modules) - before if not name.startswith("otel")}
print(sorted(new - set(sys.stdlib_module_names)))
print(sorted(name for name in sys.modules if name.startswith("otel.") and not name.startswith("otel.trace")))
"""


def test_reading_traces_needs_the_standard_library_alone() -> None:
    """Everyone but the runtime may import it; it imports nobody."""
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "[]"]
