"""The system's own pauses are not the functions'."""

from __future__ import annotations

import gc
from pathlib import Path

from lambda_latency.local.app.read.app import read_app
from lambda_latency.local.app.serve.system import Options, System


class Loaded:
    """Stands for what is in memory before a request comes: whatever is collected looks at it again and again."""


def is_looked_at(one: object) -> bool:
    """Whether the garbage collector goes through it."""
    return any(other is one for other in gc.get_objects())


def test_what_is_loaded_before_the_first_request_is_collected_after_the_last(tmp_path: Path) -> None:
    """Else a collection in the middle of a load held up every answer, and reports named Lambda's overhead."""
    loaded = Loaded()
    system = System(read_app(Path("template.yaml"), {}), Options(tmp_path))
    try:
        during = is_looked_at(loaded)
    finally:
        system.close()
    assert (during, is_looked_at(loaded)) == (False, True)
