"""Where a template is: its usual names in a folder, and what to do in a folder that has none of them."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path

from lambda_latency.documentation import page_address
from lambda_latency.template.artifact import LAYER_FOLDER
from lambda_latency.template.node import YamlNode

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
OPTION = "--template FILE"  # of each command that reads a template
BY_HAND = f"add the layer by hand: {page_address('how-to/adopt')} has an example"
OTHERS = frozenset(["node_modules", "site-packages", "venv", LAYER_FOLDER])  # never the app's own templates
# The folders of templates that other frameworks make, to be read and not to be edited, and what to edit instead.
MADE = {
    "cdk.out": f"add the layer in the CDK app: {page_address('how-to/adopt')} has an example",
    ".serverless": f"add the layer in serverless.yml: {page_address('how-to/adopt')} has an example",
}
SUFFIXES = (".yaml", ".yml", ".json", ".template")
# The property of a nested stack that names its template.
NESTED = {"AWS::Serverless::Application": "Location", "AWS::CloudFormation::Stack": "TemplateURL"}
SAM, PLAIN = b"AWS::Serverless::Function", b"AWS::Lambda::Function"
DEEPEST, MOST_FILES, MOST_NAMED, LARGEST = 6, 5_000, 5, 2_000_000


def usual_template(folder: Path) -> Path | None:
    """The template of a folder under one of the usual names; None without one."""
    return next((folder / name for name in USUAL if (folder / name).is_file()), None)


def missing_template(folder: Path, *, to_edit: bool = False) -> tuple[str, str]:
    """What a folder without a template is, and what to do. `to_edit`: for a command that edits SAM templates."""
    files = list(islice(_files(folder, () if to_edit else MADE), MOST_FILES))
    names = {path.name for path in files}
    app, command = next((framework[1:] for framework in FRAMEWORKS if fnmatch.filter(names, framework[0])), ("", ""))
    problem = f"no template.yaml in {'this folder' if folder == Path() else folder}"
    if app:
        problem += f": it is {app}"
    marks = (SAM,) if to_edit else (SAM, PLAIN)
    templates = [os.path.relpath(path, folder) for path in files if path.suffix in SUFFIXES and _has(path, marks)]
    if templates:
        more = f" and {len(templates) - MOST_NAMED} more" if len(templates) > MOST_NAMED else ""
        return problem, f"name the template: {', '.join(templates[:MOST_NAMED])}{more} ({OPTION})"
    if to_edit:
        return problem, BY_HAND if app else f"name a SAM template ({OPTION})"
    action = f"run {command}" if command else "name a SAM or CloudFormation template"
    return problem, f"{action} ({OPTION})"


def nested_templates(root: YamlNode, folder: Path) -> Iterator[tuple[str, YamlNode, Path]]:
    """The name and the properties of each nested stack whose template is a local file, and that file; `folder` is that
    of the template.
    """
    for name, _, resource in root.named("Resources"):
        place, properties = NESTED.get(resource.text_at("Type"), ""), resource.get("Properties")
        path = Path(os.path.normpath(folder / resource.text_at("Properties", place)))
        if properties is not None and path.is_file():
            yield name, properties, path


def by_hand(path: Path) -> str:
    """How the layer is added to an app whose template is not edited."""
    folder = path.resolve().parent.name
    return MADE.get(folder, f"add the layer by hand: {page_address('how-to/existing-app')}")


def _files(folder: Path, hidden: Collection[str]) -> Iterator[Path]:
    """The files of a folder and of those in it, a folder's own first."""
    for inside, folders, names in os.walk(folder):
        depth = len(Path(inside).relative_to(folder).parts)
        visible = (
            name for name in folders if name in hidden or not (name in OTHERS or name in MADE or name.startswith("."))
        )
        folders[:] = sorted(visible) if depth < DEEPEST else []
        yield from (path for name in sorted(names) if (path := Path(inside, name)).is_file())


def _has(path: Path, marks: tuple[bytes, ...]) -> bool:
    try:
        content = path.read_bytes() if path.stat().st_size <= LARGEST else b""
    except OSError:
        return False
    return b"Resources" in content and any(mark in content for mark in marks)
