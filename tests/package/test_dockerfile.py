"""The Dockerfile, without Docker: what its instructions name is there, and its installation works."""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from tests.package.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.package.conftest import Built

DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_the_image_has_the_wheel_with_the_extra_for_x_ray(built: Built, tmp_path: Path) -> None:
    """The wheel that `make wheel` leaves is the one that is copied, and pip gets its path with the extra."""
    ((pattern, target),) = re.findall(r"^COPY (\S+) (\S+)$", DOCKERFILE, re.MULTILINE)
    assert fnmatch.fnmatch(f"dist/{built.wheel.name}", pattern)
    assert (ROOT / ".dockerignore").read_text().splitlines() == ["*", "!dist/*.whl"]
    (tmp_path / "wheel").mkdir()
    shutil.copy(built.wheel, tmp_path / "wheel")
    (command,) = re.findall(r"^RUN (.*)$", DOCKERFILE, re.MULTILINE)
    pip = tmp_path / "pip"
    pip.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$0.log"\n')
    pip.chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    here = command.replace(target, f"{tmp_path}{target}").replace("rm -r /wheel", f"rm -r {tmp_path}/wheel")
    subprocess.run(["sh", "-c", here], env=env, check=True, timeout=20)
    wanted = f"{tmp_path}/wheel/{built.wheel.name}[fetch]"
    assert (tmp_path / "pip.log").read_text().splitlines() == ["install", "--no-cache-dir", wanted]
    assert not (tmp_path / "wheel").exists()
