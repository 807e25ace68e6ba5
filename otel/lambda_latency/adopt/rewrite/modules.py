"""Rewrites the sources of a function for OpenTelemetry's API."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from libcst import ParserSyntaxError

from lambda_latency.adopt.rewrite import rewrite
from lambda_latency.adopt.sources import shared_names, sources_of
from lambda_latency.template import Finding

__all__ = ["rewritten_sources"]


def rewritten_sources(folder: Path, root: Path) -> Iterator[tuple[Path, bytes, bytes, list[Finding]]]:
    """Each module that uses the X-Ray SDK, its bytes before and after, and findings about code left to the bridge.

    A module that is outside the app, read-only or not parseable is not changed.
    """
    paths = sources_of(folder)
    shared = shared_names(paths)
    for path in paths:
        shown = os.path.relpath(path, root)
        try:
            before = path.read_bytes()
            text = before.decode("utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        if "aws_xray_sdk" not in text:
            continue
        if not path.resolve().is_relative_to(root.resolve()) or not path.stat().st_mode & 0o222:
            yield path, before, before, [Finding(shown, 1, "not rewritten", "it is read-only, or outside the app")]
            continue
        mark = "\ufeff" if text.startswith("\ufeff") else ""
        try:
            new = rewrite(text[len(mark) :], shown, shared)
        except ParserSyntaxError:
            continue  # read_uses reports the line
        yield path, before, (mark + new.text).encode(), new.left
