"""The pure scripts of the page in Node.js, where it is installed; in CI it has to be."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from lambda_latency.page.build import SOURCE

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["run_module"]


def run_module(folder: Path, name: str, code: str, value: object) -> Any:
    """What `code` puts out as JSON; `module` is the page's script of that name, `value` what it is given."""
    node = shutil.which("node")
    if node is None:
        reason = "no node: the scripts of the page are tested with Node.js 20 or later (https://nodejs.org)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    (folder / f"{name}.mjs").write_text((SOURCE / "script" / f"{name}.js").read_text())
    (folder / "value.json").write_text(json.dumps(value))
    (folder / "main.mjs").write_text(
        f'import * as module from "./{name}.mjs";\n'
        'import { readFileSync } from "node:fs";\n'
        'const value = JSON.parse(readFileSync(new URL("value.json", import.meta.url), "utf8"));\n'
        f"console.log(JSON.stringify(({code})(value)));\n"
    )
    done = subprocess.run([node, folder / "main.mjs"], capture_output=True, text=True, check=False, timeout=120)
    assert done.stderr == ""
    return json.loads(done.stdout)
