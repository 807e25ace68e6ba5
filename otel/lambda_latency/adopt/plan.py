"""The plan of adopting an app: each file before and after, the additions per function, the edits left to a person."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from lambda_latency.adopt.errors import AdoptError
from lambda_latency.adopt.functions import Subject, read_subjects, text_of
from lambda_latency.adopt.refused import refusal
from lambda_latency.adopt.requirements import FILES, without_sdk
from lambda_latency.adopt.sources import read_uses, sources_of
from lambda_latency.adopt.template import adopt_template
from lambda_latency.adopt.verify import problem
from lambda_latency.adopt.wording import API, LAYER_FOLDER, PACKAGES, Wanted
from lambda_latency.example import example_folder
from lambda_latency.layer import WRAPPER, layer_files
from lambda_latency.template import Finding, Node, check_template, decoded, missing_template, read_yaml, usual_template

__all__ = ["Change", "Plan", "Row", "find_template", "layer_content", "make_plan"]

NESTED = {"AWS::Serverless::Application": "Location", "AWS::CloudFormation::Stack": "TemplateURL"}
SERVERLESS = "AWS::Serverless-2016-10-31"
BY_HAND = "add the layer by hand: docs/how-to/existing-app.md"


@dataclass(frozen=True, slots=True)
class Change:
    """A changed file; `before` is None for a new one."""

    path: Path
    shown: str
    before: bytes | None
    after: bytes
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """The additions to one function, as text."""

    function: str
    runtime: str
    architecture: str
    where: str
    bridge: str
    permission: str


@dataclass(slots=True)
class Plan:
    """All changes, one row per adopted function, and the findings left to a person. `root`: the template's folder."""

    root: Path
    template: Path
    changes: list[Change] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    left: list[Finding] = field(default_factory=list)
    skipped: int = 0  # Python functions that are not adopted

    @property
    def edited(self) -> list[Change]:
        """The files of the app that change."""
        return [one for one in self.changes if one.before is not None]

    def diff(self) -> str:
        """The edits of the app's own files as a unified diff."""
        parts: list[str] = []
        for one in self.edited:
            assert one.before is not None
            old, new = (decoded(text)[0].splitlines(keepends=True) for text in (one.before, one.after))
            lines = difflib.unified_diff(old, new, f"a/{one.shown}", f"b/{one.shown}")
            parts += [line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines]
        return "".join(parts)


@dataclass(slots=True)
class _Template:
    path: Path
    shown: str
    text: str
    root: Node
    subjects: list[Subject]
    children: list[Node] = field(default_factory=list)


def find_template(path: Path) -> Path:
    """The template at a path, which is a file or a folder. Raises `AdoptError` if there is none."""
    if path.is_dir():
        found = usual_template(path)
        if found is None:
            what, todo = missing_template(path, to_edit=True)
            raise AdoptError(f"{path}: {what}", todo)
        return found
    if not path.exists():
        raise AdoptError(f"{path} does not exist", "name a SAM template, or the folder that has one")
    return path


def make_plan(template: Path, wanted: Wanted) -> Plan:
    """The plan of adopting an app. Raises `AdoptError` with the reason why it cannot be adopted."""
    root = template.parent
    plan = Plan(root, template)
    if (root / LAYER_FOLDER / PACKAGES).is_file():
        wanted = replace(wanted, packages="bundled")
    templates = list(_templates(template, root, wanted.layers, set()))
    code: dict[Path, Change] = {}
    for one in templates:
        _read_code(plan, one, wanted, code)
    for one in templates:
        _adopt(plan, one, wanted)
    if any(one.is_python for each in templates for one in each.subjects):
        plan.changes += [*code.values(), *_layer(root, wanted)]
    plan.left.sort()
    return plan


def layer_content(wanted: Wanted) -> dict[str, Path]:
    """The layer's files by name, with the collector's configuration, and the lock of bundled packages."""
    lock = {PACKAGES: Path(__file__).with_name("packages.txt")} if wanted.packages == "bundled" else {}
    return {**layer_files(), **lock, "lambda-latency/collector.yaml": example_folder() / "collector.yaml"}


def _templates(path: Path, root: Path, most: int, seen: set[Path]) -> Iterator[_Template]:
    """A template and its nested templates, which must be in the same folder tree."""
    shown = os.path.relpath(path, root)
    real = path.resolve()
    if real in seen:
        return
    is_first = not seen
    seen.add(real)
    if not real.is_relative_to(root.resolve()):
        raise AdoptError(f"{shown} is outside {root}", "adopt the folder that contains both")
    text, encoding = _text(path, shown)
    if encoding != "utf-8":
        raise AdoptError(f"{shown} is {encoding.upper()}, not UTF-8", "save it as UTF-8")
    node = _parsed(shown, text)
    transform = node.get("Transform")
    if transform is None or SERVERLESS not in [str(one.value) for one in transform.scalars()]:
        if is_first:
            raise AdoptError(f"{shown}:1: not a SAM template: Transform is not {SERVERLESS}", BY_HAND)
        return
    _check(shown, text, node)
    found = _Template(path, shown, text, node, read_subjects(shown, node, path.parent, most))
    nested = []
    for properties, child in _nested(node, path.parent):
        below = list(_templates(child, root, most, seen))
        if any(one.is_python or each.children for each in below for one in each.subjects):
            found.children.append(properties)
        nested += below
    yield found
    yield from nested


def _check(shown: str, text: str, node: Node) -> None:
    """Raises `AdoptError` for a SAM template that is not edited: JSON, or one that refers to names it does not have."""
    if text.lstrip("\ufeff \r\n\t").startswith("{"):
        raise AdoptError(f"{shown}:1: the template is JSON", "only YAML is edited: convert it first")
    wrong = next(iter(check_template(shown, node)), None) or refusal(shown, text, node)
    if wrong is not None:
        raise AdoptError(f"{wrong.source}:{wrong.line}: {wrong.what}", wrong.todo)


def _parsed(shown: str, text: str) -> Node:
    """The template as nodes. Raises `AdoptError` for anything but a template."""
    node = read_yaml(shown, text.replace("\t", " ") if text.lstrip("\ufeff \r\n\t").startswith("{") else text)
    if isinstance(node, Finding):
        raise AdoptError(f"{node.source}:{node.line}: {node.what}", node.todo)
    resources = node.get("Resources")
    if node.kind != "mapping" or resources is None or not resources.entries:
        raise AdoptError(f"{shown}:1: no Resources section", "name a SAM template")
    return node


def _nested(node: Node, folder: Path) -> Iterator[tuple[Node, Path]]:
    """The properties of each nested application whose template is a local file, and that file."""
    resources = node.get("Resources")
    for _, _, resource in resources.named() if resources is not None else ():
        place = NESTED.get(text_of(resource.get("Type")))
        properties = resource.get("Properties")
        where = text_of(properties.get(place)) if place and properties is not None else ""
        if where and "://" not in where and properties is not None and (folder / where).is_file():
            yield properties, folder / where


def _text(path: Path, shown: str) -> tuple[str, str]:
    """The text of a file, and its encoding."""
    try:
        if not path.stat().st_mode & 0o222:
            raise AdoptError(f"{shown} is read-only", f"chmod u+w {shown}")
        return decoded(path.read_bytes())
    except UnicodeDecodeError as error:
        raise AdoptError(f"{shown}: byte {error.start} is not UTF-8", "save it as UTF-8") from None
    except OSError as error:
        raise AdoptError(f"{shown} cannot be read: {error.strerror}", "name a readable file") from None


def _adopt(plan: Plan, one: _Template, wanted: Wanted) -> None:
    uri = os.path.relpath(plan.root / LAYER_FOLDER, one.path.parent) + "/"
    adopted = adopt_template(one.shown, one.text, one.root, one.subjects, wanted, uri, one.children)
    wrong = problem(one.shown, one.text, one.root, adopted.text)
    if wrong:
        raise AdoptError(f"{one.shown} cannot be edited safely: {wrong}", "adopt it by hand: docs/how-to/adopt.md")
    if adopted.text != one.text:
        plan.changes.append(Change(one.path, one.shown, one.text.encode(), adopted.text.encode()))
    plan.left += adopted.left
    for subject in one.subjects:
        if subject.left is not None:
            plan.skipped += 1
        elif subject.is_python:
            where = "as it is" if subject.adopted else adopted.where
            bridge = "unknown" if subject.bridge is None else "yes" if subject.bridge else "not needed"
            permission = "as it is" if subject.adopted else adopted.permissions.get(subject.name, "by hand")
            architecture = f"by {subject.arm}" if subject.arm else subject.architecture
            plan.rows.append(Row(subject.name, subject.runtime, architecture, where, bridge, permission))


def _read_code(plan: Plan, one: _Template, wanted: Wanted, code: dict[Path, Change]) -> None:
    """Reads the code and requirements of a template's functions into the plan."""
    uses: dict[Path, bool] = {}
    for subject in (each for each in one.subjects if each.is_python):
        subject.bridge = False
        for folder in (*([subject.code] if subject.code is not None else ()), *subject.shared):
            if folder not in uses:
                rewritten = _rewrite(plan, folder, code) if wanted.rewrite and folder == subject.code else []
                uses[folder] = _uses_sdk(plan, folder, code)
                if folder == subject.code:
                    _requirements(plan, folder, code, rewritten)
            subject.bridge = subject.bridge or uses[folder]
        if subject.inline is not None:
            use = read_uses(one.path, one.shown, text_of(subject.inline).encode())
            plan.left += [replace(each, line=subject.inline.line) for each in use.left]
            subject.bridge = subject.bridge or use.sdk or use.tracer
        elif subject.code is None and not subject.bridge:
            subject.bridge = None
            what = f"{subject.name}: its code is not here, so it may use the X-Ray SDK or Powertools' Tracer"
            todo = "build it before adopt; or, if it does, set LAMBDA_LATENCY_XRAY_SDK to bridge"
            plan.left.append(Finding(one.shown, subject.line, what, todo))


def _uses_sdk(plan: Plan, folder: Path, code: dict[Path, Change]) -> bool:
    """Whether the code of a folder uses the X-Ray SDK or Powertools' Tracer."""
    found = False
    for path in sources_of(folder):
        use = read_uses(path, os.path.relpath(path, plan.root), code[path].after if path in code else None)
        plan.left += use.left
        found |= use.sdk or use.tracer
    return found


def _requirements(plan: Plan, folder: Path, code: dict[Path, Change], rewritten: list[str]) -> None:
    """Edits the requirements of a function. `rewritten`: its modules that import OpenTelemetry now."""
    for name in FILES:
        _requirement(plan, folder / name, code, API if rewritten else "")
    if rewritten and not any(_needs_api(folder / name, code) for name in FILES):
        todo = f"add {API} to the function's requirements"
        plan.left.append(Finding(rewritten[0], 1, "imports opentelemetry, even with Tracing=Off", todo))


def _rewrite(plan: Plan, folder: Path, code: dict[Path, Change]) -> list[str]:
    """Rewrites the modules of a function; returns the names of the changed ones."""
    from lambda_latency.adopt.rewriting import rewritten_sources  # LibCST is an extra, and slow to import

    changed = []
    for path, before, after, left in rewritten_sources(folder, plan.root):
        shown = os.path.relpath(path, plan.root)
        plan.left += left
        if after != before and path not in code:
            code[path] = Change(path, shown, before, after)
            changed.append(shown)
    return changed


def _needs_api(path: Path, code: dict[Path, Change]) -> bool:
    content = code[path].after if path in code else path.read_bytes() if path.is_file() else b""
    return b"opentelemetry-api" in content


def _requirement(plan: Plan, path: Path, code: dict[Path, Change], instead: str) -> None:
    if not path.is_file() or path in code or not path.resolve().is_relative_to(plan.root.resolve()):
        return
    shown = os.path.relpath(path, plan.root)
    text, encoding = _text(path, shown)
    new, left = without_sdk(path, shown, text, instead if "--hash" not in text else "")
    plan.left += left
    if new != text:
        code[path] = Change(path, shown, text.encode(encoding), new.encode(encoding))


def _layer(root: Path, wanted: Wanted) -> Iterator[Change]:
    """The layer's files that are missing, or differ from this release."""
    for name, source in sorted(layer_content(wanted).items()):
        path = root / LAYER_FOLDER / name
        content = source.read_bytes()
        before = path.read_bytes() if path.is_file() else None
        if before != content:
            shown = f"{LAYER_FOLDER}/{name}"
            yield Change(path, shown, before, content, executable=name == WRAPPER)
