"""Runs the Makefile target of a function or a layer, as `sam build` does, and copies artifacts of `sam build`.

https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/building-custom-runtimes.html
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from lambda_latency.local.app.read.inclusion import Content
from lambda_latency.local.errors import LocalError, UsageError
from lambda_latency.local.processes import Run, run
from lambda_latency.pythons import Version

LIMIT_S = 600
OF_MAKE = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")  # variables of an outer make
LAST = 8  # lines of a failed make's output in the message
IGNORED = shutil.ignore_patterns(".git", ".aws-sam", "__pycache__", ".venv", "node_modules")
BUILT = Path(".aws-sam", "build", "template.yaml")
WRITE = 0o222
_copying = threading.Lock()


class Builds:
    """Builds targets below `folder`, each once until `forget`. `tell` gets a line for each build, `run` runs make."""

    def __init__(
        self, folder: Path, pythons: Mapping[Version, Path], tell: Callable[[str], None], run: Run = run
    ) -> None:
        self._folder, self._pythons, self._tell, self._run = folder, pythons, tell, run
        self._made: dict[tuple[Content, Version], Path] = {}
        self._lock = threading.Lock()
        self._closed = False

    def artifact(self, content: Content, version: Version) -> Path:
        """The folder or archive for /var/task or /opt. Raises `LocalError` with make's last output if it fails."""
        if content.is_built:
            return read_only(content.path, self._folder)
        if not content.target:
            return content.path
        with self._lock:
            if self._closed:
                raise LocalError("nothing can be built", "the system is shutting down")
            if (content, version) not in self._made:
                self._made[content, version] = self._build(content, version)
            return self._made[content, version]

    def forget(self) -> None:
        """Discard all builds, because sources have changed."""
        with self._lock:
            self._made.clear()

    def close(self) -> None:
        """Refuse builds that have not begun."""
        self._closed = True

    def _build(self, content: Content, version: Version) -> Path:
        command = f"make build-{content.target}"
        working = content.working or content.path
        self._tell(f"{content.target} is built by `{command}` in {working}, as by `sam build`")
        place = Path(tempfile.mkdtemp(prefix=f"{content.target}-", dir=self._folder))
        source, artifacts = place / "source", place / "artifacts"
        shutil.copytree(content.path, source, ignore=IGNORED, symlinks=True)
        artifacts.mkdir()
        # Like `sam build`: a working directory outside of the source is used itself, not a copy of it.
        cwd = source / working.relative_to(content.path) if working.is_relative_to(content.path) else working
        env = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH", *OF_MAKE)}
        # Last: the command's own environment has uv, which Makefiles call.
        scripts = str(Path(sys.executable).parent)
        env["PATH"] = os.pathsep.join([str(self._pythons[version].parent), env.get("PATH", os.defpath), scripts])
        env["ARTIFACTS_DIR"] = str(artifacts)
        typed = [*command.split(), *(["--makefile", str(content.makefile)] if content.makefile else [])]
        if shutil.which("make", path=env["PATH"]) is None:
            raise LocalError(f"its build runs {command}, and make is not installed", "install make")
        try:
            ran = self._run(typed, env, cwd, LIMIT_S)
        except subprocess.TimeoutExpired:
            raise LocalError(f"{command} took over {LIMIT_S} s", f"run it in {working}") from None
        if ran.returncode:
            printed = "\n  ".join(ran.stdout.strip().splitlines()[-LAST:])
            raise LocalError(f"{command} failed in {working}", printed)
        return artifacts


def read_only(artifact: Path, folder: Path) -> Path:
    """Return a read-only copy below `folder`, made once. Raises `UsageError` if the artifact is missing."""
    if not artifact.is_dir():
        raise UsageError(f"{artifact} is not there", "build it again: sam build, or make build for the example")
    copy = folder / f"{artifact.name}-{hashlib.sha256(str(artifact).encode()).hexdigest()[:12]}"
    with _copying:
        if not copy.exists():
            shutil.copytree(artifact, copy)
            for path in (copy, *copy.rglob("*")):
                path.chmod(path.stat().st_mode & ~WRITE)
    return copy
