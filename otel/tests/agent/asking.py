"""Tools that are called without a server, and a server on pipes."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from lambda_latency.agent.loading import Loader, ToolCall
from lambda_latency.agent.roots import Roots
from lambda_latency.agent.tools import TOOLS, checked
from lambda_latency.latency import AnalysisOptions


class Tools:
    """The tools on some folders."""

    def __init__(self, *roots: Path, terms: AnalysisOptions = AnalysisOptions()) -> None:  # noqa: B008 - immutable
        self.loader = Loader(Roots(roots), terms)

    def __call__(self, tool: str, arguments: dict[str, Any] | None = None, call: ToolCall = ToolCall()) -> str:  # noqa: B008
        """The answer of a tool."""
        return TOOLS[tool].function()(self.loader, call, **checked(TOOLS, tool, arguments or {}))


def request(number: int, method: str, **params: object) -> bytes:
    """A request as a line."""
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode() + b"\n"


def served(root: Path, *lines: bytes, options: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """The messages that the command sends for these lines."""
    done = subprocess.run(
        [sys.executable, "-m", "lambda_latency", "mcp", "--root", str(root), *options],
        input=b"".join(lines),
        capture_output=True,
        check=True,
        timeout=60,
        cwd=root,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]
