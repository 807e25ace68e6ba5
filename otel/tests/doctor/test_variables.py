"""The names of variables that the doctor knows are those that the packages of the pinned layer read."""

from __future__ import annotations

import re
import sysconfig
from pathlib import Path

from lambda_latency.doctor.rules.variables import NAMES

NAMED = re.compile(r"""["'](OTEL_[A-Z0-9_]*[A-Z0-9])["']""")


def test_the_table_has_the_names_in_the_packages() -> None:
    """Those of the SDK, its exporters, its instrumentations, and AWS's distribution, in order."""
    installed = Path(sysconfig.get_path("purelib"))
    files = [file for name in ("opentelemetry", "amazon") for file in (installed / name).rglob("*.py")]
    found = {name for file in files for name in NAMED.findall(file.read_text(encoding="utf-8"))}
    assert NAMES.read_text(encoding="utf-8").split() == sorted(found)
