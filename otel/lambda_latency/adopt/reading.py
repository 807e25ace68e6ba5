"""Reads the code and the requirements of an app's functions, and removes the X-Ray SDK from requirements.

The layer provides its modules. Unusual forms are left to a person.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lambda_latency.adopt.changes import MOST_BYTES, Change, Plan, Template, read_text
from lambda_latency.adopt.functions import AppFn
from lambda_latency.adopt.sources import read_uses, sources_of
from lambda_latency.adopt.variants import as_adopted, needs_kit
from lambda_latency.adopt.wording import AdoptOptions
from lambda_latency.template import Diagnostic, decoded

FILES = ("requirements.txt", "pyproject.toml", "Pipfile")
LOCKS = {"pyproject.toml": ("poetry.lock", "uv.lock", "pdm.lock"), "Pipfile": ("Pipfile.lock",)}
SDK = re.compile(r"aws[-_.]xray[-_.]sdk\s*(?:\[[^\]]*\])?(?=\s*(?:[=<>!~;@#\\\r\n]|$))", re.IGNORECASE)
POWERTOOLS = re.compile(r"(aws[-_.]lambda[-_.]powertools\s*)\[([^\]]*)\]", re.IGNORECASE)
QUOTED = re.compile(r"""^\s*(["'])aws[-_.]xray[-_.]sdk\b[^"']*\1\s*,?\s*(#.*)?\r?\n""", re.IGNORECASE | re.MULTILINE)
KEYED = re.compile(r"""^["']?aws[-_.]xray[-_.]sdk["']?\s*=[^\r\n]*\r?\n""", re.IGNORECASE | re.MULTILINE)
TABLED = re.compile(r"""^["']?aws[-_.]lambda[-_.]powertools["']?\s*=\s*\{.*["'](tracer|all)["']""", re.IGNORECASE)
ANYWHERE = re.compile(r"aws[-_.]xray[-_.]sdk", re.IGNORECASE)
COMMENT = re.compile(r"(^|\s)#.*")  # as pip has it: the # in a URL begins none


def read_code(plan: Plan, templates: Sequence[Template], options: AdoptOptions) -> dict[Path, Change]:
    """Reads the code of all functions: whether each needs the bridge, and the edits of requirements."""
    code: dict[Path, Change] = {}
    functions = [fn for template in templates for fn in template.functions]
    unadopted = {fn.code.resolve() for fn in functions if fn.obstacle is not None and fn.code is not None}
    folders = {fn.code.resolve() for fn in functions if fn.is_python and fn.code is not None}
    for template in templates:
        _read(plan, template, options, code, unadopted)
    _shared_requirements(plan, folders)
    return code


def _read(
    plan: Plan, template: Template, options: AdoptOptions, code: dict[Path, Change], unadopted: set[Path]
) -> None:
    """Reads the functions of one template. `unadopted`: those whose requirements stay."""
    uses: dict[Path, bool] = {}
    by_layer = as_adopted(options, template).instrumentation == "layer"
    for fn in template.python_functions:
        for folder in fn.folders:
            if folder not in uses:
                uses[folder] = _uses_sdk(plan, folder)
                is_needed = by_layer and uses[folder]  # the function is left as it is, with the X-Ray SDK
                if folder == fn.code and folder.resolve() not in unadopted and not is_needed:
                    _edit_requirements(plan, folder, code)
        fn.bridge = _needs_bridge(plan, template, fn, uses)
    for fn in template.python_functions if by_layer else ():
        if fn.bridge and not fn.adopted:
            fn.obstacle = needs_kit(template.shown, fn)


def _needs_bridge(plan: Plan, template: Template, fn: AppFn, uses: Mapping[Path, bool]) -> bool | None:
    """Whether a function uses the X-Ray SDK; None for code that is not here. `uses`: by the folders of its code."""
    is_used = any(uses[folder] for folder in fn.folders)
    if fn.inline is None and (fn.code is not None or is_used):
        return is_used
    bridge = _read_elsewhere(plan, template, fn)
    return is_used or bridge


def _read_elsewhere(plan: Plan, template: Template, fn: AppFn) -> bool | None:
    """Whether inline code uses the X-Ray SDK; None for code that is not here."""
    if fn.inline is not None:
        use = read_uses(template.path, template.shown, fn.inline.text.encode())
        plan.findings += [replace(finding, line=fn.inline.line) for finding in use.findings]
        return use.sdk or use.tracer
    problem = "its code is not here, so it may use the X-Ray SDK or Powertools' Tracer"
    todo = "build it before adopt; or, if it does, set LAMBDA_LATENCY_XRAY_SDK to bridge"
    plan.findings.append(fn.finding(template.shown, problem, todo))
    return None


def _uses_sdk(plan: Plan, folder: Path) -> bool:
    """Whether the code of a folder uses the X-Ray SDK or Powertools' Tracer."""
    is_used = False
    for path in sources_of(folder):
        use = read_uses(path, os.path.relpath(path, plan.root), None)
        plan.findings += use.findings
        is_used |= use.sdk or use.tracer
    return is_used


def _shared_requirements(plan: Plan, folders: Collection[Path]) -> None:
    """Reports requirements above the functions' folders, up to the repository: other code may need the X-Ray SDK."""
    above = {parent for folder in folders for parent in _in_repository(folder, plan.root.resolve())} - {*folders}
    for path in sorted(parent / name for parent in above for name in FILES):
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            continue
        try:
            line = line_of_sdk(decoded(path.read_bytes())[0])
        except (OSError, UnicodeDecodeError):
            continue
        if line is not None:
            problem = "requires the X-Ray SDK, above the functions' folders"
            todo = "remove it there if nothing but the functions needs it"
            plan.findings.append(Diagnostic(os.path.relpath(path, plan.root.resolve()), line, problem, todo))


def _in_repository(folder: Path, root: Path) -> Iterator[Path]:
    """The folders above a folder: those within the app, and those up to the one that has the repository."""
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)
    return (parent for parent in folder.parents if parent == top or parent.is_relative_to(top))


def _edit_requirements(plan: Plan, folder: Path, code: dict[Path, Change]) -> None:
    """Edits the files of requirements in a folder."""
    for path in (folder / name for name in FILES):
        if not path.is_file() or path in code or not path.resolve().is_relative_to(plan.root.resolve()):
            continue
        shown = os.path.relpath(path, plan.root)
        text, encoding = read_text(path, shown)
        new, findings = without_sdk(path, shown, text)
        plan.findings += findings
        if new != text:
            code[path] = Change(path, shown, text.encode(encoding), new.encode(encoding))


def without_sdk(path: Path, shown: str, text: str) -> tuple[str, list[Diagnostic]]:
    """The text without the SDK, and the findings left to a person."""
    new = _without_lines(text) if path.suffix == ".txt" else KEYED.sub("", QUOTED.sub("", text))
    new = POWERTOOLS.sub(_without_tracer, new)
    findings = [*_unedited(shown, new)]
    if new != text:
        findings += [
            Diagnostic(shown, 1, f"{lock} still has the X-Ray SDK", f"regenerate {lock}")
            for lock in LOCKS.get(path.name, ())
            if path.with_name(lock).exists()
        ]
    return new, findings


def _unedited(shown: str, text: str) -> Iterator[Diagnostic]:
    """The findings about lines that still require the X-Ray SDK, in forms that are not edited."""
    for number, line in _without_comments(text):
        if ANYWHERE.search(line):
            todo = "remove it: the kit's layer provides its modules"
            yield Diagnostic(shown, number, "names the X-Ray SDK in a form that is not edited", todo)
        tabled, listed = TABLED.search(line), POWERTOOLS.search(line)
        todo = "name the extras that are used, without tracer"
        if tabled:
            problem = f"aws-lambda-powertools with the extra {tabled[1]} depends on the X-Ray SDK"
            yield Diagnostic(shown, number, problem, todo)
        if listed and "all" in _extras_in(listed[2]):
            yield Diagnostic(shown, number, "aws-lambda-powertools[all] depends on the X-Ray SDK", todo)


def line_of_sdk(text: str) -> int | None:
    """The first line that requires the X-Ray SDK, directly or by an extra of Powertools; None without one."""
    for number, line in _without_comments(text):
        extras = POWERTOOLS.search(line)
        by_extra = extras is not None and {"tracer", "all"} & {extra.lower() for extra in _extras_in(extras[2])}
        if ANYWHERE.search(line) or by_extra or TABLED.search(line):
            return number
    return None


def _without_comments(text: str) -> Iterator[tuple[int, str]]:
    """The lines with their numbers, from 1, each up to its comment."""
    return enumerate((COMMENT.sub("", line) for line in text.splitlines()), 1)


def _without_lines(text: str) -> str:
    """A requirements file without the SDK's line and its continuation lines (hashes)."""
    remaining, skipping = [], False
    for line in text.splitlines(keepends=True):
        if skipping or SDK.match(line.lstrip("\ufeff")):
            if line.startswith("\ufeff"):
                remaining.append("\ufeff")
            skipping = line.rstrip().endswith("\\")
        else:
            remaining.append(line)
    return "".join(remaining)


def _without_tracer(match: re.Match[str]) -> str:
    names = [name for name in _extras_in(match[2]) if name.lower() != "tracer"]
    if len(names) == len(list(_extras_in(match[2]))):
        return match[0]
    return f"{match[1].rstrip()}[{','.join(names)}]" if names else match[1].rstrip()


def _extras_in(extras: str) -> Iterator[str]:
    return (name.strip() for name in extras.split(",") if name.strip())
