"""Which extras are installed, and how this copy of the kit is installed with one more."""

from __future__ import annotations

import json
import shlex
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

__all__ = ["install_command", "is_installed"]

NAME = "lambda-latency"
# The packages of an extra that nothing else brings along: with all of them the extra is there.
PACKAGES = {"local": ("awslambdaric", "samcli", "uv"), "testing": ("amazon", "boto3", "pytest")}


def is_installed(extra: str) -> bool:
    """Whether the packages of the extra `local` or `testing` are installed. Nothing of them is imported."""
    return all(find_spec(package) is not None for package in PACKAGES[extra])


def install_command(extra: str) -> str:
    """A shell command that adds an extra (`fetch`) to this installation, from the file or address that it came from.

    Python records that address at the installation: https://packaging.python.org/en/latest/specifications/direct-url/.
    """
    origin = _origin()
    url = str(origin.get("url", ""))
    parts = urlsplit(url)
    options = ["-e"] if origin.get("dir_info", {}).get("editable") else []
    if parts.scheme == "file":
        from urllib.request import url2pathname  # with it come HTTP and TLS

        path = Path(url2pathname(parts.path))
        # Also if it is gone: an index may have a package of the same name.
        requirement = f"{path}[{extra}]"
    elif url:
        vcs = origin.get("vcs_info", {}).get("vcs")
        requirement = f"{NAME}[{extra}] @ {f'{vcs}+{url}' if vcs else url}"
    else:
        requirement = f"{NAME}[{extra}]"
    return " ".join(["pip install", *options, shlex.quote(requirement)])


def _origin() -> dict[str, Any]:
    """What the installer recorded; nothing for a package from an index. Sources that are not installed are editable."""
    try:
        recorded = distribution(NAME).read_text("direct_url.json")
    except PackageNotFoundError:
        return {"url": Path(__file__).parents[2].as_uri(), "dir_info": {"editable": True}}
    origin: dict[str, Any] = json.loads(recorded) if recorded else {}
    return origin
