"""The modules that a process has imported, counted inside it."""

from __future__ import annotations

import os
import sys


def census() -> dict[str, object]:
    """The names of the modules, and the bytes of the files that they were loaded from: bytecode, or the library."""
    modules = dict(sys.modules)
    sizes = 0
    for module in modules.values():
        spec = getattr(module, "__spec__", None)
        for path in (getattr(spec, "cached", None), getattr(spec, "origin", None)):
            if isinstance(path, str) and os.path.isfile(path):  # noqa: PTH113 - importing pathlib would count
                sizes += os.path.getsize(path)  # noqa: PTH202
                break
    return {"modules": sorted(modules), "bytes": sizes}
