"""Formats a line of a function's log as text: Lambda writes JSON records if the template sets LogFormat to JSON."""

from __future__ import annotations

import json
from typing import Any


def readable(line: str) -> str:
    """The level and message of a JSON record, followed by its stack trace; any other line unchanged."""
    record = _record(line)
    if record is None:
        return line
    message = str(record.get("errorMessage") or record.get("message", ""))
    if kind := record.get("errorType"):
        message = f"{kind}: {message}"
    stack = record.get("stackTrace")
    frames = [row for one in stack for row in str(one).rstrip().splitlines()] if isinstance(stack, list) else []
    return "\n".join([f"{record['level']} {message.strip()}", *frames])


def _record(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        record = json.loads(line)
    except ValueError:
        return None
    is_one = isinstance(record, dict) and "level" in record and ("message" in record or "errorMessage" in record)
    return record if is_one else None
