"""`lab rie`: its bootstrap, which stands for /var/runtime/bootstrap, in a folder whose name has a space."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

BOOTSTRAP = ROOT / "otel" / "lab" / "rie" / "bootstrap"


@pytest.mark.parametrize("wrapped", [True, False])
def test_the_wrapper_is_started_from_a_folder_with_a_space(tmp_path: Path, wrapped: bool) -> None:
    """With Python and the runtime's own program behind it; without a wrapper these alone."""
    folder = tmp_path / "my checkout"
    folder.mkdir()
    for name in ("wrapper", "python"):
        script = folder / name
        script.write_text(f'#!/bin/sh\necho {name}\n[ $# = 1 ] || exec "$@"\necho "$1"\n')
        script.chmod(0o755)
    own = {"PATH": "/usr/bin:/bin", "RIE_PATH": "/usr/bin:/bin", "RIE_TASK_ROOT": str(folder), "RIE_PROXY": "",
           "RIE_PYTHON": str(folder / "python"), "RIE_KIT": str(folder)}  # fmt: skip
    if wrapped:
        own["AWS_LAMBDA_EXEC_WRAPPER"] = str(folder / "wrapper")
    ran = subprocess.run([str(BOOTSTRAP)], env=own, capture_output=True, text=True, check=True, timeout=30)
    started = f"python\n{folder}/lambda_latency/local/sandbox/bootstrap.py\n"
    assert ran.stdout == ("wrapper\n" if wrapped else "") + started
