"""Builds one HTML file from markup, styles, scripts and data; its content security policy forbids anything else."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PAGE = Path(__file__).parent
BLOCK = 200_000  # characters of spans that are deflated together: a browser inflates those of the request it opens
LONGEST_TITLE = 90


def build_page(values: Mapping[str, object], spans: Sequence[str], sentence: str) -> str:
    """The page as HTML text; every part with data from traces is ASCII.

    `values` is the report (from `page_values`), `spans` a JSON line for each request whose spans the page contains.
    """
    style, load, script = map(_bundled, ("page.css", "load.js", "page.js"))
    # Inserted parts are not scanned again: names in traces may look like placeholders.
    places = {
        "STYLE": style,
        "LOAD": load,
        "SCRIPT": _packed_script(),
        "STYLE_HASH": _hash(style),
        "LOAD_HASH": _hash(load),
        "SCRIPT_HASH": _hash(script),
        "TITLE": _text(sentence if len(sentence) <= LONGEST_TITLE else f"{sentence[:LONGEST_TITLE]}..."),
        "SENTENCE": _text(sentence),
        "REPORT": island(json.dumps(values, separators=(",", ":"))),
        "SPANS": "\n".join(_deflated(spans)),
    }
    shell = (PAGE / "page.html").read_text(encoding="utf-8")
    return re.sub(r"@([A-Z_]+)@", lambda found: places[found[1]], shell)


def island(text: str) -> str:
    """JSON text for a script element, escaped so that it cannot end the element or start another."""
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _deflated(lines: Sequence[str]) -> Iterator[str]:
    """The lines in blocks, `number of lines:base64 of raw deflate`."""
    block: list[str] = []
    for at, line in enumerate(lines):
        block.append(line)
        if at == len(lines) - 1 or sum(map(len, block)) + len(lines[at + 1]) > BLOCK:
            text = "\n".join(block)
            yield f"{len(block)}:{_packed(text)}"
            block = []


def _packed(text: str) -> str:
    """ASCII text as base64 of raw deflate."""
    packer = zlib.compressobj(9, wbits=-15)
    return base64.b64encode(packer.compress(text.encode("ascii")) + packer.flush()).decode()


@cache
def _packed_script() -> str:
    return _packed(_bundled("page.js"))


@cache
def _bundled(name: str) -> str:
    return (PAGE / "bundle" / name).read_text(encoding="ascii")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _text(text: str) -> str:
    return html.escape(text).encode("ascii", "xmlcharrefreplace").decode()
