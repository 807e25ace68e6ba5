"""The variants of the example's template that `adopt` makes, as stacks and as projects on a disk."""

from __future__ import annotations

import shutil
from functools import cache
from typing import TYPE_CHECKING

from lambda_latency.adopt import Wanted, edited_template
from lambda_latency.example import FILES
from tests.template.deployed import ROOT, Stack, deploy_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

EXPORTS, INSTRUMENTATIONS = ("collector", "daemon", "otlp"), ("kit", "layer")
TEMPLATE = ROOT / "template.yaml"


@cache
def variant_text(export: str, instrumentation: str) -> str:
    """The template that `adopt --export EXPORT --instrumentation INSTRUMENTATION` writes."""
    return edited_template(TEMPLATE, Wanted(export, instrumentation=instrumentation))


def variant(export: str, instrumentation: str, **parameters: str) -> Stack:
    """The stack of a variant."""
    return deploy_text(variant_text(export, instrumentation), **parameters)


def write_variant(
    folder: Path, export: str = "collector", instrumentation: str = "kit", edits: Mapping[str, str] | None = None
) -> Path:
    """Write the example with a variant of its template into a folder; returns the template's path.

    `edits`: texts of the template, each of which is in it once, with what takes its place.
    """
    for name in FILES:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
        else:
            shutil.copy2(source, target)
    text = variant_text(export, instrumentation)
    for before, after in (edits or {}).items():
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    template = folder / "template.yaml"
    template.write_text(text, "utf-8")
    return template
