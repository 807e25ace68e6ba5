"""Copies artifacts of `sam build` into read-only folders, as Lambda has them."""

from __future__ import annotations

import hashlib
import shutil
import threading
from pathlib import Path

from lambda_latency.local.errors import UsageError

BUILT = Path(".aws-sam", "build", "template.yaml")
WRITE = 0o222
_lock = threading.Lock()


def read_only(artifact: Path, folder: Path) -> Path:
    """A read-only copy below `folder`, made once. Raises `UsageError` if the artifact is missing."""
    if not artifact.is_dir():
        raise UsageError(f"{artifact} is not there", "build it again: sam build, or make build for the example")
    copy = folder / f"{artifact.name}-{hashlib.sha256(str(artifact).encode()).hexdigest()[:12]}"
    with _lock:
        if not copy.exists():
            shutil.copytree(artifact, copy)
            for path in (copy, *copy.rglob("*")):
                path.chmod(path.stat().st_mode & ~WRITE)
    return copy
