"""The changes of docs/upstream: each fits the locked release, and its tests pass with it and fail without it."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import opentelemetry.sdk
import pytest

from lab.commands import ROOT

PATCHES = sorted((ROOT / "docs" / "upstream").glob("*.patch"))
PACKAGES = Path(opentelemetry.sdk.__path__[0]).parent.parent
TEXT = (ROOT / "docs" / "explanation" / "upstream.md").read_text()


def applied(patches: Sequence[Path], packages: Path, folder: Path) -> Path:
    """Copy the packages `opentelemetry` into the folder and apply patches; returns the folder, for PYTHONPATH.

    The tests that a patch brings are in `folder/tests`. Raises CalledProcessError if a patch does not fit.
    """
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(packages / "opentelemetry", folder / "opentelemetry")
    for patch in patches:
        text = patch.read_text("utf-8")
        # Upstream's repository has a folder for each package, with `src` and `tests` in it.
        flat = re.sub(r"(?<= [ab]/)\S*?/(?:src/(?=opentelemetry/)|(?=tests/))", "", text)
        # Inside of a repository, git would silently skip what is not in the current folder's part of it.
        alone = {**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parent)}
        command = ["git", "apply", "-"]
        subprocess.run(command, input=flat, text=True, cwd=folder, check=True, capture_output=True, env=alone)
    return folder


def outcome_of(folder: Path) -> subprocess.CompletedProcess[str]:
    """The patch's own tests, with the packages of the folder."""
    command = [sys.executable, "-m", "unittest", "discover", "-s", "tests"]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.pinned
@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_a_change_fits_and_its_tests_pass(patch: Path, tmp_path: Path) -> None:
    """In a copy of the packages, by the interpreter of the tests."""
    changed = applied([patch], PACKAGES, tmp_path / "changed")
    done = outcome_of(changed)
    assert done.returncode == 0, done.stderr
    assert re.search(r"Ran [1-9] tests?", done.stderr)


@pytest.mark.pinned
def test_a_change_is_made_in_a_repository_too(tmp_path: Path) -> None:
    """As the folder of the build is: there, git would skip the files without a word."""
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    changed = applied(PATCHES[:1], PACKAGES, tmp_path / "build" / "changed")
    assert "ContextManager" in (changed / "opentelemetry" / "instrumentation" / "utils.py").read_text()


@pytest.mark.pinned
def test_all_changes_fit_together(tmp_path: Path) -> None:
    """One after the other."""
    assert outcome_of(applied(PATCHES, PACKAGES, tmp_path / "all")).returncode == 0


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_a_change_has_the_text_of_a_pull_request(patch: Path) -> None:
    """Under a heading with its file."""
    assert f"(../upstream/{patch.name})" in TEXT
