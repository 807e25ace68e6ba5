"""Metadata in the format of X-Ray's exporter: one attribute per namespace, a JSON object as text."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "aws.xray.metadata."
LIMIT = "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"
DEEPEST = 50


def documents(attributes: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The metadata in a span's attributes, by namespace; values other than JSON objects are ignored."""
    found: dict[str, dict[str, Any]] = {}
    for key, value in attributes.items():
        if key.startswith(PREFIX):
            with suppress(ValueError):
                read = json.loads(value)
                if isinstance(read, dict):
                    found[key.removeprefix(PREFIX)] = read
    return found


def document(values: dict[str, Any]) -> str:
    """The JSON text of a namespace. Values are shortened, still as JSON, to fit the attribute's length limit."""
    given = os.environ.get(LIMIT, "")
    limit = int(given) if given.isdecimal() else 4096
    parts = {str(key): json.dumps(plain(value), default=str) for key, value in values.items()}
    text = joined(parts)
    if len(text) <= limit:
        return text
    # The longest values are shortened first, each to a share of the limit: most values are short.
    share = max(limit // (len(parts) or 1) - 32, 16)
    for key, part in sorted(parts.items(), key=lambda item: -len(item[1])):
        if len(text) <= limit:
            break
        parts[key] = json.dumps(cut(part, share))
        text = joined(parts)
    return text


def plain(value: Any, depth: int = 0) -> Any:
    """The value as lists, mappings and scalars; an object becomes a mapping of its public attributes, as in the SDK."""
    if depth > DEEPEST:
        return str(value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, dict):
        return {str(key): plain(one, depth + 1) for key, one in value.items()}
    if isinstance(value, type):
        return str(value)
    if hasattr(value, "__iter__"):
        return [plain(one, depth + 1) for one in value]
    if hasattr(value, "__dict__"):
        return {
            key: plain(one, depth + 1)
            for key, one in vars(value).items()
            if not callable(one) and not key.startswith("_")
        }
    return value


def joined(parts: dict[str, str]) -> str:
    """A JSON object from values that are JSON texts."""
    return "{" + ", ".join([f"{json.dumps(key)}: {part}" for key, part in parts.items()]) + "}"


def cut(text: str, limit: int) -> str:
    """The beginning of a text whose JSON has at most `limit` characters."""
    while len(json.dumps(text)) > limit and text:
        text = text[: max(limit * len(text) // len(json.dumps(text)) - 1, 0)]
    return text
