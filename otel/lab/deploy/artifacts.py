"""Puts the artifacts of one `sam build` into another template of the same app, such as a variant of it."""

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from samcli.yamlhelper import yaml_dump, yaml_parse

PLACES = ("CodeUri", "ContentUri", "Location")


def with_artifacts(written: Mapping[str, Any], built: Path, name: str) -> Path:
    """Write a template as `name` beside a built one, whose artifacts it gets; returns the file's path."""
    template = deepcopy(dict(written))
    for logical, resource in yaml_parse(built.read_text("utf-8"))["Resources"].items():
        properties = resource.get("Properties", {})
        template["Resources"][logical]["Properties"].update(
            {key: properties[key] for key in PLACES if key in properties}
        )
    path = built.with_name(name)
    path.write_text(yaml_dump(template), "utf-8")
    return path
