"""Removes the X-Ray SDK from requirements: the layer provides its modules. Unusual forms are left to a person."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from lambda_latency.template import Finding

FILES = ("requirements.txt", "pyproject.toml", "Pipfile")
LOCKS = {"pyproject.toml": ("poetry.lock", "uv.lock", "pdm.lock"), "Pipfile": ("Pipfile.lock",)}
SDK = re.compile(r"aws[-_.]xray[-_.]sdk\s*(?:\[[^\]]*\])?(?=\s*(?:[=<>!~;@#\\\r\n]|$))", re.IGNORECASE)
POWERTOOLS = re.compile(r"(aws[-_.]lambda[-_.]powertools\s*)\[([^\]]*)\]", re.IGNORECASE)
QUOTED = re.compile(r"""^\s*(["'])aws[-_.]xray[-_.]sdk\b[^"']*\1\s*,?\s*(#.*)?\r?\n""", re.IGNORECASE | re.MULTILINE)
KEYED = re.compile(r"""^["']?aws[-_.]xray[-_.]sdk["']?\s*=[^\r\n]*\r?\n""", re.IGNORECASE | re.MULTILINE)
TABLED = re.compile(r"""^["']?aws[-_.]lambda[-_.]powertools["']?\s*=\s*\{.*["'](tracer|all)["']""", re.IGNORECASE)
ANYWHERE = re.compile(r"aws[-_.]xray[-_.]sdk", re.IGNORECASE)


def without_sdk(path: Path, shown: str, text: str) -> tuple[str, list[Finding]]:
    """The text without the SDK, and the findings left to a person."""
    new = _lines(text) if path.suffix == ".txt" else KEYED.sub("", QUOTED.sub("", text))
    new = POWERTOOLS.sub(_extras, new)
    left = []
    for number, line in enumerate(new.splitlines(), 1):
        if ANYWHERE.search(line) and not line.lstrip().startswith("#"):
            todo = "remove it: the kit's layer provides its modules"
            left.append(Finding(shown, number, "names the X-Ray SDK in a form that is not edited", todo))
        tabled = TABLED.search(line)
        if tabled:
            what = f"aws-lambda-powertools with the extra {tabled[1]} depends on the X-Ray SDK"
            left.append(Finding(shown, number, what, "name the extras that are used, without tracer"))
        whole = POWERTOOLS.search(line)
        if whole and "all" in _names(whole[2]):
            what = "aws-lambda-powertools[all] depends on the X-Ray SDK"
            left.append(Finding(shown, number, what, "name the extras that are used, without tracer"))
    if new != text:
        left += [
            Finding(shown, 1, f"{lock} still has the X-Ray SDK", f"regenerate {lock}")
            for lock in LOCKS.get(path.name, ())
            if path.with_name(lock).exists()
        ]
    return new, left


def line_of_sdk(text: str) -> int | None:
    """The first line that requires the X-Ray SDK, directly or by an extra of Powertools; None without one."""
    for number, line in enumerate(text.splitlines(), 1):
        extras = POWERTOOLS.search(line)
        by_extra = extras is not None and {"tracer", "all"} & {one.lower() for one in _names(extras[2])}
        if not line.lstrip().startswith("#") and (ANYWHERE.search(line) or by_extra or TABLED.search(line)):
            return number
    return None


def _lines(text: str) -> str:
    """A requirements file without the SDK's line and its continuation lines (hashes)."""
    kept, skipping = [], False
    for line in text.splitlines(keepends=True):
        if skipping or SDK.match(line.lstrip("\ufeff")):
            if line.startswith("\ufeff"):
                kept.append("\ufeff")
            skipping = line.rstrip().endswith("\\")
        else:
            kept.append(line)
    return "".join(kept)


def _extras(match: re.Match[str]) -> str:
    names = [name for name in _names(match[2]) if name.lower() != "tracer"]
    if len(names) == len(list(_names(match[2]))):
        return match[0]
    return f"{match[1].rstrip()}[{','.join(names)}]" if names else match[1].rstrip()


def _names(extras: str) -> Iterator[str]:
    return (name.strip() for name in extras.split(",") if name.strip())
