"""A full disk, for a process of its own: a limit on the size of its files replaces it."""

import os
import resource
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


def run_on_full_disk(
    command: Sequence[str], most_bytes: int, *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command none of whose files may grow beyond `most_bytes`.

    Python compiles no module to a file: it would write the first `most_bytes`, and each later process would fail at
    this file.
    """

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

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
