"""Templates of stacks of the kit's own as values, and what their functions are allowed to do."""

import re
import shutil
from pathlib import Path
from typing import Any

import msgspec
import yaml

KIT = Path(__file__).parents[1] / "lambda_latency"


class Loader(yaml.SafeLoader):
    """CloudFormation's short forms as values."""


def _short(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return {tag: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {tag: loader.construct_sequence(node, deep=True)}
    return {tag: loader.construct_mapping(node, deep=True)}  # type: ignore[arg-type]


Loader.add_multi_constructor("!", _short)


def loaded(template: Path) -> dict[str, Any]:
    """The template's resources by name."""
    resources: dict[str, Any] = yaml.load(template.read_text(encoding="utf-8"), Loader)["Resources"]  # noqa: S506
    return resources


def statements(template: Path, function: str) -> list[dict[str, Any]]:
    """Those of a function's policy, conditions resolved."""
    [policy] = loaded(template)[function]["Properties"]["Policies"]
    return [statement["If"][1] if "If" in statement else statement for statement in policy["Statement"]]


def unasked(modules: dict[str, str]) -> list[tuple[str, str]]:
    """The actions that their module, as `modules` names it, does not ask AWS for."""
    missing = []
    for action, module in modules.items():
        operation = action.partition(":")[2]
        method = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation).lstrip("_")
        source = (KIT / module).read_text(encoding="utf-8")
        if re.search(rf'[."]{method}[(",]', source) is None:
            missing.append((action, module))
    return missing


def copied(folder: Path, _: str) -> None:
    """This environment's own package stands in for the one that an index has for Lambda."""
    shutil.copytree(Path(msgspec.__file__).parent, folder / "msgspec")
