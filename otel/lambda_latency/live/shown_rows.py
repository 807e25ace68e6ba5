"""The row of a request in the page's list, and the line of code at which it failed."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from lambda_latency.latency import Breakdown, Owners, timeout_of
from lambda_latency.text import owner
from lambda_latency.trace import Trace

LONGEST = 200  # characters of a name
MOST_PARTS = 8
FRAME = re.compile(r'^ *File "(?P<file>[^"\n]+)", line (?P<line>\d+), in (?P<function>\S+)', re.MULTILINE)
# A frame of Node.js or of Java; their stacks begin with the innermost.
OTHER_FRAME = re.compile(r"^\s+at (?P<function>[^(\n]+?) ?\((?P<file>[^()\n]+?):(?P<line>\d+)(?::\d+)?\)", re.MULTILINE)
PACKAGES = ("site-packages/", "dist-packages/", "/lib/python3", "/opt/python/", "<frozen", "node_modules/", "node:")
KIT = "lambda_latency/"
TASK = "/var/task/"

encode = msgspec.json.encode


def row_of(
    number: int, first_number: int, breakdown: Breakdown, failure: tuple[str, str], clean: Callable[[str], str]
) -> bytes:
    """Return a row as JSON. `failure` says what went wrong, and where; `clean` removes secrets from names."""
    reason, where = failure
    return encode(
        {
            "n": number,
            "first": first_number,
            "id": breakdown.trace_id,
            "end": (breakdown.start_ns + breakdown.wall_ns) // 1_000_000,
            "route": clean(breakdown.route[:LONGEST]),
            "ns": breakdown.wall_ns,
            "status": breakdown.status_code,
            "error": breakdown.error,
            "timeout": breakdown.timed_out,
            "cold": breakdown.cold_start,
            "parts": [
                [clean(part.label[:LONGEST]), part.category, ns, owner(part)]
                for part, ns in breakdown.components[:MOST_PARTS]
            ],
            "what": reason,
            "where": where,
        }
    )


def mark_of(number: int, end_ns: int, text: str) -> bytes:
    """Return a mark between rows as JSON."""
    return encode({"n": number, "first": number, "id": "", "end": end_ns // 1_000_000, "mark": text})


def failure_of(trace: Trace, owners: Owners) -> tuple[str, str]:
    """Return why a request failed, and its line as `file:line function`; empty texts if no span has them."""
    timeout = timeout_of(trace, owners)
    if timeout is not None:
        reason = f"timed out in {timeout.running}" if timeout.running else "timed out"
        line = timeout.line
        return reason[:LONGEST], f"{line.file}:{line.line} {line.function}"[:LONGEST] if line is not None else ""
    exceptions = [event for span in trace.spans for event in span.events if event.name == "exception"]
    if exceptions:
        attributes = min(exceptions, key=lambda event: event.time_ns).attributes
        keys = ("exception.type", "exception.message", "exception.stacktrace")
        kind, message, stack = (str(attributes.get(key) or "") for key in keys)
        return f"{kind}: {message}".strip(": ")[:LONGEST], _line(stack)
    message = next((span.status_message for span in trace.spans if span.status_message), "")
    return message[:LONGEST], ""


def _line(stack: str) -> str:
    """Return the innermost line of a stack that is not a package's; else the innermost line."""
    frames = [*reversed([*FRAME.finditer(stack)])] or [*OTHER_FRAME.finditer(stack)]
    own_frames = [frame for frame in frames if not any(name in frame["file"] for name in (*PACKAGES, KIT))]
    shown = next(iter(own_frames or frames), None)
    if shown is None:
        return ""
    file = shown["file"]
    short = file.partition(TASK)[2] or "/".join(file.split("/")[-2:])
    return f"{short}:{shown['line']} {shown['function']}"[:LONGEST]
