"""Builds one HTML file from markup, styles, scripts and data; its content security policy forbids anything else.

Other pages of the kit use its colours, fonts, and the functions that make elements.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

PAGE = Path(__file__).parent
# Characters of spans that are deflated together: a browser inflates those of the request it opens
BLOCK = 200_000
LONGEST_TITLE = 90


def build_page(values: Mapping[str, object], spans: Sequence[str], sentence: str) -> str:
    """Return the page as HTML text; every part with data from traces is ASCII.

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
    return re.sub(r"@([A-Z_]+)@", lambda match: places[match[1]], shell)


def island(text: str) -> str:
    """JSON text for a script element, escaped so that it cannot end the element or start another."""
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _deflated(lines: Sequence[str]) -> Iterator[str]:
    """Yield the lines in blocks, `number of lines:base64 of raw deflate`."""
    block: list[str] = []
    for index, line in enumerate(lines, 1):
        block.append(line)
        if index == len(lines) or sum(map(len, block)) + len(lines[index]) > BLOCK:
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
    return (PAGE / "bundle" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _text(text: str) -> str:
    return html.escape(text).encode("ascii", "xmlcharrefreplace").decode()


def shared_style() -> str:
    """Colours, fonts, and styles of buttons, tables and parts; a part has the class of its category, `p-own-code`."""
    return _bundled("shared.css")


def shared_script() -> str:
    """Functions that make elements, for a page whose scripts share one scope."""
    functions, _, _ = _bundled("shared.js").partition("\nexport {")
    return functions + "\n"
