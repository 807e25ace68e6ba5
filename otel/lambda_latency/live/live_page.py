"""The page: markup, styles and scripts in one document, and the policy that forbids everything else."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from lambda_latency.page import shared_script, shared_style

SOURCE = Path(__file__).parent / "source"
SCRIPTS = ("words", "rows", "list", "request", "tools", "start")
OF_MODULES = re.compile(r"^import [^;]*;\n|^export (?=\w)", re.MULTILINE)  # all scripts share one scope in the page


class Document(NamedTuple):
    """The page as bytes, and its content security policy."""

    body: bytes
    policy: str


@cache
def document_of() -> Document:
    """The page, which holds no data."""
    style = shared_style() + (SOURCE / "live.css").read_text(encoding="utf-8")
    modules = [shared_script(), *((SOURCE / "script" / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)]
    script = f'(() => {{\n"use strict";\n{OF_MODULES.sub("", "".join(modules))}}})();\n'
    shell = (SOURCE / "live.html").read_text(encoding="utf-8")
    body = shell.replace("@STYLE@", style).replace("@SCRIPT@", script)
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
        "trusted-types 'none'"
    )
    return Document(body.encode(), policy)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
