"""A small value that a model (a JSON schema) accepts, for the printed commands of routes with a validator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DEEPEST = 8  # levels of a schema that refers to itself
FORMATS = {"date": "2026-01-01", "date-time": "2026-01-01T00:00:00Z", "email": "me@example.com"}


def instance(schema: Any, root: Mapping[str, Any] | None = None, level: int = 0) -> Any:
    """A value with the required properties only. It need not match patterns, which are not solved here."""
    root = schema if root is None else root
    schema = _referred(schema, root)
    for key in ("example", "default", "const"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][0]
    for key in ("oneOf", "anyOf"):
        if schema.get(key):
            return instance(schema[key][0], root, level + 1)
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "array":
        return [instance(schema.get("items") or {}, root, level + 1)] * int(schema.get("minItems") or 0)
    if kind in ("integer", "number"):
        least = schema.get("minimum", 0)
        return least + 1 if schema.get("exclusiveMinimum") is True else least
    if kind == "boolean":
        return True
    if kind == "string":
        text = FORMATS.get(str(schema.get("format")), "text")
        return text.ljust(int(schema.get("minLength") or 0), "x")[: int(schema.get("maxLength") or 1000)]
    parts = [_referred(one, root) for one in schema.get("allOf") or ()]
    known = {name: one for part in (*parts, schema) for name, one in (part.get("properties") or {}).items()}
    names = [name for part in (*parts, schema) for name in part.get("required") or ()]
    return {name: instance(known.get(name) or {}, root, level + 1) for name in names if level < DEEPEST}


def _referred(schema: Any, root: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema, or the one in the same document that it refers to."""
    for _ in range(DEEPEST):
        if not isinstance(schema, Mapping) or not str(schema.get("$ref", "")).startswith("#/"):
            break
        found: Any = root
        for part in str(schema["$ref"])[2:].split("/"):
            found = found.get(part) if isinstance(found, Mapping) else None
        schema = found
    return schema if isinstance(schema, Mapping) else {}
