"""Makes the plan of adopting an app from its templates and their code."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from configparser import ConfigParser
from configparser import Error as ConfigError
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from lambda_latency.adopt.changes import AS_IT_IS, SWITCHED, Change, FunctionSummary, Plan, Template, read_text
from lambda_latency.adopt.errors import AdoptError
from lambda_latency.adopt.functions import AppFn, functions_in
from lambda_latency.adopt.reading import read_code
from lambda_latency.adopt.refused import refusal
from lambda_latency.adopt.template import Adopted, adopt_template
from lambda_latency.adopt.wording import PACKAGES, WITHOUT_COLLECTOR, AdoptOptions
from lambda_latency.adopt.writing import read_record
from lambda_latency.documentation import page_address
from lambda_latency.example import example_folder
from lambda_latency.layer import MODULES, WRAPPER, layer_files
from lambda_latency.template import (
    LAYER_FOLDER,
    Diagnostic,
    YamlNode,
    by_hand,
    check_template,
    decoded,
    first_value,
    is_json,
    missing_template,
    nested_templates,
    passed_parameters,
    read_yaml,
    resolve,
    usual_template,
)

SERVERLESS = "AWS::Serverless-2016-10-31"
# The folder of the layer that has only modules of the kit
REGION = "us-east-1"  # of conditions on a region
MADE_OF_LAYER = re.compile(rf"""Content(Uri)?["']?\s*:\s*\S*{LAYER_FOLDER}""")
OFF = "not created by default"  # a function whose condition is false
# Lambda's default, and what the doctor's rule memory-small asks for
DEFAULT_MB, LEAST_MB = 128, 256
SHOWN = 3
Span: TypeAlias = tuple[int, int]
SAM_REGION = re.compile(r"""^\s*["']?region["']?\s*[=:]\s*["']?([a-z]{2}(?:-[a-z]+)+-\d)\b""", re.MULTILINE)


def _settled(path: Path, options: AdoptOptions) -> AdoptOptions:
    """The options for an app, with what a deployed layer or the kit's folder implies. Raises `AdoptError`."""
    folder = path.parent / LAYER_FOLDER
    if options.layer:
        if folder.is_dir():
            todo = "run adopt --undo first, or leave out --layer"
            raise AdoptError(f"{path} uses the kit's layer in {LAYER_FOLDER}/", todo)
        region = options.layer.split(":")[3]
        if options.collected and region == WITHOUT_COLLECTOR:
            raise AdoptError(f"{region} has no layer with ADOT's collector", "leave out --export collector")
        options = replace(options, packages="bundled", traced="")
    elif (folder / PACKAGES).is_file():
        options = replace(options, packages="bundled")
    if options.packages == "bundled" and options.instrumentation == "layer":
        todo = "use it with --vendor" if options.layer else "leave out --packages bundled"
        raise AdoptError("--instrumentation layer needs ADOT's layer", todo)
    return options


def find_template(path: Path) -> Path:
    """The template at a path, which is a file or a folder. Raises `AdoptError` if there is none."""
    if path.is_dir():
        template = usual_template(path)
        if template is None:
            problem, todo = missing_template(path, to_edit=True)
            raise AdoptError(problem, todo)
        return template
    if not path.exists():
        raise AdoptError(f"{path} does not exist", "name a SAM template, or the folder that has one")
    return path


def make_plan(path: Path, options: AdoptOptions) -> Plan:
    """The plan of adopting an app. Raises `AdoptError` with the reason why it cannot be adopted."""
    root = path.parent
    plan = Plan(root, path)
    options = _settled(path, options)
    templates = list(read_templates(path, root, options.layers, set()))
    code = read_code(plan, templates, options)
    texts = [_adopt(plan, template, options) for template in templates]
    if any(template.python_functions for template in templates):
        plan.changes += code.values()
        if any(MADE_OF_LAYER.search(text) for text in texts):  # else the app builds a layer of the kit by itself
            plan.changes += _layer_changes(root, options)
            plan.outdated += _outdated_modules(root, options)
    plan.findings.sort()
    return plan


def edited_template(path: Path, options: AdoptOptions) -> str:
    """Returns the text of a template as adopting it would write it, and writes nothing."""
    changes = {change.path: change.content for change in make_plan(path, options).changes}
    return decoded(changes.get(path) or path.read_bytes())[0]


def layer_content(options: AdoptOptions) -> dict[str, Path]:
    """The layer's files by name, with the collector's configuration, and the lock of bundled packages."""
    lock = {PACKAGES: Path(__file__).with_name("packages.txt")} if options.packages == "bundled" else {}
    return {**layer_files(), **lock, "lambda-latency/collector.yaml": example_folder() / "collector.yaml"}


def read_templates(
    path: Path, root: Path, layers: int, visited: set[Path], parameters: Mapping[str, str | None] = MappingProxyType({})
) -> Iterator[Template]:
    """A template with the given parameters, and its nested templates, which must be in the same folder tree."""
    shown = os.path.relpath(path, root)
    real_path = path.resolve()
    if real_path in visited:
        return
    is_first = not visited
    visited.add(real_path)
    if not real_path.is_relative_to(root.resolve()):
        raise AdoptError(f"{shown} is outside {root}", "adopt the folder that contains both")
    node, text = _read_sam(path, shown, is_required=is_first)
    if node is None:
        return
    _check(shown, text, node)
    resolved = resolve(node, parameters, REGION)
    template = Template(path, shown, text, node, functions_in(shown, node, resolved, path.parent, layers))
    if template.python_functions:
        todo = "check the other case by hand"
        template.findings += [
            Diagnostic(shown, condition.line, condition.problem, todo) for condition in resolved.undecided
        ]
    nested = []
    for name, properties, child in nested_templates(node, path.parent):
        passed = passed_parameters(resolved.root.get("Resources", name, "Properties"))
        below = list(read_templates(child, root, layers, visited, passed))
        if any(t.children or t.python_functions for t in below):
            template.children.append(properties)
        nested += below
    yield template
    yield from nested


def _read_sam(path: Path, shown: str, *, is_required: bool) -> tuple[YamlNode | None, str]:
    """A template and its text; None for one without SAM's transform. Raises `AdoptError`, also if it is required."""
    text, encoding = read_text(path, shown)
    if encoding != "utf-8":
        raise AdoptError(f"{shown} is {encoding.upper()}, not UTF-8", "save it as UTF-8")
    node = read_yaml(shown, text)
    if isinstance(node, Diagnostic):
        raise AdoptError(f"{node.source}:{node.line}: {node.problem}", node.todo)
    resources = node.get("Resources")
    if node.kind != "mapping" or resources is None or not resources.entries:
        raise AdoptError(f"{shown}:1: no Resources section", "name a SAM template")
    transform = node.get("Transform")
    if transform is not None and SERVERLESS in transform.texts():
        return node, text
    if is_required:
        raise AdoptError(f"{shown}:1: not a SAM template: Transform is not {SERVERLESS}", by_hand(path))
    return None, text


def _check(shown: str, text: str, node: YamlNode) -> None:
    """Raises `AdoptError` for a SAM template that is not edited: YAML in braces, or names that it does not have."""
    if text.lstrip("\ufeff \r\n\t").startswith("{") and not is_json(text):
        raise AdoptError(f"{shown}:1: the template is in braces, and no JSON", "write it as JSON, or without braces")
    wrong = next(iter(check_template(shown, node)), None) or refusal(shown, text, node)
    if wrong is not None:
        raise AdoptError(f"{wrong.source}:{wrong.line}: {wrong.problem}", wrong.todo)


def _adopt(plan: Plan, template: Template, options: AdoptOptions) -> str:
    """Adds the edits of a template to the plan; returns its new text."""
    uri = os.path.relpath(plan.root / LAYER_FOLDER, template.path.parent) + "/"
    adopted = adopt_template(template, options, uri)
    loss = _loss(template, adopted)
    if loss:
        raise AdoptError(
            f"{template.shown} cannot be edited safely: {loss}", f"adopt it by hand: {page_address('how-to/adopt')}"
        )
    if adopted.text != template.text:
        plan.changes.append(Change(template.path, template.shown, template.text.encode(), adopted.text.encode()))
    plan.findings += [*template.findings, *adopted.findings, *_notes_on(template)]
    for fn in template.functions:
        if fn.obstacle is not None:
            plan.skipped += 1
            plan.unswitched += fn.adopted
        elif fn.is_python:
            plan.summaries.append(_summary(fn, adopted))
    return adopted.text


def _summary(fn: AppFn, adopted: Adopted) -> FunctionSummary:
    """Returns the additions to a function as text."""
    architecture = f"by {fn.arm}" if fn.arm else fn.architecture
    bridge = {None: "unknown", True: "yes", False: "not needed"}[fn.bridge]
    if fn.adopted:
        where = SWITCHED if fn in adopted.switched else AS_IT_IS
        permission = AS_IT_IS
    else:
        where = adopted.where if fn.created else f"{adopted.where}, {OFF}"
        permission = adopted.permissions.get(fn.name, "by hand")
    return FunctionSummary(fn.name, fn.runtime, architecture, where, bridge, permission)


def _layer_changes(root: Path, options: AdoptOptions) -> Iterator[Change]:
    """The layer's files that are missing, or differ from this release."""
    for name, source in sorted(layer_content(options).items()):
        path = root / LAYER_FOLDER / name
        content = source.read_bytes()
        original = path.read_bytes() if path.is_file() else None
        if original != content:
            shown = f"{LAYER_FOLDER}/{name}"
            yield Change(path, shown, original, content, executable=name == WRAPPER)


def _outdated_modules(root: Path, options: AdoptOptions) -> list[str]:
    """The layer's modules that an earlier release wrote, nobody has edited since, and this release does not have."""
    record = read_record(root)
    if record is None:
        return []
    current = {f"{LAYER_FOLDER}/{name}" for name in layer_content(options)}.union(record.edited_since(root))
    folders = tuple(f"{LAYER_FOLDER}/{folder}" for folder in MODULES)
    return sorted(name for name in record.files if name.startswith(folders) and name not in current)


def _notes_on(template: Template) -> Iterator[Diagnostic]:
    """The notes on the functions of a template that are adopted."""
    sizes = [(fn, _memory(fn)) for fn in template.python_functions]
    small = [(fn, size) for fn, size in sizes if size is not None and size < LEAST_MB]
    if small:
        named = ", ".join(f"{fn.name} ({size} MB)" for fn, size in small[:SHOWN])
        more = f" and {len(small) - SHOWN} more" if len(small) > SHOWN else ""
        problem = f"{named}{more}: with so little memory a cold start takes seconds"
        yield Diagnostic(template.shown, small[0][0].line, problem, f"set MemorySize to {LEAST_MB} or more")


def _memory(fn: AppFn) -> int | None:
    """The megabytes of a function; None if they are computed."""
    node = first_value(fn.places, "MemorySize")
    if node is None:
        return DEFAULT_MB
    return int(node.text) if node.text.isdecimal() else None


def _loss(template: Template, adopted: Adopted) -> str:
    """The reason why the edited text is wrong; empty if it is right."""
    if is_json(template.text) and not is_json(adopted.text):
        return "it would not be JSON"
    root = read_yaml(template.shown, adopted.text)
    if isinstance(root, Diagnostic):
        return f"line {root.line}: {root.problem}"
    unknown = next(iter(check_template(template.shown, root)), None)
    if unknown is not None:
        return f"line {unknown.line}: {unknown.problem}"
    lost = next(_lost_paths(template.root, root, "", adopted.replaced), "")
    if lost:
        return f"{lost} would change"
    new_lines = iter(adopted.text.splitlines())
    for number, line in enumerate(template.text.splitlines(), 1):
        if line.strip().startswith("#") and not any(line == new_line for new_line in new_lines):
            return f"the comment of line {number} would be lost"
    return ""


def _lost_paths(old: YamlNode, new: YamlNode, path: str, replaced: Collection[Span]) -> Iterator[str]:
    """The paths of values of `old` that `new` lacks or changes; `new` may have more entries, and items at the end."""
    if (old.start, old.end) in replaced:
        return
    is_shorter = len(new.items) < len(old.items)
    items = [item for item in old.items if not (is_shorter and (item.start, item.end) in replaced)]
    if _is_changed(old, new, len(items)):
        yield path
        return
    pairs = [(name, node, new.get(name)) for name, _, node in old.named() if (node.start, node.end) not in replaced]
    pairs += zip(map(str, count()), items, new.items, strict=False)
    for name, old_value, new_value in pairs:
        below = f"{path}.{name}".lstrip(".")
        if new_value is None:
            yield below
        else:
            yield from _lost_paths(old_value, new_value, below, replaced)


def _is_changed(old: YamlNode, new: YamlNode, least_items: int) -> bool:
    """Whether a value differs without regard to what is in it, or has fewer items than `least_items`."""
    is_of_other_kind = not old.empty and (old.kind, old.function) != (new.kind, new.function)
    is_other_scalar = not old.empty and old.kind == "scalar" and old.value != new.value
    has_other_arguments = (len(old.items), len(old.entries)) != (len(new.items), len(new.entries))
    has_other_size = (bool(old.function) and has_other_arguments) or len(new.items) < least_items
    return is_of_other_kind or is_other_scalar or has_other_size


def regions_of(folder: Path, chosen: Sequence[str], environment: Mapping[str, str]) -> tuple[tuple[str, ...], str]:
    """The regions of an app and their origin: --region, samconfig, a variable or the profile; none if none has it."""
    if chosen:
        return tuple(dict.fromkeys(chosen)), "--region"
    for name in ("samconfig.toml", "samconfig.yaml", "samconfig.yml"):
        try:
            regions = tuple(dict.fromkeys(SAM_REGION.findall((folder / name).read_text("utf-8"))))
        except (OSError, UnicodeDecodeError):
            continue
        if regions:
            return regions, name
    for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        if environment.get(variable):
            return (environment[variable],), variable
    region = _region_of_profile(environment)
    return ((region,), "the AWS profile") if region else ((), "")


def _region_of_profile(environment: Mapping[str, str]) -> str:
    """The region of the profile in AWS's configuration file; empty without one."""
    path = Path(environment.get("AWS_CONFIG_FILE") or Path.home() / ".aws" / "config")
    profile = environment.get("AWS_PROFILE") or environment.get("AWS_DEFAULT_PROFILE") or "default"
    configuration = ConfigParser(interpolation=None)
    try:
        configuration.read(path, encoding="utf-8")
    except (OSError, UnicodeDecodeError, ConfigError):
        return ""
    section = profile if profile == "default" else f"profile {profile}"
    return configuration.get(section, "region", fallback="")
