"""Checks, before the app starts, that all names used in a template are defined."""

from __future__ import annotations

import importlib.util
import json
from functools import cache
from pathlib import Path

from lambda_latency.local.app.read.source import TemplateError
from lambda_latency.template import Node, check_template

# cfn-lint is a dependency of the SAM CLI. Importing it would take a second.
LISTED = Path("data", "schemas", "providers", "us-east-1.json")


def check(path: Path, root: Node) -> None:
    """Raises `TemplateError` with all findings."""
    found = check_template(str(path), root, resource_types())
    if found:
        raise TemplateError(list(found))


@cache
def resource_types() -> frozenset[str]:
    """CloudFormation's resource types, from cfn-lint's list; empty without cfn-lint or its list."""
    package = importlib.util.find_spec("cfnlint")
    if package is None or package.origin is None:
        return frozenset()
    try:
        return frozenset(json.loads((Path(package.origin).parent / LISTED).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return frozenset()
