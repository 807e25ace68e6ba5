"""The start of the server: what it imports before the first verdict, and that it opens no socket."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from lambda_latency.trace import dump_line
from tests.agent.asking import request
from tests.latency.generated import few

DISCOVER = request(1, "server/discover", _meta={"io.modelcontextprotocol/protocolVersion": "2026-07-28"})
PROBE = """
import sys
asked = []
sys.addaudithook(lambda event, given: asked.append(event) if event.startswith(("socket.", "subprocess.")) else None)
from lambda_latency.cli import main
status = main(["mcp", "--root", sys.argv[1]])
rooms = {name.split(".")[1] for name in sys.modules if name.startswith("lambda_latency.")}
print(status, asked, sorted(rooms), sorted({"typing", "pathlib", "dataclasses"} & sys.modules.keys()), file=sys.stderr)
"""


def run(root: Path, *lines: bytes) -> str:
    """What the probe tells."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}\n{PROBE}", str(root)],
        input=b"".join(lines),
        capture_output=True,
        check=True,
        timeout=60,
    )
    return done.stderr.decode()


def test_nothing_that_reads_traces_is_imported_before_the_first_call(tmp_path: Path) -> None:
    """Neither by the list of tools, nor the prompts."""
    lines = (DISCOVER, request(2, "tools/list"), request(3, "prompts/list"), request(4, "ping"))
    assert run(tmp_path, *lines) == "0 [] ['agent', 'cli', 'version'] []\n"


def test_no_call_opens_a_socket_or_starts_a_process(tmp_path: Path) -> None:
    """A verdict, a request, a check."""
    (tmp_path / "traces.jsonl").write_text("".join(dump_line(trace.spans) for trace in few()))
    calls = [
        request(number, "tools/call", name=name, arguments={})
        for number, name in enumerate(("why_slow", "list_requests", "check_tracing"))
    ]
    assert run(tmp_path, *calls).startswith("0 [] ")
