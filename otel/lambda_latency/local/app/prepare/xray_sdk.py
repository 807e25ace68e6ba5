"""Finds functions that use the X-Ray SDK or Powertools' Tracer, so that the kit records their subsegments."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from lambda_latency.local.differences import DIFFERENCES
from lambda_latency.template import own_python_files

SDK, TRACER = "aws_xray_sdk", ("aws_lambda_powertools.Tracer", "aws_lambda_powertools.tracing")
VARIABLE = "LAMBDA_LATENCY_XRAY_SDK"
BRIDGED = next(one for one in DIFFERENCES if one.name == "xray-sdk")


def bridge_variables(environment: Mapping[str, str], folders: Iterable[Path]) -> dict[str, str]:
    """The variable by which the kit takes the SDK's place, for a function that uses it and does not choose itself."""
    return {VARIABLE: "bridge"} if VARIABLE not in environment and uses_xray_sdk(folders) else {}


def uses_xray_sdk(folders: Iterable[Path]) -> bool:
    """Whether a file of these folders imports the SDK or the Tracer."""
    return any(
        name.partition(".")[0] == SDK or name.startswith(TRACER)
        for folder in folders
        for file in own_python_files(folder, ())
        for name in _imported(file)
    )


def _imported(file: Path) -> Iterator[str]:
    try:
        content = file.read_bytes()
        tree = ast.parse(content) if SDK.encode() in content or b"powertools" in content else ast.Module([], [])
    except (OSError, SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{one.name}" for one in node.names)
