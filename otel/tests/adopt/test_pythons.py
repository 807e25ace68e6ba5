"""The Pythons that compile the layer are those that `serve` runs functions on."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lambda_latency import pythons
from lambda_latency.adopt.bytecode import find_python


def test_a_managed_python_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pyenv's, although no command of its name is on the PATH; another version than its name says is none."""
    for version, said in (("3.12", "3 12"), ("3.14", "3 13")):
        folder = tmp_path / ".pyenv" / "versions" / f"{version}.1" / "bin"
        folder.mkdir(parents=True)
        (folder / f"python{version}").write_text(f"#!/bin/sh\necho {said}\n")
        (folder / f"python{version}").chmod(0o755)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(sys, "version_info", (3, 11, 7))
    pythons.pythons.cache_clear()
    try:
        assert find_python("python3.12") == str(tmp_path / ".pyenv/versions/3.12.1/bin/python3.12")
        assert find_python("python3.11") == sys.executable
        assert find_python("python3.14") is None
        assert find_python("nodejs22.x") is None
    finally:
        pythons.pythons.cache_clear()
