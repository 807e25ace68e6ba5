"""A full disk, for a process of its own: a limit on the size of its files replaces it."""

from __future__ import annotations

import os
import resource
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def run_on_full_disk(
    command: Sequence[str], most: int, *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command none of whose files may grow beyond `most` bytes.

    Python compiles no module to a file: it would write the first `most` bytes, and each later process would fail at
    this file.
    """

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    return subprocess.run(
        command,
        cwd=cwd,
        env={**(os.environ if env is None else env), "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=limit,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
