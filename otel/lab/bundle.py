"""Bundles the scripts and styles of the report's page into otel/lambda_latency/page/bundle, which is committed.

The types of the page's data are made of their schema first. Neither `pip install` nor `make wheel` needs Node.js.
`--check` compares the committed files with new ones.

Usual time: a second.
"""

import json
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab.commands import ROOT, make

PAGE = ROOT / "otel" / "lambda_latency" / "page"
SOURCE, BUNDLE = PAGE / "source", PAGE / "bundle"
SCHEMA, TYPES = PAGE / "report-island.schema.json", SOURCE / "script" / "island.d.ts"
NODE = ROOT / "build" / "npm" / "ready"
ESBUILD = NODE.parent / "node_modules" / ".bin" / "esbuild"
TARGET = "chrome111,firefox113,safari16.4"  # from spring 2023 on, which have color-mix
# The files of the bundle: where each begins, and the options of the bundler.
FILES: dict[str, tuple[Path, list[str]]] = {
    "load.js": (SOURCE / "script" / "load.ts", ["--format=iife", "--legal-comments=none"]),
    "page.js": (SOURCE / "script" / "start.ts", ["--format=iife", "--legal-comments=none"]),
    "page.css": (SOURCE / "style" / "page.css", []),
    "live.js": (SOURCE / "script" / "live" / "start.ts", ["--format=iife", "--legal-comments=none"]),
    "live.css": (SOURCE / "style" / "live.css", []),
}


def main(parser: ArgumentParser) -> int:
    """Write the files, or compare; status 1 if a committed file is not that of its source."""
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    make(NODE)
    texts = {TYPES: types(json.loads(SCHEMA.read_text())), **bundled()}
    for path, text in texts.items():
        if not check:
            path.write_text(text, encoding="ascii")
            print(f"{path.relative_to(ROOT)}: {len(text) / 1000:.0f} kB")
    stale = [path for path, text in texts.items() if not path.exists() or path.read_text(encoding="ascii") != text]
    for path in stale:
        print(f"{path.relative_to(ROOT)} is not that of its source: make lab NAME=bundle", file=sys.stderr)
    return int(bool(stale))


def types(schema: dict[str, Any]) -> str:
    """The schema as TypeScript: an interface for each definition, and one for the whole."""
    named = {"island": schema, **schema["$defs"]}
    head = f"// The data of the page, from {SCHEMA.name}: `make lab NAME=bundle` writes this file.\n"
    return head + "".join(
        f"\nexport interface {name.capitalize()} {_type(definition)}\n" if definition["type"] == "object" else ""
        for name, definition in named.items()
    )


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2].capitalize()
    if "anyOf" in schema:
        return " | ".join(map(_type, schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        return " | ".join(map(json.dumps, schema.get("enum", [schema.get("const")])))
    kind = str(schema["type"])
    if "prefixItems" in schema:
        return f"[{', '.join(map(_type, schema['prefixItems']))}]"
    if kind == "array":
        inner = _type(schema["items"])
        return f"({inner})[]" if " | " in inner else f"{inner}[]"
    if "properties" in schema:
        return f"{{ {'; '.join(_members(schema))} }}"
    if "additionalProperties" in schema:
        return f"Record<string, {_type(schema['additionalProperties'])}>"
    return {"integer": "number"}.get(kind, kind)


def _members(schema: dict[str, Any]) -> Iterator[str]:
    for name, member in schema["properties"].items():
        optional = "" if name in schema["required"] else "?"
        yield f"{name}{optional}: {_type(member)}"


def bundled() -> dict[Path, str]:
    """The text of each file of the bundle, from the sources as they are now."""
    texts = {}
    with tempfile.TemporaryDirectory(prefix="bundle-") as folder:
        for name, (entry, options) in FILES.items():
            out = Path(folder, name)
            command = [str(ESBUILD), str(entry), "--bundle", "--minify", f"--target={TARGET}", f"--outfile={out}"]
            subprocess.run([*command, *options, "--log-level=warning"], cwd=ROOT, check=True)
            texts[BUNDLE / name] = out.read_text(encoding="utf-8")
    return texts
