"""The row of a request in the page's list, and the line of code at which it failed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from lambda_latency.latency import timeout_of

if TYPE_CHECKING:
    from lambda_latency.latency import Account, Owners
    from lambda_latency.trace import Trace

LONGEST = 200  # characters of a name
MOST_PARTS = 3
FRAME = re.compile(r'^ *File "(?P<file>[^"\n]+)", line (?P<line>\d+), in (?P<function>\S+)', re.MULTILINE)
# The frames of Node.js and of Java, the innermost first.
ELSEWHERE = re.compile(r"^\s+at (?P<function>[^(\n]+?) ?\((?P<file>[^()\n]+?):(?P<line>\d+)(?::\d+)?\)", re.MULTILINE)
PACKAGES = ("site-packages/", "dist-packages/", "/lib/python3", "/opt/python/", "<frozen", "node_modules/", "node:")
KIT = "lambda_latency/"
TASK = "/var/task/"

encode = msgspec.json.encode


def row_of(number: int, first: int, one: Account, failure: tuple[str, str]) -> bytes:
    """A row as JSON. `failure` says what went wrong, and where."""
    what, where = failure
    return encode(
        {
            "n": number,
            "first": first,
            "id": one.trace_id,
            "end": (one.start_ns + one.wall_ns) // 1_000_000,
            "route": one.route[:LONGEST],
            "ns": one.wall_ns,
            "status": one.status_code,
            "error": one.error,
            "timeout": one.timed_out,
            "cold": one.cold_start,
            "parts": [[part.label[:LONGEST], part.bucket, ns] for part, ns in one.parts[:MOST_PARTS]],
            "what": what,
            "where": where,
        }
    )


def mark_of(number: int, end_ns: int, text: str) -> bytes:
    """A mark between rows as JSON."""
    return encode({"n": number, "first": number, "id": "", "end": end_ns // 1_000_000, "mark": text})


def failure_of(trace: Trace, owners: Owners) -> tuple[str, str]:
    """What went wrong in a request, and its line as `file:line function`; empty texts if no span tells."""
    timeout = timeout_of(trace, owners)
    if timeout is not None:
        what = f"timed out in {timeout.running}" if timeout.running else "timed out"
        line = timeout.line
        return what[:LONGEST], f"{line.file}:{line.line} {line.function}"[:LONGEST] if line is not None else ""
    raised = [event for span in trace.spans for event in span.events if event.name == "exception"]
    if raised:
        attributes = min(raised, key=lambda event: event.time_ns).attributes
        kind, message = (str(attributes.get(f"exception.{key}") or "") for key in ("type", "message"))
        return f"{kind}: {message}".strip(": ")[:LONGEST], _line(str(attributes.get("exception.stacktrace") or ""))
    said = next((span.status_message for span in trace.spans if span.status_message), "")
    return said[:LONGEST], ""


def _line(stack: str) -> str:
    """The innermost line of a stack that is not a package's; else the innermost one."""
    frames = [*reversed([*FRAME.finditer(stack)])] or [*ELSEWHERE.finditer(stack)]
    own = [one for one in frames if not any(name in one["file"] for name in (*PACKAGES, KIT))]
    found = next(iter(own or frames), None)
    if found is None:
        return ""
    file = found["file"]
    short = file.partition(TASK)[2] or "/".join(file.split("/")[-2:])
    return f"{short}:{found['line']} {found['function']}"[:LONGEST]
