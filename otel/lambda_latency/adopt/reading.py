"""Reads the code and the requirements of an app's functions, and edits requirements that name the X-Ray SDK."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from lambda_latency.adopt.changes import Change, Plan, Template, read_text
from lambda_latency.adopt.requirements import FILES, line_of_sdk, without_sdk
from lambda_latency.adopt.sources import read_uses, sources_of
from lambda_latency.adopt.variants import as_adopted, needs_kit
from lambda_latency.adopt.wording import Wanted
from lambda_latency.template import Finding, decoded


def read_code(plan: Plan, templates: Sequence[Template], wanted: Wanted) -> dict[Path, Change]:
    """Reads the code of all functions: whether each needs the bridge, and the edits of requirements."""
    code: dict[Path, Change] = {}
    everyone = [each for one in templates for each in one.subjects]
    kept = {each.code.resolve() for each in everyone if each.left is not None and each.code is not None}
    folders = {each.code.resolve() for each in everyone if each.is_python and each.code is not None}
    for one in templates:
        _read(plan, one, wanted, code, kept)
    _shared_requirements(plan, folders)
    return code


def _read(plan: Plan, one: Template, wanted: Wanted, code: dict[Path, Change], kept: Collection[Path]) -> None:
    """Reads the functions of one template. `kept`: folders whose requirements functions need that are not adopted."""
    uses: dict[Path, bool] = {}
    by_layer = as_adopted(wanted, one.root, one.subjects).instrumentation == "layer"
    for subject in (each for each in one.subjects if each.is_python):
        subject.bridge = False
        for folder in (*([subject.code] if subject.code is not None else ()), *subject.shared):
            if folder not in uses:
                uses[folder] = _uses_sdk(plan, folder)
                is_needed = by_layer and uses[folder]  # the function is left as it is, with the X-Ray SDK
                if folder == subject.code and folder.resolve() not in kept and not is_needed:
                    for name in FILES:
                        _requirement(plan, folder / name, code)
            subject.bridge = subject.bridge or uses[folder]
        if subject.inline is not None:
            use = read_uses(one.path, one.shown, subject.inline.text.encode())
            plan.left += [replace(each, line=subject.inline.line) for each in use.left]
            subject.bridge = subject.bridge or use.sdk or use.tracer
        elif subject.code is None and not subject.bridge:
            subject.bridge = None
            what = f"{subject.name}: its code is not here, so it may use the X-Ray SDK or Powertools' Tracer"
            todo = "build it before adopt; or, if it does, set LAMBDA_LATENCY_XRAY_SDK to bridge"
            plan.left.append(Finding(one.shown, subject.line, what, todo))
        if by_layer and subject.bridge and not subject.adopted:
            subject.left = needs_kit(one.shown, subject)


def _uses_sdk(plan: Plan, folder: Path) -> bool:
    """Whether the code of a folder uses the X-Ray SDK or Powertools' Tracer."""
    found = False
    for path in sources_of(folder):
        use = read_uses(path, os.path.relpath(path, plan.root), None)
        plan.left += use.left
        found |= use.sdk or use.tracer
    return found


def _shared_requirements(plan: Plan, folders: Collection[Path]) -> None:
    """Names the requirements above the functions' folders, up to the repository: others may need them as they are."""
    above = {parent for folder in folders for parent in _in_repository(folder, plan.root.resolve())} - {*folders}
    for path in sorted(parent / name for parent in above for name in FILES):
        try:
            line = line_of_sdk(decoded(path.read_bytes())[0])
        except (OSError, UnicodeDecodeError):
            continue
        if line is not None:
            what = "requires the X-Ray SDK, above the functions' folders"
            todo = "remove it there if nothing but the functions needs it"
            plan.left.append(Finding(os.path.relpath(path, plan.root.resolve()), line, what, todo))


def _in_repository(folder: Path, root: Path) -> Iterator[Path]:
    """The folders above a folder: those within the app, and those up to the one that has the repository."""
    top = next((one for one in (root, *root.parents) if (one / ".git").exists()), root)
    return (one for one in folder.parents if one == top or one.is_relative_to(top))


def _requirement(plan: Plan, path: Path, code: dict[Path, Change]) -> None:
    """Edits a file of requirements."""
    if not path.is_file() or path in code or not path.resolve().is_relative_to(plan.root.resolve()):
        return
    shown = os.path.relpath(path, plan.root)
    text, encoding = read_text(path, shown)
    new, left = without_sdk(path, shown, text)
    plan.left += left
    if new != text:
        code[path] = Change(path, shown, text.encode(encoding), new.encode(encoding))
