"""Builds one HTML file from markup, styles, scripts and data; its content security policy forbids anything else.

A live page has the same script and styles, and takes its data from its server.
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
    load, script = _bundled("load.js"), _bundled("page.js")
    title = sentence if len(sentence) <= LONGEST_TITLE else f"{sentence[:LONGEST_TITLE]}..."
    elements = (
        _data("application/json", "report", island(json.dumps(values, separators=(",", ":")))),
        _data("text/plain", "spans", "\n".join(_deflated(spans))),
        _data("text/plain", "script", _packed_script()),
        f"<script>{load}</script>",
    )
    style = _bundled("page.css")
    policy = f"{_policy(style)}; script-src '{_hash(load)}' '{_hash(script)}'"
    return _filled(
        {
            "POLICY": policy,
            "TITLE": _text(title),
            "STYLE": style,
            "SENTENCE": _text(sentence),
            "ELEMENTS": "\n".join(elements),
        }
    )


def live_page(values: Mapping[str, object]) -> tuple[str, str]:
    """Return the page that asks its server for reports, and its content security policy. `values` is the report of no
    request, which it shows at first.
    """
    # The script of the page is a function here: the page is drawn anew for each report
    script = f"const startPage = (liveHost) => {{\n{_bundled('page.js')}}};\n{_bundled('live.js')}"
    style = _bundled("page.css") + _bundled("live.css")
    policy = (
        f"{_policy(style)}; script-src '{_hash(script)}'; connect-src 'self'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    data = _data("application/json", "report", island(json.dumps(values, separators=(",", ":"))))
    elements = f"{data}\n<script>{script}</script>"
    places = {"POLICY": policy, "TITLE": "Live requests", "STYLE": style, "SENTENCE": "", "ELEMENTS": elements}
    return _filled(places), policy


def _policy(style: str) -> str:
    return f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src '{_hash(style)}'"


def _data(kind: str, name: str, text: str) -> str:
    return f'<script type="{kind}" id="{name}">{text}</script>'


def _filled(places: Mapping[str, str]) -> str:
    shell = (PAGE / "page.html").read_text(encoding="utf-8")
    # Inserted parts are not scanned again: names in traces may look like placeholders.
    return re.sub(r"@([A-Z]+)@", lambda match: places[match[1]], shell)


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
