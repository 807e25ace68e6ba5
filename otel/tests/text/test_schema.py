"""A reader of the JSON report of schema 2 finds its keys in schema 3."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lambda_latency.text
from tests.docs.pages import page

SCHEMA = json.loads(Path(lambda_latency.text.__file__).with_name("report.schema.json").read_text())
# All keys of schema 2, as paths: `verdict.owner`, `classes[].requests`.
EARLIER = set(Path(__file__).with_name("schema_2.txt").read_text().split())
GONE = {"against.kind"}


def keys(schema: dict[str, Any], above: str = "", inside: tuple[str, ...] = ()) -> Iterator[str]:
    """The paths of all keys that a schema has."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name not in inside:
            yield from keys(SCHEMA["$defs"][name], above, (*inside, name))
    for choice in ("anyOf", "oneOf", "allOf"):
        for branch in schema.get(choice, []):
            yield from keys(branch, above, inside)
    for name, below in schema.get("properties", {}).items():
        yield above + name
        yield from keys(below, f"{above}{name}.", inside)
    if isinstance(schema.get("items"), dict):
        yield from keys(schema["items"], f"{above.removesuffix('.')}[].", inside)


def test_no_other_key_has_gone() -> None:
    """And what has gone stands in the note on the migration."""
    assert EARLIER - set(keys(SCHEMA)) == GONE
    rows = page("reference/json-report.md").table("schema 2 | schema 3")
    assert all(any(f"`{key}`" in row[0] for row in rows) for key in GONE)
