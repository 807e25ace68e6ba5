"""Where a template is: its usual names in a folder, and what to do in a folder that has none of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from lambda_latency.template.artifact import LAYER_FOLDER

__all__ = ["missing_template", "usual_template"]

USUAL = (
    "template.yaml",
    "template.yml",
    "template.json",
    "sam.yaml",
    "sam.yml",
    "cloudformation.yaml",
    "serverless.template",
)
PACKAGE = "serverless package, then name .serverless/cloudformation-template-update-stack.json"
# Another framework's file, its app, and the command that makes a template of it; none for Terraform.
FRAMEWORKS = (
    ("cdk.json", "a CDK app", "cdk synth, then name cdk.out/STACK.template.json"),
    ("serverless.yml", "a Serverless Framework app", PACKAGE),
    ("serverless.yaml", "a Serverless Framework app", PACKAGE),
    ("*.tf", "a Terraform configuration", ""),
)
BY_HAND = "add the layer by hand: docs/how-to/adopt.md has an example"
OTHERS = frozenset(["node_modules", "site-packages", "venv", LAYER_FOLDER])  # never the app's own templates
MADE = frozenset(["cdk.out", ".serverless"])  # templates of other frameworks: to be read, not to be edited
SUFFIXES = (".yaml", ".yml", ".json", ".template")
SAM, PLAIN = b"AWS::Serverless::Function", b"AWS::Lambda::Function"
DEEPEST, MOST_FILES, MOST_NAMED, LARGEST = 6, 5_000, 5, 2_000_000


def usual_template(folder: Path) -> Path | None:
    """The template of a folder under one of the usual names; None without one."""
    return next((folder / name for name in USUAL if (folder / name).is_file()), None)


def missing_template(folder: Path, *, to_edit: bool = False) -> tuple[str, str]:
    """What a folder without a template is, and what to do. `to_edit`: for a command that edits SAM templates."""
    found = [os.path.relpath(path, folder) for path in _below(folder, to_edit)]
    if found:
        more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
        return "no template.yaml", f"name the template: {', '.join(found[:MOST_NAMED])}{more}"
    any_template = "name a SAM template" if to_edit else "name a SAM or CloudFormation template"
    for name, what, command in FRAMEWORKS:
        if any(folder.glob(name)):
            todo = BY_HAND if to_edit else f"run {command}" if command else any_template
            return f"no template.yaml: it is {what}", todo
    return "no template.yaml", any_template


def _below(folder: Path, to_edit: bool) -> Iterator[Path]:
    """The templates with functions in a folder and the folders in it."""
    marks = (SAM,) if to_edit else (SAM, PLAIN)
    for path in islice(_files(folder, MADE if not to_edit else frozenset()), MOST_FILES):
        if path.suffix in SUFFIXES and _has(path, marks):
            yield path


def _files(folder: Path, hidden: frozenset[str]) -> Iterator[Path]:
    for inside, folders, names in os.walk(folder):
        depth = len(Path(inside).relative_to(folder).parts)
        kept = (name for name in folders if name in hidden or not (name in OTHERS | MADE or name.startswith(".")))
        folders[:] = sorted(kept) if depth < DEEPEST else []
        yield from (Path(inside, name) for name in sorted(names))


def _has(path: Path, marks: tuple[bytes, ...]) -> bool:
    try:
        content = path.read_bytes() if path.stat().st_size <= LARGEST else b""
    except OSError:
        return False
    return b"Resources" in content and any(mark in content for mark in marks)
