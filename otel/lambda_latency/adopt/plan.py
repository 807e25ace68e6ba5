"""Makes the plan of adopting an app from its templates and their code."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from lambda_latency.adopt.changes import AS_IT_IS, SWITCHED, Change, Plan, Row, Template, read_text
from lambda_latency.adopt.errors import AdoptError
from lambda_latency.adopt.functions import read_subjects
from lambda_latency.adopt.notes import notes_on
from lambda_latency.adopt.reading import read_code
from lambda_latency.adopt.refused import refusal
from lambda_latency.adopt.template import adopt_template
from lambda_latency.adopt.verify import problem
from lambda_latency.adopt.wording import PACKAGES, Wanted
from lambda_latency.adopt.writing import read_record
from lambda_latency.example import example_folder
from lambda_latency.layer import WRAPPER, layer_files
from lambda_latency.template import (
    LAYER_FOLDER,
    Finding,
    Node,
    by_hand,
    check_template,
    decoded,
    is_json,
    missing_template,
    nested_templates,
    passed_parameters,
    read_yaml,
    resolve,
    usual_template,
)

SERVERLESS = "AWS::Serverless-2016-10-31"
MODULES = "python/lambda_latency/"  # the folder of the layer that has only modules of the kit
REGION = "us-east-1"  # of conditions on a region
MADE_OF_LAYER = re.compile(rf"""Content(Uri)?["']?\s*:\s*\S*{LAYER_FOLDER}""")
OFF = "not created by default"  # a function whose condition is false


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
    if wanted.packages == "bundled" and wanted.instrumentation == "layer":
        raise AdoptError("--instrumentation layer needs ADOT's layer", "leave out --packages bundled")
    templates = list(read_templates(template, root, wanted.layers, set()))
    code = read_code(plan, templates, wanted)
    texts = [_adopt(plan, one, wanted) for one in templates]
    if any(one.is_python for each in templates for one in each.subjects):
        plan.changes += code.values()
        if any(MADE_OF_LAYER.search(text) for text in texts):  # else the app builds a layer of the kit by itself
            plan.changes += _layer(root, wanted)
            plan.outdated += _outdated(root, wanted)
    plan.left.sort()
    return plan


def edited_template(template: Path, wanted: Wanted) -> str:
    """The text of a template as adopting it would write it. Nothing is written."""
    changes = {change.path: change.after for change in make_plan(template, wanted).changes}
    return decoded(changes.get(template) or template.read_bytes())[0]


def layer_content(wanted: Wanted) -> dict[str, Path]:
    """The layer's files by name, with the collector's configuration, and the lock of bundled packages."""
    lock = {PACKAGES: Path(__file__).with_name("packages.txt")} if wanted.packages == "bundled" else {}
    return {**layer_files(), **lock, "lambda-latency/collector.yaml": example_folder() / "collector.yaml"}


def read_templates(
    path: Path, root: Path, most: int, seen: set[Path], given: Mapping[str, str | None] = MappingProxyType({})
) -> Iterator[Template]:
    """A template with the given parameters, and its nested templates, which must be in the same folder tree."""
    shown = os.path.relpath(path, root)
    real = path.resolve()
    if real in seen:
        return
    is_first = not seen
    seen.add(real)
    if not real.is_relative_to(root.resolve()):
        raise AdoptError(f"{shown} is outside {root}", "adopt the folder that contains both")
    text, encoding = read_text(path, shown)
    if encoding != "utf-8":
        raise AdoptError(f"{shown} is {encoding.upper()}, not UTF-8", "save it as UTF-8")
    node = _parsed(shown, text)
    transform = node.get("Transform")
    if transform is None or SERVERLESS not in [str(one.value) for one in transform.scalars()]:
        if is_first:
            raise AdoptError(f"{shown}:1: not a SAM template: Transform is not {SERVERLESS}", by_hand(path))
        return
    _check(shown, text, node)
    resolved = resolve(node, given, REGION)
    found = Template(path, shown, text, node, read_subjects(shown, node, resolved, path.parent, most))
    if any(one.is_python for one in found.subjects):
        found.left += [Finding(shown, one.line, one.what, "check the other case by hand") for one in resolved.undecided]
    nested = []
    for name, properties, child in nested_templates(node, path.parent):
        passed = passed_parameters(resolved.root.get("Resources", name, "Properties"))
        below = list(read_templates(child, root, most, seen, passed))
        if any(one.is_python or each.children for each in below for one in each.subjects):
            found.children.append(properties)
        nested += below
    yield found
    yield from nested


def _check(shown: str, text: str, node: Node) -> None:
    """Raises `AdoptError` for a SAM template that is not edited: YAML in braces, or names that it does not have."""
    if text.lstrip("\ufeff \r\n\t").startswith("{") and not is_json(text):
        raise AdoptError(f"{shown}:1: the template is in braces, and no JSON", "write it as JSON, or without braces")
    wrong = next(iter(check_template(shown, node)), None) or refusal(shown, text, node)
    if wrong is not None:
        raise AdoptError(f"{wrong.source}:{wrong.line}: {wrong.what}", wrong.todo)


def _parsed(shown: str, text: str) -> Node:
    """The template as nodes. Raises `AdoptError` for anything but a template."""
    node = read_yaml(shown, text)
    if isinstance(node, Finding):
        raise AdoptError(f"{node.source}:{node.line}: {node.what}", node.todo)
    resources = node.get("Resources")
    if node.kind != "mapping" or resources is None or not resources.entries:
        raise AdoptError(f"{shown}:1: no Resources section", "name a SAM template")
    return node


def _adopt(plan: Plan, one: Template, wanted: Wanted) -> str:
    """Adds the edits of a template to the plan; returns its new text."""
    uri = os.path.relpath(plan.root / LAYER_FOLDER, one.path.parent) + "/"
    adopted = adopt_template(one.shown, one.text, one.root, one.subjects, wanted, uri, one.children)
    wrong = problem(one.shown, one.text, one.root, adopted.text, adopted.replaced)
    if wrong:
        raise AdoptError(f"{one.shown} cannot be edited safely: {wrong}", "adopt it by hand: docs/how-to/adopt.md")
    if adopted.text != one.text:
        plan.changes.append(Change(one.path, one.shown, one.text.encode(), adopted.text.encode()))
    plan.left += [*one.left, *adopted.left, *notes_on(one.shown, one.subjects)]
    for subject in one.subjects:
        if subject.left is not None:
            plan.skipped += 1
            plan.unswitched += subject.adopted
        elif subject.is_python:
            unchanged = SWITCHED if subject.name in adopted.switched else AS_IT_IS
            where = unchanged if subject.adopted else adopted.where if subject.created else f"{adopted.where}, {OFF}"
            bridge = "unknown" if subject.bridge is None else "yes" if subject.bridge else "not needed"
            permission = AS_IT_IS if subject.adopted else adopted.permissions.get(subject.name, "by hand")
            architecture = f"by {subject.arm}" if subject.arm else subject.architecture
            plan.rows.append(Row(subject.name, subject.runtime, architecture, where, bridge, permission))
    return adopted.text


def _layer(root: Path, wanted: Wanted) -> Iterator[Change]:
    """The layer's files that are missing, or differ from this release."""
    for name, source in sorted(layer_content(wanted).items()):
        path = root / LAYER_FOLDER / name
        content = source.read_bytes()
        before = path.read_bytes() if path.is_file() else None
        if before != content:
            shown = f"{LAYER_FOLDER}/{name}"
            yield Change(path, shown, before, content, executable=name == WRAPPER)


def _outdated(root: Path, wanted: Wanted) -> list[str]:
    """The layer's modules that an earlier release wrote, nobody has edited since, and this release does not have."""
    record = read_record(root)
    if record is None:
        return []
    kept = {f"{LAYER_FOLDER}/{name}" for name in layer_content(wanted)}.union(record.edited_since(root))
    return sorted(name for name in record.files if name.startswith(f"{LAYER_FOLDER}/{MODULES}") and name not in kept)
