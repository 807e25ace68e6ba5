"""The changes of docs/upstream, applied to a copy of OpenTelemetry's packages, and what each saves of a request."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from lab.cost import driven
from lab.cost.variants import BARE, KIT, ROOT, XRAY, Variant, interpreter

PATCHES = sorted((ROOT / "docs" / "upstream").glob("*.patch"))


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


def table(variants: Sequence[Variant], places: Mapping[str, str]) -> str:
    """Thousands of instructions until the response: the kit as it is, with each change, and with all."""
    named = {variant.name: variant for variant in variants}
    python = interpreter(named[KIT].pins)
    (packages,) = (python.parent.parent / "lib").glob("python*/site-packages")
    sets: list[tuple[str, Sequence[Path]]] = [(patch.stem, [patch]) for patch in PATCHES]
    counted = [named[BARE], named[XRAY], named[KIT]]
    titles = [BARE, XRAY, KIT]
    for number, (title, patches) in enumerate([*sets, ("all", PATCHES)]):
        folder = applied(patches, packages, ROOT / "build" / "cost" / f"upstream-{number}")
        subprocess.run([python, "-m", "compileall", "-q", folder], check=True)
        counted.append(replace(named[KIT], path=(str(folder),)))
        titles.append(title)
    with ThreadPoolExecutor(2) as workers:
        bare, xray, kit, *rest = workers.map(lambda one: driven.request(one, places, collected=False), counted)
    lines = [f"{'kit':40}{kit - bare:>10,.1f} k{(kit - bare) / (xray - bare):>8.2f}x"]
    lines += [
        f"{title:40}{value - bare:>10,.1f} k{(value - bare) / (xray - bare):>8.2f}x{value - kit:>+10,.1f} k"
        for title, value in zip(titles[3:], rest, strict=True)
    ]
    return "\n".join(lines)
