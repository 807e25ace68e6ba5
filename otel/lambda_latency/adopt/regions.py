"""The regions of an app: layers are published by region, under other numbers in each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

USUAL = "us-east-1"
REGION = re.compile(r"""^\s*["']?region["']?\s*[=:]\s*["']?([a-z]{2}(?:-[a-z]+)+-\d)\b""", re.MULTILINE)


def regions_of(folder: Path, given: Sequence[str], environment: Mapping[str, str]) -> tuple[tuple[str, ...], str]:
    """The regions in which an app is deployed, and where they come from.

    Those that are given; else those of samconfig; else that of the environment's variables; else us-east-1.
    """
    if given:
        return tuple(dict.fromkeys(given)), "--region"
    for name in ("samconfig.toml", "samconfig.yaml", "samconfig.yml"):
        try:
            found = tuple(dict.fromkeys(REGION.findall((folder / name).read_text("utf-8"))))
        except (OSError, UnicodeDecodeError):
            continue
        if found:
            return found, name
    for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        if environment.get(variable):
            return (environment[variable],), variable
    return (USUAL,), "no --region is given"
