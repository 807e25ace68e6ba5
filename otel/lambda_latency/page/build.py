"""Builds one HTML file from markup, styles, scripts and data; its content security policy forbids anything else."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["build_page", "island"]

SOURCE = Path(__file__).parent / "source"
# The order in which the files are joined into one style and one script.
STYLES = ("base", "verdict", "distribution", "parts", "flame", "list", "request", "rest", "print")
SCRIPTS = (
    "elements",
    "report",
    "words",
    "facts",
    "state",
    "tip",
    "depends",
    "whatif",
    "picture",
    "carry",
    "verdict",
    "scale",
    "timescale",
    "axes",
    "handles",
    "brush",
    "marks",
    "heat",
    "lengths",
    "time",
    "distribution",
    "table",
    "parts",
    "flame",
    "change",
    "filters",
    "list",
    "rows",
    "pixels",
    "spansearch",
    "twin",
    "overview",
    "waterfall",
    "bars",
    "address",
    "moves",
    "details",
    "stack",
    "request",
    "rest",
    "start",
)
LONGEST_TITLE = 90
# The module syntax, which is removed: in the page all scripts share one scope.
OF_MODULES = re.compile(r"^import [^;]*;\n|^export (?=\w)", re.MULTILINE)


def build_page(values: Mapping[str, object], spans: Sequence[str], sentence: str) -> str:
    """The page as HTML text; every part with data from traces is ASCII.

    `values` is the report (from `page_values`), `spans` a JSON line for each request whose spans the page contains.
    """
    style = _parts("style", STYLES, "css")
    # The script has a scope of its own: its names cannot hide the browser's.
    script = f'(() => {{\n"use strict";\n{OF_MODULES.sub("", _parts("script", SCRIPTS, "js"))}}})();\n'
    # Inserted parts are not scanned again: names in traces may look like placeholders.
    places = {
        "STYLE": style,
        "SCRIPT": script,
        "STYLE_HASH": _hash(style),
        "SCRIPT_HASH": _hash(script),
        "TITLE": _text(sentence if len(sentence) <= LONGEST_TITLE else f"{sentence[:LONGEST_TITLE]}..."),
        "SENTENCE": _text(sentence),
        "REPORT": island(json.dumps(values, separators=(",", ":"))),
        "SPANS": island("\n".join(spans)),
    }
    shell = (SOURCE / "page.html").read_text(encoding="utf-8")
    return re.sub(r"@([A-Z_]+)@", lambda found: places[found[1]], shell)


def island(text: str) -> str:
    """JSON text for a script element, escaped so that it cannot end the element or start another."""
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


@cache
def _parts(kind: str, names: Sequence[str], ending: str) -> str:
    return "".join((SOURCE / kind / f"{name}.{ending}").read_text(encoding="utf-8") for name in names)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _text(text: str) -> str:
    return html.escape(text).encode("ascii", "xmlcharrefreplace").decode()
